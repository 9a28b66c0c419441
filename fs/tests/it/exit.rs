//! However the body ends, what was accepted is written and the handle is closed.

use std::future::pending;
use std::io;
use std::time::Duration;

use withal_core::{Runtime, ScopeExt, drained, timeout};
use withal_fs::{create, open};
use withal_testing::{caught, cut_after, yield_now};

use crate::handles::open_handles;

on_every_runtime! {
    success
    error
    panic
    time_out
    hard_drop
    owned
    reader
}

async fn success<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let wrote = create(&rt, &path).with(async |file| {
        file.write_all(b"text").await?;
        let expected = usize::from(cfg!(target_os = "linux"));
        assert_eq!(open_handles(&path), expected, "open in the body");
        io::Result::Ok(())
    });
    wrote.await.unwrap();
    assert_eq!(open_handles(&path), 0);
    assert_eq!(std::fs::read(&path).unwrap(), b"text");
}

async fn error<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let failed = create(&rt, &path).with(async |file| {
        file.write_all(b"text").await?;
        Err::<(), _>(io::Error::other("the body's own"))
    });
    assert_eq!(failed.await.unwrap_err().to_string(), "the body's own");
    assert_eq!(open_handles(&path), 0);
    assert_eq!(std::fs::read(&path).unwrap(), b"text");
}

async fn panic<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let panicked = create(&rt, &path).with(async |file| {
        file.write_all(b"text").await?;
        if file.position() == 4 {
            panic!("on purpose");
        }
        io::Result::Ok(())
    });
    assert!(caught(panicked).await.is_err());
    assert_eq!(open_handles(&path), 0);
    assert_eq!(std::fs::read(&path).unwrap(), b"text");
}

async fn time_out<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let mut entered = false;
    let stuck = create(&rt, &path).with(async |file| {
        file.write_all(b"text").await?;
        entered = true;
        pending::<io::Result<()>>().await
    });
    let elapsed = timeout(&rt, Duration::from_millis(20), stuck).await;
    assert!(elapsed.is_err());
    assert_eq!(open_handles(&path), 0);
    // On a slow machine the time was up before the body began.
    let expected: &[u8] = if entered { b"text" } else { b"" };
    assert_eq!(std::fs::read(&path).unwrap_or_default(), expected);
}

/// Never ends, and wants to be polled all the time.
async fn restless() -> io::Result<()> {
    loop {
        yield_now().await;
    }
}

async fn hard_drop<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let mut entered = 0;
    let mut polls = 1;
    while entered == 0 {
        let stuck = create(&rt, &path).with(async |file| {
            file.write_all(b"text").await?;
            entered += 1;
            restless().await
        });
        assert!(cut_after(polls, stuck).await.is_none());
        drained().await;
        assert_eq!(open_handles(&path), 0);
        polls += 1;
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"text");
}

async fn owned<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let mut file = ScopeExt::open(create(&rt, &path)).await.unwrap();
    file.write_all(b"text").await.unwrap();
    assert_eq!(file.path(), path);
    file.close(withal_core::Outcome::Success).await.unwrap();
    assert_eq!(open_handles(&path), 0);
    assert_eq!(std::fs::read(&path).unwrap(), b"text");
    // Dropped unclosed, it is finished elsewhere.
    let mut file = ScopeExt::open(create(&rt, &path)).await.unwrap();
    file.write_all(b"other").await.unwrap();
    drop(file);
    drained().await;
    assert_eq!(open_handles(&path), 0);
    assert_eq!(std::fs::read(&path).unwrap(), b"other");
}

async fn reader<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.into_temp_path();
    std::fs::write(&path, "text").unwrap();
    let read = open(&rt, &path).with(async |file| file.read(&mut [0; 2]).await);
    assert_eq!(read.await.unwrap(), 2);
    assert_eq!(open_handles(&path), 0);
}
