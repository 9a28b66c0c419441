//! A temporary directory is gone after its scope, however that ends.

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use withal_core::{Runtime, ScopeError, ScopeExt, drained, timeout};
use withal_fs::{PathError, TempDir, temp_dir};
use withal_testing::{caught, cut_after, yield_now};

on_every_runtime! {
    success
    error
    panic
    time_out
    hard_drop
    dropped_while_it_is_made
    removed_by_the_body
    removal_fails
    private
}

/// Fills `dir` and says where it is.
fn fill<R>(dir: &TempDir<R>) -> io::Result<PathBuf> {
    let below = dir.path().join("a").join("b");
    std::fs::create_dir_all(&below)?;
    std::fs::write(below.join("file"), "text")?;
    assert!(dir.path().is_absolute());
    Ok(dir.path().to_path_buf())
}

async fn success<R: Runtime>(rt: R) {
    let path = temp_dir(&rt).with(async |dir| fill(dir)).await.unwrap();
    assert!(!path.exists());
}

async fn error<R: Runtime>(rt: R) {
    let mut path = PathBuf::new();
    let failed = temp_dir(&rt).with(async |dir| {
        path = fill(dir)?;
        Err::<(), _>(io::Error::other("the body's own"))
    });
    assert_eq!(failed.await.unwrap_err().to_string(), "the body's own");
    assert!(!path.as_os_str().is_empty() && !path.exists());
}

async fn panic<R: Runtime>(rt: R) {
    let mut path = PathBuf::new();
    let panicked = temp_dir(&rt).with(async |dir| {
        path = fill(dir)?;
        if path.exists() {
            panic!("on purpose");
        }
        io::Result::Ok(())
    });
    assert!(caught(panicked).await.is_err());
    assert!(!path.as_os_str().is_empty() && !path.exists());
}

async fn time_out<R: Runtime>(rt: R) {
    let mut path = PathBuf::from("/never/made");
    let stuck = temp_dir(&rt).with(async |dir| {
        path = fill(dir)?;
        pending::<io::Result<()>>().await
    });
    let elapsed = timeout(&rt, Duration::from_millis(20), stuck).await;
    assert!(elapsed.is_err());
    assert!(!path.exists());
}

/// Never ends, and wants to be polled all the time.
async fn restless() -> io::Result<()> {
    loop {
        yield_now().await;
    }
}

async fn hard_drop<R: Runtime>(rt: R) {
    let mut path = PathBuf::new();
    let mut polls = 1;
    while path.as_os_str().is_empty() {
        let stuck = temp_dir(&rt).with(async |dir| {
            path = fill(dir)?;
            restless().await
        });
        assert!(cut_after(polls, stuck).await.is_none());
        drained().await;
        polls += 1;
    }
    assert!(!path.exists());
}

/// Nobody sees the path of such a directory, so that the temporary directory of a child process has to be its own.
async fn dropped_while_it_is_made<R: Runtime>(rt: R) {
    const INSIDE: &str = "WITHAL_FS_DROPPED_WHILE_IT_IS_MADE";
    if std::env::var_os(INSIDE).is_some() {
        for polls in 0..3 {
            let _ = cut_after(polls, temp_dir(&rt).with(async |_| io::Result::Ok(()))).await;
        }
        drained().await;
        return;
    }
    let around = tempfile::tempdir().unwrap();
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([&name, "--exact"])
        .env(INSIDE, "1")
        .env("TMPDIR", around.path())
        .env("TMP", around.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && output.contains("1 passed"),
        "{output}"
    );
    let left = std::fs::read_dir(around.path()).unwrap().count();
    assert_eq!(left, 0);
}

async fn removed_by_the_body<R: Runtime>(rt: R) {
    let removed = temp_dir(&rt).with(async |dir| std::fs::remove_dir_all(dir));
    removed.await.unwrap();
}

async fn removal_fails<R: Runtime>(rt: R) {
    let mut path = PathBuf::new();
    let replaced = temp_dir(&rt).with_report(async |dir| {
        path = dir.path().to_path_buf();
        std::fs::remove_dir(dir.path())?;
        std::fs::write(dir, "a file in its place")
    });
    let Err(ScopeError::Exit(error)) = replaced.await else {
        panic!("the exit has kept quiet")
    };
    assert_eq!(PathError::of(&error).unwrap().path(), path);
    let start = format!("cannot remove {}: ", path.display());
    assert!(error.to_string().starts_with(&start), "{error}");
    std::fs::remove_file(&path).unwrap();
}

async fn private<R: Runtime>(rt: R) {
    #[cfg(unix)]
    temp_dir(&rt)
        .with(async |dir| {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(dir)?.permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
            io::Result::Ok(())
        })
        .await
        .unwrap();
    #[cfg(not(unix))]
    drop(rt);
}
