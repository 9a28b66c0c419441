//! The one file of core that names a runtime: tokio as a home, and tokio's drivers for the fallback thread.

use tokio::runtime::{Builder, Handle};

use super::Orphan;

/// A runtime that is a home.
#[derive(Clone)]
pub(crate) struct Runtime(Handle);

/// Which runtime.
pub(crate) type Id = tokio::runtime::Id;

impl Runtime {
    /// The runtime around the caller, if there is one.
    pub(super) fn current() -> Option<Self> {
        Handle::try_current().ok().map(Self)
    }

    pub(super) fn id(&self) -> Id {
        self.0.id()
    }

    /// Has the runtime finish `orphan`. One that is closing drops it, also silently; then the fallback thread has it.
    pub(super) fn finish(&self, orphan: Orphan) {
        drop(self.0.spawn(orphan));
    }
}

/// Runs `drive` on this thread with a timer and sockets of its own; gives it back if there can be none.
pub(super) fn block_on<F: Future>(drive: F) -> Result<F::Output, F> {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => Ok(runtime.block_on(drive)),
        Err(_) => Err(drive),
    }
}
