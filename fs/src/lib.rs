//! Files and directories as async scopes, on every runtime.
//!
//! * [`open()`] and [`create`] are scopes around a [`File`].
//! * [`temp_dir()`] is a scope around a directory that is removed at its end.
//!
//! Applications use them as `withal::fs`, behind the feature `fs`.
//!
//! # Examples
//!
//! ```
//! # use withal_core as withal;
//! # use withal_fs as fs;
//! use std::io;
//! use withal::{Runtime, ScopeExt};
//!
//! async fn greet<R: Runtime>(rt: &R) -> io::Result<String> {
//!     fs::temp_dir(rt).with(async |dir| {
//!         let path = dir.path().join("greeting");
//!         fs::create(rt, &path).with(async |file| file.write_all(b"hello").await).await?;
//!         fs::open(rt, &path).with(async |file| {
//!             let mut text = String::new();
//!             file.read_to_string(&mut text).await?;
//!             io::Result::Ok(text)
//!         }).await
//!     }).await
//! }
//! # withal_testing::run(|rt| async move {
//! assert_eq!(greet(&rt).await?, "hello");
//! # io::Result::Ok(()) }).unwrap();
//! ```
//!
//! # No lost write
//!
//! A file type that buffers has a problem without an async exit: what is in the buffer when it is dropped is lost, and so is the error of writing it.
//! Here the exit waits for what is in flight, writes what is left, closes, and reports the error, however the body ended: by success, error, panic or cancellation.
//!
//! # One file for all runtimes
//!
//! A [`File`] is a `std::fs::File` whose every operation runs on the runtime's threads for [blocking](withal_core::Blocking) work.
//! A hop to such a thread costs much more than a small read or write, so that a file reads ahead and writes behind: one hop for 256 KiB.
//! The hop in flight belongs to the file and not to the future that waits for it: dropping the future loses nothing.

mod error;
mod file;
mod open;
mod platform;
mod temp_dir;

pub use error::PathError;
pub use file::File;
pub use open::{OpenFile, create, open};
pub use temp_dir::{MakeTempDir, TempDir, temp_dir};
