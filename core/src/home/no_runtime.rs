//! The twin of `tokio.rs` without the feature: no runtime is known, and the fallback thread drives by itself.

use std::convert::Infallible;

use super::Orphan;

/// There is no such home.
#[derive(Clone)]
pub(crate) struct Runtime(Infallible);

/// Stands in for what tells runtimes apart.
pub(crate) type Id = ();

impl Runtime {
    pub(super) fn current() -> Option<Self> {
        None
    }

    pub(super) fn id(&self) -> Id {
        match self.0 {}
    }

    pub(super) fn finish(&self, _: Orphan) {
        match self.0 {}
    }
}

pub(super) fn block_on<F: Future>(drive: F) -> Result<F::Output, F> {
    Err(drive)
}
