//! Opening files.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use withal_core::{Outcome, Propagate, Protected, Runtime, Scope, ScopeExt};

use crate::file::File;
use crate::file::handle::Handle;

/// A scope around the file at `path`, open for reading.
///
/// See [`File`] for what the body can do with it and what happens at the exit.
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
/// let start = fs::open(&rt, "src/lib.rs").with(async |file| {
///     let mut start = [0; 4];
///     file.read_exact(&mut start).await?;
///     io::Result::Ok(start)
/// });
/// assert_eq!(&start.await?, b"//! ");
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Errors
///
/// Entering fails as opening does, with the kind and a [`PathError`](crate::PathError): the file is not there, is a directory, may not be read.
/// The exit closes and cannot fail, for nothing was written.
///
/// # Cancel safety
///
/// Opening cannot be cut half-way: dropped, it goes on, and the file is closed.
#[track_caller]
pub fn open<R: Runtime>(rt: &R, path: impl AsRef<Path>) -> Protected<OpenFile<R>> {
    let mut options = OpenOptions::new();
    options.read(true);
    OpenFile {
        rt: rt.clone(),
        path: path.as_ref().to_path_buf(),
        options,
        reads: true,
        writes: false,
    }
    .protected()
}

/// A scope around the file at `path`, open for writing: made if it is not there, emptied if it is.
///
/// See [`File`] for what the body can do with it and what happens at the exit.
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
/// fs::temp_dir(&rt).with(async |dir| {
///     let path = dir.path().join("numbers");
///     fs::create(&rt, &path).with(async |file| {
///         for n in 0..1000 {
///             file.write_all(format!("{n}\n").as_bytes()).await?;
///         }
///         io::Result::Ok(())
///     }).await?;
///     assert!(std::fs::read_to_string(&path)?.ends_with("998\n999\n"));
///     io::Result::Ok(())
/// }).await
/// # }).unwrap();
/// ```
///
/// # Errors
///
/// Entering fails as opening does, with the kind and a [`PathError`](crate::PathError): its directory is not there, it is a directory, it may not be written.
/// The exit fails if something that was accepted could not be written.
///
/// # Cancel safety
///
/// Opening cannot be cut half-way: dropped, it goes on, and the file is closed.
/// The file stays: it is empty then.
#[track_caller]
pub fn create<R: Runtime>(rt: &R, path: impl AsRef<Path>) -> Protected<OpenFile<R>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    OpenFile {
        rt: rt.clone(),
        path: path.as_ref().to_path_buf(),
        options,
        reads: false,
        writes: true,
    }
    .protected()
}

/// The scope of [`open`] and [`create`].
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct OpenFile<R> {
    rt: R,
    path: PathBuf,
    options: OpenOptions,
    reads: bool,
    writes: bool,
}

impl<R: Runtime> Scope for OpenFile<R> {
    type Guard = File<R>;
    type Error = io::Error;
    type Verdict = Propagate;

    async fn enter(self) -> io::Result<File<R>> {
        let Self { path, options, .. } = self;
        let opening = self.rt.unblock(move || Handle::open(&options, path));
        let handle = opening.await?;
        Ok(File::new(self.rt, handle, self.reads, self.writes))
    }

    async fn exit(file: File<R>, _: Outcome<'_>) -> io::Result<Propagate> {
        file.close().await?;
        Ok(Propagate)
    }
}
