//! What was read and not yet asked for.

use std::io;

use super::handle::Handle;
use super::{BUFFER, PIECE};

/// The bytes of a file from its position on, as far as they have been read.
///
/// What was handed out stays in front of them until the next fetch, for seeks back.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the last fetch has met the end of the file.
    pub(crate) ended: bool,
    /// Why the last fetch has stopped early, if nobody has been told.
    pub(crate) error: Option<io::Error>,
}

impl Ahead {
    pub(crate) fn available(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Hands out as much as fits into `out`.
    pub(crate) fn take(&mut self, out: &mut [u8]) -> usize {
        let n = out.len().min(self.end - self.start);
        out[..n].copy_from_slice(&self.bytes[self.start..self.start + n]);
        self.start += n;
        n
    }

    /// Hands out everything, appended to `out`.
    pub(crate) fn take_all(&mut self, out: &mut Vec<u8>) -> usize {
        let n = self.end - self.start;
        if out.is_empty() && self.start == 0 && n > self.bytes.len() / 2 {
            *out = std::mem::take(&mut self.bytes);
            out.truncate(n);
        } else {
            out.extend_from_slice(self.available());
        }
        self.discard();
        // A whole file may have been in it.
        self.bytes.truncate(PIECE);
        self.bytes.shrink_to(PIECE);
        n
    }

    /// Forgets everything.
    pub(crate) fn discard(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Follows the position of the file from one place to another.
    pub(crate) fn follow(&mut self, from: u64, to: u64) {
        let behind = self.start as u64;
        let ahead = (self.end - self.start) as u64;
        let start = (to + behind).checked_sub(from);
        match start {
            Some(start) if start <= behind + ahead => self.start = start as usize,
            _ => self.discard(),
        }
    }

    /// Reads on, from `offset`, until `wanted` bytes are available or it is enough for one hop.
    ///
    /// `hint` is how much the caller would take at once.
    pub(crate) fn fetch(&mut self, handle: &Handle, offset: u64, wanted: usize, hint: usize) {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let had = self.end;
        let room = had + hint.max(had).clamp(BUFFER, PIECE);
        if self.bytes.is_empty() {
            // Zeroed by the operating system, page by page as they are used.
            self.bytes = vec![0; room];
        } else if self.bytes.len() < room {
            self.bytes.resize(room, 0);
        }
        self.ended = false;
        self.error = None;
        while self.end < wanted.min(room) {
            let at = offset + (self.end - had) as u64;
            match handle.read(&mut self.bytes[self.end..room], at) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(n) => self.end += n,
                Err(error) => {
                    self.error = Some(error);
                    break;
                }
            }
        }
    }
}
