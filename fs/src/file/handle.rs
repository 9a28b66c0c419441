//! The open file of the operating system. Everything here blocks.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::PathError;
use crate::platform;

/// An open file, and how it is to be read and written.
#[derive(Debug)]
pub(crate) struct Handle {
    file: File,
    path: PathBuf,
    /// Whether it has positions; pipes and terminals have none.
    seekable: bool,
}

impl Handle {
    pub(crate) fn open(options: &OpenOptions, path: PathBuf) -> io::Result<Self> {
        let opened = options.open(&path).and_then(|file| {
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                // Some systems open it and fail at the first read.
                return Err(io::ErrorKind::IsADirectory.into());
            }
            let seekable = metadata.is_file() || (&file).stream_position().is_ok();
            Ok((file, seekable))
        });
        match opened {
            Ok((file, seekable)) => Ok(Self {
                file,
                path,
                seekable,
            }),
            Err(error) => Err(PathError::wrap("open", &path, error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn is_seekable(&self) -> bool {
        self.seekable
    }

    pub(crate) fn error(&self, action: &'static str, cause: impl Into<io::Error>) -> io::Error {
        PathError::wrap(action, &self.path, cause.into())
    }

    /// Reads once; 0 is the end of the file.
    pub(crate) fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        uninterrupted(|| {
            if self.seekable {
                platform::read_at(&self.file, bytes, offset)
            } else {
                (&self.file).read(bytes)
            }
        })
    }

    /// Writes once; at least one byte.
    pub(crate) fn write(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let written = uninterrupted(|| {
            if self.seekable {
                platform::write_at(&self.file, bytes, offset)
            } else {
                (&self.file).write(bytes)
            }
        })?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(written)
    }
}

fn uninterrupted(mut io: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match io() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
