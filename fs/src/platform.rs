//! What std offers under a different name on each platform.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::{keep_private, read_at, write_at};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::{keep_private, read_at, write_at};
