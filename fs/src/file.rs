//! The file, as its users see it. How it works is in `hops`.

mod ahead;
mod behind;
mod flight;
pub(crate) mod handle;
mod hops;

use std::fmt;
use std::fs::Metadata;
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use withal_core::Runtime;

use ahead::Ahead;
use behind::Behind;
use flight::Flight;
use handle::Handle;

/// How much is read ahead, and how much is collected before it is written.
const BUFFER: usize = 256 * 1024;

/// The most that one hop reads or writes, but for what a failed write has left.
const PIECE: usize = 2 * 1024 * 1024;

/// An open file, of one kind for all runtimes: the guard of [`open`](crate::open()) and [`create`](crate::create).
///
/// It reads ahead and writes behind, 256 KiB at a time.
/// What was accepted from a writer is written in the background, in order; a failure comes up at a later write, at [`flush`](File::flush) or at the latest at the exit.
/// What a failed write has left stays accepted, and is tried again by whatever comes next, the exit included.
///
/// The exit waits for what is in flight, writes what was accepted, closes, and reports the error.
/// It does not wait for the disk: that is [`sync_all`](File::sync_all).
/// It does not hear of errors of the close itself either, for std ignores them; where they matter, as on network file systems, [`sync_all`](File::sync_all) hears of them first.
///
/// Pipes, terminals and other devices work, too; what has no positions cannot be sought in.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// # use withal_fs as fs;
/// use std::io;
/// use std::path::Path;
/// use withal::{Runtime, ScopeExt};
///
/// // Copies in chunks of 1000 bytes, with a hop for every 256 KiB.
/// async fn copy<R: Runtime>(rt: &R, from: &Path, to: &Path) -> io::Result<()> {
///     fs::open(rt, from).with(async |from| {
///         fs::create(rt, to).with(async |to| {
///             let mut chunk = [0; 1000];
///             loop {
///                 let n = from.read(&mut chunk).await?;
///                 if n == 0 {
///                     return Ok(());
///                 }
///                 to.write_all(&chunk[..n]).await?;
///             }
///         }).await
///     }).await
/// }
/// # withal_testing::run(|rt| async move {
/// # fs::temp_dir(&rt).with(async |dir| {
/// #     let copied = dir.path().join("copy");
/// #     copy(&rt, "src/file.rs".as_ref(), &copied).await?;
/// #     assert_eq!(std::fs::read(&copied)?, std::fs::read("src/file.rs")?);
/// #     io::Result::Ok(())
/// # }).await
/// # }).unwrap();
/// ```
///
/// # Cancel safety
///
/// The hop in flight belongs to the file, not to the future that waits for it.
/// An operation that is dropped half-way loses neither the handle nor the position, and nothing that was accepted or read; the next operation waits for what is in flight and goes on from there.
/// An error of a dropped operation is that of the next one, or of the exit.
///
/// # Drop behavior
///
/// The exit of a dropped scope still runs.
/// A hard drop of `with_local` alone drops the file itself: then it is closed, and what was not flushed is lost.
pub struct File<R> {
    rt: R,
    handle: Arc<Handle>,
    reads: bool,
    writes: bool,
    /// Where the next byte is read or written.
    position: u64,
    ahead: Ahead,
    behind: Behind,
    flight: Option<Flight>,
}

impl<R> File<R> {
    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        self.handle.path()
    }

    /// Where the next byte is read or written.
    pub fn position(&self) -> u64 {
        self.position
    }
}

impl<R: Runtime> File<R> {
    pub(crate) fn new(rt: R, handle: Handle, reads: bool, writes: bool) -> Self {
        Self {
            rt,
            handle: Arc::new(handle),
            reads,
            writes,
            position: 0,
            ahead: Ahead::default(),
            behind: Behind::default(),
            flight: None,
        }
    }

    /// Reads some bytes into `out` and says how many; 0 is the end of the file.
    ///
    /// # Errors
    ///
    /// If reading fails, or the writing of what was accepted before.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing has been taken from the file.
    pub async fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        self.fill(1, out.len()).await?;
        let n = self.ahead.take(out);
        self.position += n as u64;
        Ok(n)
    }

    /// Fills `out`.
    ///
    /// # Errors
    ///
    /// As [`read`](File::read), and [`ErrorKind::UnexpectedEof`] if the file ends before; then nothing is taken from it.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing has been taken from the file.
    pub async fn read_exact(&mut self, out: &mut [u8]) -> io::Result<()> {
        self.fill(out.len(), out.len()).await?;
        if self.ahead.available().len() < out.len() {
            return Err(self.handle.error("read", ErrorKind::UnexpectedEof));
        }
        self.position += self.ahead.take(out) as u64;
        Ok(())
    }

    /// Reads everything up to the end of the file, appends it to `out`, and says how much it was.
    ///
    /// # Errors
    ///
    /// As [`read`](File::read); then `out` is as before and nothing is taken from the file.
    ///
    /// # Cancel safety
    ///
    /// Dropped, `out` is as before and nothing has been taken from the file.
    pub async fn read_to_end(&mut self, out: &mut Vec<u8>) -> io::Result<usize> {
        self.fill(usize::MAX, 0).await?;
        let n = self.ahead.take_all(out);
        self.position += n as u64;
        Ok(n)
    }

    /// Reads everything up to the end of the file as text, appends it to `out`, and says how many bytes it was.
    ///
    /// # Errors
    ///
    /// As [`read`](File::read), and [`ErrorKind::InvalidData`] if it is not UTF-8; then `out` is as before and nothing is taken from the file.
    ///
    /// # Cancel safety
    ///
    /// Dropped, `out` is as before and nothing has been taken from the file.
    pub async fn read_to_string(&mut self, out: &mut String) -> io::Result<usize> {
        self.fill(usize::MAX, 0).await?;
        match std::str::from_utf8(self.ahead.available()) {
            Ok(text) => out.push_str(text),
            Err(error) => {
                let error = io::Error::new(ErrorKind::InvalidData, error);
                return Err(self.handle.error("read the text of", error));
            }
        }
        let n = self.ahead.take_all(&mut Vec::new());
        self.position += n as u64;
        Ok(n)
    }

    /// Accepts bytes from `data` to be written and says how many: all, up to 2 MiB.
    ///
    /// # Errors
    ///
    /// If the file is not open for writing, or if writing what was accepted before has failed; then nothing of `data` is accepted.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing of `data` has been accepted.
    pub async fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if !self.writes {
            return Err(self.denied("write to", "it is not open for writing"));
        }
        let data = &data[..data.len().min(PIECE)];
        while !self.behind.has_room(data.len()) {
            self.land().await?;
            self.check_behind()?;
            if !self.behind.has_room(data.len()) {
                self.send_behind();
            }
        }
        self.discard_ahead();
        self.behind.push(self.position, data);
        self.position += data.len() as u64;
        if self.behind.is_full() && self.flight.is_none() {
            self.send_behind();
        }
        Ok(data.len())
    }

    /// Accepts all of `data` to be written.
    ///
    /// # Errors
    ///
    /// As [`write`](File::write); then a part of `data` may have been accepted, if it is larger than 2 MiB.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing of `data` has been accepted, or of more than 2 MiB a first part; [`position`](File::position) tells.
    /// What was accepted is written whole and in order.
    pub async fn write_all(&mut self, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            let n = self.write(data).await?;
            data = &data[n..];
        }
        Ok(())
    }

    /// Writes what was accepted, and waits until the operating system has it.
    ///
    /// # Errors
    ///
    /// If it cannot be written. What is left stays accepted, and the next flush tries again.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing is lost; writing goes on.
    pub async fn flush(&mut self) -> io::Result<()> {
        loop {
            self.land().await?;
            self.check_behind()?;
            if self.behind.is_empty() {
                return Ok(());
            }
            self.send_behind();
        }
    }

    /// Writes what was accepted, and waits until the disk has it, with the metadata.
    ///
    /// # Errors
    ///
    /// As [`flush`](File::flush), and if the disk reports a failure.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it goes on; its error is that of the next operation, or of the exit.
    pub async fn sync_all(&mut self) -> io::Result<()> {
        self.ask("sync", std::fs::File::sync_all).await
    }

    /// Moves the position, and says where it is then.
    ///
    /// # Errors
    ///
    /// If it would lie before the start of the file, if the file has no positions, or as [`flush`](File::flush).
    ///
    /// # Cancel safety
    ///
    /// Dropped, the position is as before.
    pub async fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.flush().await?;
        if !self.handle.is_seekable() {
            return Err(self.handle.error("seek in", ErrorKind::NotSeekable));
        }
        let target = match to {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            // This moves the cursor of the operating system, which nothing else uses.
            end @ SeekFrom::End(_) => {
                Some(self.ask("seek in", move |mut file| file.seek(end)).await?)
            }
        };
        let Some(target) = target.filter(|target| i64::try_from(*target).is_ok()) else {
            return Err(self.handle.error("seek in", ErrorKind::InvalidInput));
        };
        self.ahead.follow(self.position, target);
        self.position = target;
        Ok(target)
    }

    /// Cuts the file off at `len`, or fills it up with zeros. The position stays.
    ///
    /// # Errors
    ///
    /// If the file is not open for writing, if there is no room, or as [`flush`](File::flush).
    ///
    /// # Cancel safety
    ///
    /// Dropped, it is done or not; its error is that of the next operation, or of the exit.
    pub async fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.flush().await?;
        self.discard_ahead();
        self.ask("set the length of", move |file| file.set_len(len))
            .await
    }

    /// The metadata of the file, everything that was accepted included.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or as [`flush`](File::flush).
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing has changed.
    pub async fn metadata(&mut self) -> io::Result<Metadata> {
        self.ask("read the metadata of", std::fs::File::metadata)
            .await
    }
}

impl<R> fmt::Debug for File<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("path", &self.path())
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
