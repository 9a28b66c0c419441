//! Errors that name their path.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What could not be done with which path: the inside of every [`io::Error`] of this crate.
///
/// The kind of the outer error is that of the [cause](PathError::cause).
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
/// let missing = fs::open(&rt, "/nowhere/at all").with(async |_| io::Result::Ok(())).await;
/// let error = missing.unwrap_err();
/// assert_eq!(error.kind(), io::ErrorKind::NotFound);
/// assert!(error.to_string().starts_with("cannot open /nowhere/at all: "));
/// assert_eq!(fs::PathError::of(&error).unwrap().path().as_os_str(), "/nowhere/at all");
/// # });
/// ```
#[derive(Debug)]
pub struct PathError {
    action: &'static str,
    path: PathBuf,
    cause: io::Error,
}

impl PathError {
    /// The inside of `error`, if it is one of this crate.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The path that it happened to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the operating system said, with its code.
    pub fn cause(&self) -> &io::Error {
        &self.cause
    }

    /// Says of `cause` that it came up when this was done to `path`.
    #[cold]
    pub(crate) fn wrap(action: &'static str, path: &Path, cause: io::Error) -> io::Error {
        io::Error::new(
            cause.kind(),
            Self {
                action,
                path: path.to_path_buf(),
                cause,
            },
        )
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The cause is on this level: most programs print no more of an `io::Error` than that.
        write!(
            f,
            "cannot {} {}: {}",
            self.action,
            self.path.display(),
            self.cause
        )
    }
}

impl Error for PathError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}
