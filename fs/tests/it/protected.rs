//! Entering goes on when its future is dropped, and somebody waits for it.

use std::io;
use std::panic::Location;

use withal_core::{Bracket, ScopeExt, drained, unfinished};
use withal_fs::{create, open, temp_dir};
use withal_testing::{cut_after, run};

/// Cuts the enter of `scope`, which was made in the line of `made`.
async fn cut_the_enter<S: Bracket<Error = io::Error>>(scope: S, made: &Location<'_>, name: &str)
where
    S::Held: 'static,
{
    let entering = scope.with(async |_| -> io::Result<()> { unreachable!("was cut before") });
    assert!(cut_after(1, entering).await.is_none());
    let entries = unfinished();
    let left = entries.iter().find(|entry| {
        entry
            .location()
            .is_some_and(|at| (at.file(), at.line()) == (made.file(), made.line()))
    });
    assert_eq!(left.expect("nobody goes on with it").scope(), Some(name));
    drained().await;
}

#[track_caller]
fn here() -> &'static Location<'static> {
    Location::caller()
}

#[test]
fn of_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    run(|rt| async move {
        let (scope, made) = (open(&rt, file.path()), here());
        cut_the_enter(scope, made, "OpenFile").await;
        let (scope, made) = (create(&rt, file.path()), here());
        cut_the_enter(scope, made, "OpenFile").await;
    });
}

#[test]
fn of_a_directory() {
    run(|rt| async move {
        let (scope, made) = (temp_dir(&rt), here());
        cut_the_enter(scope, made, "MakeTempDir").await;
    });
}
