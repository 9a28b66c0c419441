//! An operation that is dropped half-way loses nothing.

use std::io::{self, SeekFrom};

use withal_core::{Runtime, ScopeExt};
use withal_fs::{create, open};
use withal_testing::cut_after;

use crate::pattern::bytes;

on_every_runtime! {
    cut_writes
    cut_reads
    cut_read_then_seek
}

async fn cut_writes<R: Runtime>(rt: R) {
    const SIZES: [usize; 5] = [1_000, 300_000, 65_536, 4_500_000, 250_000];
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut accepted = Vec::new();
    let wrote = create(&rt, file.path()).with(async |file| {
        for round in 0..20 {
            let chunk = bytes(round as u64, SIZES[round % SIZES.len()]);
            let before = file.position();
            let whole = cut_after(round % 4, file.write_all(&chunk)).await;
            let n = (file.position() - before) as usize;
            match whole {
                Some(written) => {
                    written?;
                    assert_eq!(n, chunk.len());
                }
                // In pieces of 2 MiB, and each of them whole or not at all.
                None => assert_eq!(n % (2 << 20), 0),
            }
            accepted.extend_from_slice(&chunk[..n]);
            match round % 5 {
                0 => drop(cut_after(1, file.flush()).await),
                1 => drop(cut_after(1, file.metadata()).await),
                2 => drop(cut_after(1, file.sync_all()).await),
                3 => drop(cut_after(1, file.seek(SeekFrom::End(0))).await),
                _ => {}
            }
            assert_eq!(file.position(), accepted.len() as u64);
        }
        io::Result::Ok(())
    });
    wrote.await.unwrap();
    assert!(!accepted.is_empty());
    assert!(std::fs::read(file.path()).unwrap() == accepted);
}

async fn cut_reads<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let data = bytes(7, 3_000_000);
    std::fs::write(file.path(), &data).unwrap();
    let read = open(&rt, file.path()).with(async |file| {
        let mut read = Vec::new();
        let mut chunk = vec![0; 90_001];
        for round in 0..40 {
            match round % 4 {
                0 => {
                    let length = read.len();
                    if cut_after(1, file.read_to_string(&mut String::new()))
                        .await
                        .is_some()
                    {
                        assert_eq!(length, read.len(), "noise is no text");
                    }
                }
                1 => {
                    if let Some(exact) = cut_after(1, file.read_exact(&mut chunk)).await {
                        exact?;
                        read.extend_from_slice(&chunk);
                    }
                }
                polls => {
                    if let Some(n) = cut_after(polls - 1, file.read(&mut chunk)).await {
                        read.extend_from_slice(&chunk[..n?]);
                    }
                }
            }
            assert_eq!(file.position(), read.len() as u64);
        }
        let before = read.len();
        for polls in 0.. {
            if let Some(n) = cut_after(polls, file.read_to_end(&mut read)).await {
                assert_eq!(read.len(), before + n?);
                break;
            }
            assert_eq!(read.len(), before);
        }
        io::Result::Ok(read)
    });
    assert!(read.await.unwrap() == data);
}

async fn cut_read_then_seek<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let data = bytes(8, 600_000);
    std::fs::write(file.path(), &data).unwrap();
    let read = open(&rt, file.path()).with(async |file| {
        let mut four = [0; 4];
        for place in [0, 300_000, 3, 599_996, 262_143] {
            let _ = cut_after(1, file.read(&mut four)).await;
            let _ = cut_after(1, file.seek(SeekFrom::Start(1))).await;
            file.seek(SeekFrom::Start(place as u64)).await?;
            file.read_exact(&mut four).await?;
            assert_eq!(four, data[place..place + 4]);
        }
        io::Result::Ok(())
    });
    read.await.unwrap();
}
