//! The drop sweep: whole programs, dropped after 0, 1, 2 … polls until they complete.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::PathBuf;

use withal_core::{Runtime, ScopeExt, drained};
use withal_fs::{create, open, temp_dir};
use withal_testing::cut_after;

use crate::handles::open_handles;
use crate::pattern::bytes;

on_every_runtime! {
    writing
    reading
    directories
}

async fn writing<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let data = bytes(9, 900_000);
    for polls in 0.. {
        let path = dir.path().join(polls.to_string());
        let accepted = Cell::new(0);
        let flushed = Cell::new(0);
        let program = create(&rt, &path).with(async |file| {
            for (round, chunk) in data.chunks(99_991).enumerate() {
                file.write_all(chunk).await?;
                accepted.set(file.position() as usize);
                if round % 3 == 2 {
                    file.flush().await?;
                    flushed.set(file.position() as usize);
                    assert!(std::fs::read(&path)? == data[..flushed.get()]);
                }
            }
            io::Result::Ok(())
        });
        let completed = cut_after(polls, program).await;
        drained().await;
        assert_eq!(open_handles(&path), 0, "after {polls} polls");
        let content = std::fs::read(&path).unwrap_or_default();
        assert!(content.len() >= flushed.get(), "after {polls} polls");
        // The exit has written the rest of it, too.
        assert!(content == data[..accepted.get()], "after {polls} polls");
        if let Some(result) = completed {
            result.unwrap();
            assert_eq!(accepted.get(), data.len());
            break;
        }
    }
}

async fn reading<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.into_temp_path();
    let data = bytes(10, 600_000);
    std::fs::write(&path, &data).unwrap();
    for polls in 0.. {
        let program = open(&rt, &path).with(async |file| {
            let mut all = Vec::new();
            file.read_exact(&mut [0; 10]).await?;
            file.seek(io::SeekFrom::End(-500_000)).await?;
            file.read_to_end(&mut all).await?;
            io::Result::Ok(all)
        });
        let completed = cut_after(polls, program).await;
        drained().await;
        assert_eq!(open_handles(&path), 0, "after {polls} polls");
        if let Some(all) = completed {
            assert!(all.unwrap() == data[100_000..]);
            break;
        }
    }
}

async fn directories<R: Runtime>(rt: R) {
    let seen = RefCell::new(Vec::<PathBuf>::new());
    for polls in 0.. {
        let program = temp_dir(&rt).with(async |dir| {
            seen.borrow_mut().push(dir.path().to_path_buf());
            let below = dir.path().join("below");
            std::fs::create_dir(&below)?;
            let file = create(&rt, below.join("file"));
            file.with(async |file| file.write_all(b"text").await)
                .await?;
            assert_eq!(std::fs::read(below.join("file"))?, b"text");
            io::Result::Ok(())
        });
        let completed = cut_after(polls, program).await;
        drained().await;
        for path in &*seen.borrow() {
            assert!(!path.exists(), "after {polls} polls");
        }
        if let Some(result) = completed {
            result.unwrap();
            break;
        }
    }
    assert!(!seen.borrow().is_empty());
}
