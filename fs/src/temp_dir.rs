//! Temporary directories.

use std::fs::remove_dir_all;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::Builder;
use withal_core::{Outcome, Propagate, Protected, Runtime, Scope, ScopeExt};

use crate::error::PathError;
use crate::platform;

/// A scope around a new directory, which is removed at the exit with everything in it.
///
/// It lies in the directory for temporary files, under a name that nobody can guess; on Unix other users have no access.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// # use withal_fs as fs;
/// use std::io;
/// use withal::ScopeExt;
///
/// # withal_testing::run(|rt| async move {
/// let path = fs::temp_dir(&rt).with(async |dir| {
///     std::fs::write(dir.path().join("draft"), "words")?;
///     io::Result::Ok(dir.path().to_path_buf())
/// });
/// assert!(!path.await?.exists());
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Errors
///
/// Entering fails if the directory cannot be made.
/// The exit fails if something in it cannot be removed; that the body has already removed the directory is fine.
/// Both name the path: see [`PathError`].
///
/// # Cancel safety
///
/// Making it cannot be cut half-way: dropped, it goes on, and the directory is removed.
#[track_caller]
pub fn temp_dir<R: Runtime>(rt: &R) -> Protected<MakeTempDir<R>> {
    MakeTempDir { rt: rt.clone() }.protected()
}

/// The scope of [`temp_dir`].
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct MakeTempDir<R> {
    rt: R,
}

/// A directory that is there until the exit of its scope: see [`temp_dir`].
///
/// # Drop behavior
///
/// The exit removes the directory, and the exit of a dropped scope still runs.
/// A hard drop of `with_local` alone drops the guard itself: then the directory stays.
#[derive(Debug)]
pub struct TempDir<R> {
    rt: R,
    path: PathBuf,
}

impl<R> TempDir<R> {
    /// Where it is; an absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl<R> AsRef<Path> for TempDir<R> {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl<R: Runtime> Scope for MakeTempDir<R> {
    type Guard = TempDir<R>;
    type Error = io::Error;
    type Verdict = Propagate;

    async fn enter(self) -> io::Result<TempDir<R>> {
        let making = self.rt.unblock(|| {
            let mut builder = Builder::new();
            platform::keep_private(&mut builder);
            builder.tempdir().map_err(|error| {
                PathError::wrap("make a directory in", &tempfile::env::temp_dir(), error)
            })
        });
        // It is kept only here: should nobody take the value of the hop, it removes itself.
        let path = making.await?.keep();
        Ok(TempDir { rt: self.rt, path })
    }

    async fn exit(dir: TempDir<R>, _: Outcome<'_>) -> io::Result<Propagate> {
        let TempDir { rt, path } = dir;
        let removing = rt.unblock(move || match remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(PathError::wrap("remove", &path, error))
            }
            _ => Ok(()),
        });
        removing.await?;
        Ok(Propagate)
    }
}
