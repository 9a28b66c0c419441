//! What cannot be done says so, with the kind and the path.

use std::io::{self, ErrorKind};
use std::path::Path;

use withal_core::{Runtime, ScopeError, ScopeExt};
use withal_fs::{PathError, create, open};

use crate::handles::open_handles;

on_every_runtime! {
    not_found
    directory
    no_permission
    no_directory_to_create_in
    reading_what_is_written
    writing_what_is_read
}

#[track_caller]
fn assert_error(error: &io::Error, kind: ErrorKind, action: &str, path: &Path) {
    assert_eq!(error.kind(), kind, "{error}");
    let start = format!("cannot {action} {}: ", path.display());
    assert!(error.to_string().starts_with(&start), "{error}");
    assert_eq!(PathError::of(error).unwrap().path(), path);
}

async fn open_error<R: Runtime>(rt: &R, path: &Path) -> io::Error {
    let opened = open(rt, path).with_report(async |_| io::Result::Ok(()));
    match opened.await {
        Err(ScopeError::Enter(error)) => error,
        other => panic!("opened: {other:?}"),
    }
}

async fn create_error<R: Runtime>(rt: &R, path: &Path) -> io::Error {
    let created = create(rt, path).with_report(async |_| io::Result::Ok(()));
    match created.await {
        Err(ScopeError::Enter(error)) => error,
        other => panic!("created: {other:?}"),
    }
}

async fn not_found<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing");
    let error = open_error(&rt, &path).await;
    assert_error(&error, ErrorKind::NotFound, "open", &path);
    // As std says it.
    let std = std::fs::File::open(&path).unwrap_err();
    let cause = PathError::of(&error).unwrap().cause();
    assert_eq!(cause.raw_os_error(), std.raw_os_error());
}

async fn directory<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let error = open_error(&rt, dir.path()).await;
    assert_error(&error, ErrorKind::IsADirectory, "open", dir.path());
    let error = create_error(&rt, dir.path()).await;
    assert_error(&error, ErrorKind::IsADirectory, "open", dir.path());
    assert_eq!(open_handles(dir.path()), 0);
}

async fn no_permission<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut permissions = file.as_file().metadata().unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(file.path(), permissions).unwrap();
    // A privileged user may do it all the same.
    match std::fs::OpenOptions::new().write(true).open(file.path()) {
        Ok(_) => {
            let wrote = create(&rt, file.path()).with(async |file| file.write_all(b"x").await);
            wrote.await.unwrap();
        }
        Err(_) => {
            let error = create_error(&rt, file.path()).await;
            assert_error(&error, ErrorKind::PermissionDenied, "open", file.path());
        }
    }
}

async fn no_directory_to_create_in<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("below a file");
    let error = create_error(&rt, &path).await;
    let std = std::fs::File::create(&path).unwrap_err();
    assert_error(&error, std.kind(), "open", &path);
}

async fn reading_what_is_written<R: Runtime>(rt: R) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let failed = create(&rt, &path).with(async |file| {
        file.write_all(b"kept").await?;
        file.read(&mut [0; 4]).await
    });
    let error = failed.await.unwrap_err();
    assert_error(&error, ErrorKind::PermissionDenied, "read", &path);
    // The body has failed, and the exit has done its part.
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");
    assert_eq!(open_handles(&path), 0);
}

async fn writing_what_is_read<R: Runtime>(rt: R) {
    let file = tempfile::NamedTempFile::new().unwrap();
    // At once, not at the flush.
    let failed = open(&rt, file.path()).with(async |file| file.write_all(b"x").await);
    let error = failed.await.unwrap_err();
    assert_error(&error, ErrorKind::PermissionDenied, "write to", file.path());
    let failed = open(&rt, file.path()).with(async |file| file.set_len(1).await);
    let start = format!("cannot set the length of {}: ", file.path().display());
    assert!(failed.await.unwrap_err().to_string().starts_with(&start));
}
