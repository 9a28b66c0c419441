//! What was accepted and not yet written.

use std::io;

use super::BUFFER;
use super::handle::Handle;

/// Bytes, and where they belong.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    bytes: Vec<u8>,
    offset: u64,
}

impl Piece {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Writes it. What could not be written stays in it.
    pub(crate) fn write(&mut self, handle: &Handle) -> io::Result<()> {
        let mut done = 0;
        let mut result = Ok(());
        while done < self.bytes.len() {
            match handle.write(&self.bytes[done..], self.offset + done as u64) {
                Ok(n) => done += n,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        self.bytes.drain(..done);
        self.offset += done as u64;
        result
    }
}

/// The bytes that follow those in flight.
#[derive(Debug, Default)]
pub(crate) struct Behind {
    piece: Piece,
    /// The memory for the next piece.
    spare: Vec<u8>,
    /// Why the last write has failed, if nobody has been told. What it left is in the piece again.
    pub(crate) error: Option<io::Error>,
}

impl Behind {
    pub(crate) fn is_empty(&self) -> bool {
        self.piece.is_empty()
    }

    /// Whether it is worth a hop.
    pub(crate) fn is_full(&self) -> bool {
        self.piece.bytes.len() >= BUFFER
    }

    pub(crate) fn has_room(&self, n: usize) -> bool {
        self.is_empty() || self.piece.bytes.len() + n <= BUFFER
    }

    /// Accepts `bytes`, which follow on what is there.
    pub(crate) fn push(&mut self, offset: u64, bytes: &[u8]) {
        if self.is_empty() {
            self.piece.offset = offset;
        }
        self.piece.bytes.extend_from_slice(bytes);
    }

    /// Takes what is there, to be written.
    pub(crate) fn take(&mut self) -> Piece {
        let next = Piece {
            bytes: std::mem::take(&mut self.spare),
            offset: 0,
        };
        std::mem::replace(&mut self.piece, next)
    }

    /// Takes in what is left of a piece, which goes in front of everything that was accepted since.
    pub(crate) fn put_back(&mut self, mut piece: Piece, written: io::Result<()>) {
        if let Err(error) = written {
            piece.bytes.append(&mut self.piece.bytes);
            std::mem::swap(&mut piece, &mut self.piece);
            self.error = Some(error);
        }
        self.spare = piece.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_write_has_left_goes_in_front() {
        let mut behind = Behind::default();
        behind.push(10, b"abcdef");
        let mut flying = behind.take();
        behind.push(16, b"ghi");
        behind.push(19, b"jkl");
        // As `write` leaves it after two bytes.
        flying.bytes.drain(..2);
        flying.offset += 2;
        behind.put_back(flying, Err(io::ErrorKind::StorageFull.into()));
        assert_eq!(
            (behind.piece.offset, &*behind.piece.bytes),
            (12, &b"cdefghijkl"[..])
        );
        assert!(behind.error.take().is_some());
    }

    #[test]
    fn the_memory_of_a_written_piece_is_used_again() {
        let mut behind = Behind::default();
        behind.push(0, &[1; BUFFER]);
        let mut flying = behind.take();
        flying.bytes.clear();
        behind.put_back(flying, Ok(()));
        behind.push(0, b"x");
        drop(behind.take());
        assert!(behind.piece.bytes.capacity() >= BUFFER);
    }
}
