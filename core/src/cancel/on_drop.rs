//! A guard that cancels.

use crate::cancel::CancelHandle;

/// Cancels a handle when it is dropped: see [`CancelHandle::cancel_on_drop`].
///
/// # Drop behavior
///
/// Cancels, with [`Reason::Requested`](crate::Reason::Requested), unless it is disarmed.
#[derive(Debug)]
#[must_use = "it cancels as soon as it is dropped"]
pub struct CancelOnDrop {
    handle: CancelHandle,
    armed: bool,
}

impl CancelOnDrop {
    pub(super) fn new(handle: CancelHandle) -> Self {
        Self {
            handle,
            armed: true,
        }
    }

    /// Gives the handle back without cancelling it.
    pub fn disarm(mut self) -> CancelHandle {
        self.armed = false;
        self.handle.clone()
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if self.armed {
            self.handle.cancel("its guard was dropped");
        }
    }
}
