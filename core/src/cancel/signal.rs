//! Waiting for a handle to be cancelled.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::tree::Node;
use crate::outcome::Reason;

/// Waits until a handle is cancelled: see [`CancelHandle::cancelled`](crate::CancelHandle::cancelled).
///
/// It gives the reason at each poll after that, too.
///
/// # Drop behavior
///
/// It waits no more, and leaves nothing behind.
#[must_use = "futures do nothing unless polled"]
pub struct CancelSignal {
    node: Arc<Node>,
    number: Option<u64>,
}

impl CancelSignal {
    pub(super) fn new(node: Arc<Node>) -> Self {
        Self { node, number: None }
    }
}

impl Future for CancelSignal {
    type Output = Reason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reason> {
        let Self { node, number } = &mut *self;
        node.poll(number, cx.waker())
    }
}

impl Drop for CancelSignal {
    fn drop(&mut self) {
        if let Some(number) = self.number.take() {
            self.node.forget(number);
        }
    }
}

impl fmt::Debug for CancelSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelSignal")
            .field("reason", &self.node.reason())
            .finish_non_exhaustive()
    }
}
