//! What was written is what is read.

use std::io::{self, ErrorKind, Read, SeekFrom, Write};
use std::path::Path;

use withal_core::{Runtime, ScopeExt};
use withal_fs::{create, open};

use crate::pattern::bytes;

on_every_runtime! {
    small
    nothing
    odd_chunks
    one_large_chunk
    create_empties
    to_the_end
    exactly
    text
    seeking_while_reading
    seeking_while_writing
    length
    growing_file
}

/// Written in chunks of `size`, and read in chunks of the same size.
async fn round_trip<R: Runtime>(rt: &R, path: &Path, data: &[u8], size: usize) -> io::Result<()> {
    let wrote = create(rt, path).with(async |file| {
        for chunk in data.chunks(size) {
            file.write_all(chunk).await?;
        }
        assert_eq!(file.position(), data.len() as u64);
        assert_eq!(file.path(), path);
        io::Result::Ok(())
    });
    wrote.await?;
    assert!(std::fs::read(path)? == data);
    let read = open(rt, path).with(async |file| {
        let mut read = Vec::new();
        let mut chunk = vec![0; size];
        loop {
            match file.read(&mut chunk).await? {
                0 => break io::Result::Ok(read),
                n => read.extend_from_slice(&chunk[..n]),
            }
        }
    });
    assert!(read.await? == data, "chunks of {size}");
    Ok(())
}

async fn small<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    round_trip(&rt, &path, b"hello", 3).await.unwrap();
}

async fn nothing<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    round_trip(&rt, &path, b"", 1).await.unwrap();
}

async fn odd_chunks<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let data = bytes(1, 1_234_567);
    for size in [61, 4096, 65_537, 262_143, 262_144, 262_145, 300_000] {
        let path = dir.path().join(size.to_string());
        round_trip(&rt, &path, &data, size).await.unwrap();
    }
}

async fn one_large_chunk<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let data = bytes(2, 5_000_001);
    round_trip(&rt, &path, &data, data.len()).await.unwrap();
}

async fn create_empties<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "something longer").unwrap();
    let short = create(&rt, file.path()).with(async |file| file.write_all(b"short").await);
    short.await.unwrap();
    assert_eq!(std::fs::read(file.path()).unwrap(), b"short");
}

async fn to_the_end<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    for size in [0, 10, 262_144, 3_000_000] {
        let data = bytes(3, size);
        std::fs::write(file.path(), &data).unwrap();
        let read = open(&rt, file.path()).with(async |file| {
            let mut out = Vec::new();
            assert_eq!(file.read_to_end(&mut out).await?, size);
            assert_eq!(file.position(), size as u64);
            // What is there stays in front.
            file.seek(SeekFrom::Start(size as u64 / 2)).await?;
            file.read_to_end(&mut out).await?;
            io::Result::Ok(out)
        });
        let expected = [&data[..], &data[size / 2..]].concat();
        assert!(read.await.unwrap() == expected, "{size} bytes");
    }
}

async fn exactly<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let data = bytes(4, 1_000_000);
    std::fs::write(file.path(), &data).unwrap();
    let read = open(&rt, file.path()).with(async |file| {
        let mut start = vec![0; 400_000];
        file.read_exact(&mut start).await?;
        assert!(start == data[..400_000]);
        // Nothing is taken when there is not enough.
        let mut too_much = vec![7; 600_001];
        let error = file.read_exact(&mut too_much).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(too_much.iter().all(|byte| *byte == 7));
        assert_eq!(file.position(), 400_000);
        let mut rest = vec![0; 600_000];
        file.read_exact(&mut rest).await?;
        assert!(rest == data[400_000..]);
        file.read_exact(&mut []).await
    });
    read.await.unwrap();
}

async fn text<R: Runtime>(rt: R) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all("grüße".as_bytes()).unwrap();
    let read = open(&rt, file.path()).with(async |file| {
        let mut text = String::from("> ");
        file.read_to_string(&mut text).await?;
        assert_eq!(text, "> grüße");
        // From the middle of a letter on it is no text.
        file.seek(SeekFrom::Start(3)).await?;
        let error = file.read_to_string(&mut text).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!((&*text, file.position()), ("> grüße", 3));
        io::Result::Ok(())
    });
    read.await.unwrap();
}

async fn seeking_while_reading<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let data = bytes(5, 700_000);
    std::fs::write(file.path(), &data).unwrap();
    let read = open(&rt, file.path()).with(async |file| {
        let places = [
            (SeekFrom::Start(10), 10),
            (SeekFrom::Current(-14), 0),
            (SeekFrom::Current(500_000), 500_004),
            (SeekFrom::Current(-5), 500_003),
            (SeekFrom::End(-4), 699_996),
            (SeekFrom::Start(262_142), 262_142),
            (SeekFrom::End(-700_000), 0),
        ];
        for (to, place) in places {
            assert_eq!(file.seek(to).await?, place as u64);
            let mut four = [0; 4];
            file.read_exact(&mut four).await?;
            assert_eq!(four, data[place..place + 4], "{to:?}");
        }
        assert_eq!(file.seek(SeekFrom::End(9)).await?, 700_009);
        assert_eq!(file.read(&mut [0; 4]).await?, 0);
        for before_the_start in [SeekFrom::Current(-700_010), SeekFrom::End(-700_001)] {
            let error = file.seek(before_the_start).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        let error = file.seek(SeekFrom::Start(u64::MAX)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(file.position(), 700_009);
        io::Result::Ok(())
    });
    read.await.unwrap();
}

async fn seeking_while_writing<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let wrote = create(&rt, file.path()).with(async |file| {
        file.write_all(b"0123456789").await?;
        file.seek(SeekFrom::Current(-4)).await?;
        file.write_all(b"six").await?;
        assert_eq!(file.seek(SeekFrom::End(2)).await?, 12);
        file.write_all(b"end").await?;
        file.seek(SeekFrom::Start(1)).await?;
        file.write_all(b"one").await
    });
    wrote.await.unwrap();
    assert_eq!(std::fs::read(file.path()).unwrap(), b"0one45six9\0\0end");
}

async fn length<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let wrote = create(&rt, file.path()).with(async |file| {
        file.write_all(b"0123456789").await?;
        // What was accepted counts.
        assert_eq!(file.metadata().await?.len(), 10);
        file.set_len(4).await?;
        assert_eq!(file.metadata().await?.len(), 4);
        assert_eq!(file.position(), 10);
        file.seek(SeekFrom::End(0)).await?;
        file.write_all(b"x").await?;
        file.sync_all().await
    });
    wrote.await.unwrap();
    assert_eq!(std::fs::read(file.path()).unwrap(), b"0123x");
}

async fn growing_file<R: Runtime>(rt: R) {
    let mut writer = tempfile::NamedTempFile::new().unwrap();
    let path = writer.path().to_path_buf();
    let read = open(&rt, &path).with(async |file| {
        let mut out = [0; 8];
        assert_eq!(file.read(&mut out).await?, 0);
        writer.write_all(b"more")?;
        assert_eq!(file.read(&mut out).await?, 4);
        assert_eq!(file.read(&mut out).await?, 0);
        io::Result::Ok(())
    });
    read.await.unwrap();
    let mut all = String::new();
    writer.reopen().unwrap().read_to_string(&mut all).unwrap();
    assert_eq!(all, "more");
}
