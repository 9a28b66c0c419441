//! The hop to a blocking thread that is under way.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use withal_core::Blocking;

use super::ahead::Ahead;
use super::behind::Piece;
use super::handle::Handle;

/// What a hop comes back with.
#[derive(Debug)]
pub(crate) enum Landed {
    /// What was read, in addition to what was there.
    Read(Ahead),
    /// What is left of the piece, and why.
    Wrote(Piece, io::Result<()>),
    /// Anything else, with its error if it failed.
    Did(io::Result<()>),
}

/// A hop under way. It goes on by itself; this only waits for it.
///
/// The lock is never taken: it makes the future `Sync`.
pub(crate) struct Flight(Mutex<Pin<Box<dyn Future<Output = Landed> + Send>>>);

impl Flight {
    pub(crate) fn start<R, F>(rt: &R, handle: &Arc<Handle>, work: F) -> Self
    where
        R: Blocking,
        F: FnOnce(&Handle) -> Landed + Send + 'static,
    {
        let handle = handle.clone();
        let landed = rt.unblock(move || work(&handle));
        Self(Mutex::new(Box::pin(landed)))
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Landed> {
        let future = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        future.as_mut().poll(cx)
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flight")
    }
}
