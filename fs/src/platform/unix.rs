//! Unix.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, PermissionsExt};

use tempfile::Builder;

pub(crate) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    file.read_at(bytes, offset)
}

pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    file.write_at(bytes, offset)
}

/// Keeps other users out of what `builder` makes.
pub(crate) fn keep_private(builder: &mut Builder<'_, '_>) {
    builder.permissions(Permissions::from_mode(0o700));
}
