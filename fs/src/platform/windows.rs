//! Windows.

use std::fs::File;
use std::io;
use std::os::windows::fs::FileExt;

use tempfile::Builder;

// Both move the cursor of the file, which nobody uses.
pub(crate) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(bytes, offset)
}

pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    file.seek_write(bytes, offset)
}

/// The directory for temporary files belongs to the user already.
pub(crate) fn keep_private(_: &mut Builder<'_, '_>) {}
