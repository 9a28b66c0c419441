//! How a file works: hops to the runtime's blocking threads, one at a time.
//!
//! 1. **One hop** is in flight at most, and it belongs to the file: whoever starts the next one waits for it and takes in what it brings.
//! 2. **Order**: what was accepted is written in the order in which it was accepted, also when a write fails half-way: what it has left goes in front again.
//! 3. **Position**: the bytes of `ahead` begin at the position, those of `behind` end there. What is handed to a user, or accepted from one, moves the position in the same step, without an await.
//! 4. **Nothing stale**: everything that reads, asks or seeks flushes first, and everything that writes forgets what was read ahead.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::sync::mpsc;
use std::task::Poll;

use withal_core::Runtime;

use super::File;
use super::flight::{Flight, Landed};
use super::handle::Handle;

impl<R: Runtime> File<R> {
    /// The exit: one hop that writes what is left and closes.
    pub(crate) async fn close(mut self) -> io::Result<()> {
        let landed = self.land().await;
        // A write that has failed is tried once more: what it has left is in here again.
        let mut rest = self.behind.take();
        let handle = self.handle;
        let closing = self
            .rt
            .unblock(move || match (rest.write(&handle), landed) {
                (Ok(()), landed) => landed,
                (Err(error), Ok(())) => Err(handle.error("write to", error)),
                (Err(error), Err(earlier)) => {
                    let both = format!("{error}; and before that: {earlier}");
                    Err(handle.error("write to", io::Error::new(error.kind(), both)))
                }
            });
        closing.await
    }

    /// Makes `wanted` bytes available, or as many as there are up to the end of the file.
    ///
    /// They are in the file's own memory until they are taken, so that a reader who goes away loses none.
    pub(super) async fn fill(&mut self, wanted: usize, hint: usize) -> io::Result<()> {
        if !self.reads {
            return Err(self.denied("read", "it is not open for reading"));
        }
        self.flush().await?;
        while self.ahead.available().len() < wanted {
            let mut ahead = std::mem::take(&mut self.ahead);
            let offset = self.position + ahead.available().len() as u64;
            self.send(move |handle| {
                ahead.fetch(handle, offset, wanted, hint);
                Landed::Read(ahead)
            });
            self.land().await?;
            if let Some(error) = self.ahead.error.take() {
                return Err(self.handle.error("read", error));
            }
            if self.ahead.ended {
                break;
            }
        }
        Ok(())
    }

    /// Does something else with the file, in a hop of its own, after everything that was accepted before.
    pub(super) async fn ask<T, F>(&mut self, action: &'static str, work: F) -> io::Result<T>
    where
        F: FnOnce(&std::fs::File) -> io::Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.flush().await?;
        let (answer, answered) = mpsc::channel();
        self.send(move |handle| match work(handle.file()) {
            Ok(value) => {
                // Nobody is waiting any more if it cannot be sent.
                let _ = answer.send(value);
                Landed::Did(Ok(()))
            }
            Err(error) => Landed::Did(Err(handle.error(action, error))),
        });
        self.land().await?;
        Ok(answered.recv().expect("work that succeeds answers"))
    }

    /// Sends what was accepted on its way.
    pub(super) fn send_behind(&mut self) {
        let mut piece = self.behind.take();
        self.send(move |handle| {
            let written = piece.write(handle);
            Landed::Wrote(piece, written)
        });
    }

    fn send(&mut self, work: impl FnOnce(&Handle) -> Landed + Send + 'static) {
        debug_assert!(self.flight.is_none(), "1: one hop at a time");
        self.flight = Some(Flight::start(&self.rt, &self.handle, work));
    }

    /// Waits for what is in flight, and takes in what it brings.
    ///
    /// The errors of reads and writes are kept in their places, for those whom they concern.
    pub(super) async fn land(&mut self) -> io::Result<()> {
        let landed = poll_fn(|cx| {
            // Taken out, so that it is not polled again should it panic.
            let Some(mut flight) = self.flight.take() else {
                return Poll::Ready(None);
            };
            let polled = flight.poll(cx).map(Some);
            if polled.is_pending() {
                self.flight = Some(flight);
            }
            polled
        })
        .await;
        match landed {
            Some(Landed::Read(ahead)) => {
                self.ahead = ahead;
                if !self.behind.is_empty() {
                    // 4: its reader has gone away, and something has been written since.
                    self.discard_ahead();
                }
            }
            Some(Landed::Wrote(rest, written)) => self.behind.put_back(rest, written),
            Some(Landed::Did(did)) => return did,
            None => {}
        }
        Ok(())
    }

    /// The error of the last write, once.
    pub(super) fn check_behind(&mut self) -> io::Result<()> {
        match self.behind.error.take() {
            Some(error) => Err(self.handle.error("write to", error)),
            None => Ok(()),
        }
    }

    /// Forgets what was read ahead, unless it cannot be read again.
    pub(super) fn discard_ahead(&mut self) {
        if self.handle.is_seekable() {
            self.ahead.discard();
        }
    }

    #[cold]
    pub(super) fn denied(&self, action: &'static str, reason: &'static str) -> io::Error {
        let cause = io::Error::new(ErrorKind::PermissionDenied, reason);
        self.handle.error(action, cause)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::SeekFrom;

    use withal_testing::{Manual, cut_after, run};

    use super::*;

    fn open(rt: &Manual, path: &std::path::Path) -> File<Manual> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let handle = Handle::open(&options, path.to_path_buf()).unwrap();
        File::new(rt.clone(), handle, true, true)
    }

    /// What the file must be like.
    #[derive(Default)]
    struct Model {
        content: Vec<u8>,
        position: usize,
    }

    impl Model {
        fn read(&mut self, out: &[u8]) {
            let from = self.position.min(self.content.len());
            assert!(self.content[from..].starts_with(out));
            assert!(
                !out.is_empty() || from == self.content.len(),
                "not at the end"
            );
            self.position += out.len();
        }

        fn write(&mut self, data: &[u8]) {
            let end = self.position + data.len();
            if !data.is_empty() && self.content.len() < end {
                self.content.resize(end, 0);
            }
            self.content[self.position.min(end)..end].copy_from_slice(data);
            self.position = end;
        }
    }

    async fn mix(rt: &Manual, seed: u64) {
        let place = tempfile::NamedTempFile::new().unwrap();
        let mut file = open(rt, place.path());
        let mut model = Model::default();
        let mut state = seed;
        let mut random = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize % below
        };
        for round in 0..60 {
            let polls = [1, 2, usize::MAX][random(3)];
            match random(8) {
                0..3 => {
                    let mut out = vec![0; 1 + random(120_000)];
                    if let Some(n) = cut_after(polls, file.read(&mut out)).await {
                        model.read(&out[..n.unwrap()]);
                    }
                }
                3..6 => {
                    let data = vec![round; 1 + random(200_000)];
                    let _ = cut_after(polls, file.write_all(&data)).await;
                    let n = file.position() as usize - model.position;
                    model.write(&data[..n]);
                }
                6 => {
                    let to = SeekFrom::Start(random(model.content.len() + 10) as u64);
                    if let Some(sought) = cut_after(polls, file.seek(to)).await {
                        model.position = sought.unwrap() as usize;
                    }
                }
                _ => {
                    let len = random(model.content.len() + 10);
                    match cut_after(polls, file.set_len(len as u64)).await {
                        Some(set) => set.unwrap(),
                        // Done or not: then once more.
                        None => file.set_len(len as u64).await.unwrap(),
                    }
                    model.content.resize(len, 0);
                }
            }
            assert_eq!(file.position(), model.position as u64);
        }
        file.close().await.unwrap();
        assert!(std::fs::read(place.path()).unwrap() == model.content);
    }

    #[test]
    fn reading_and_writing_may_be_mixed_and_cut() {
        run(|rt| async move {
            for seed in 0..15 {
                mix(&rt, seed).await;
            }
        });
    }

    #[test]
    fn a_cut_read_brings_nothing_that_was_cut_off() {
        let place = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(place.path(), "text").unwrap();
        run(|rt| async move {
            let mut file = open(&rt, place.path());
            let mut out = [0; 4];
            assert!(cut_after(1, file.read(&mut out)).await.is_none());
            file.set_len(2).await.unwrap();
            assert_eq!(file.read(&mut out).await.unwrap(), 2);
            file.close().await.unwrap();
        });
    }
}
