//! Handles by which one part of a program cancels another.

pub(crate) mod cancellable;
pub(crate) mod on_drop;
pub(crate) mod signal;
mod tree;

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::outcome::Reason;

use on_drop::CancelOnDrop;
use signal::CancelSignal;
use tree::Node;

/// A handle by which a body, or several of them, are cancelled from anywhere.
///
/// Clones are the same handle. [`cancelled`](CancelHandle::cancelled) is the signal for [`until`](crate::until); where there is one body only, [`cancellable`](crate::cancellable) makes both.
/// A cancelled handle stays cancelled: the first reason wins, and later ones change nothing.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{CancelHandle, Reason, until};
///
/// # withal_testing::block_on(async {
/// let shop = CancelHandle::new();
/// let counter = shop.child();
/// let serving = until(counter.cancelled(), std::future::pending::<()>());
///
/// shop.cancel("it is late");
/// shop.cancel("there is a fire"); // changes nothing any more
/// let stopped = serving.await.unwrap_err();
/// assert_eq!(stopped.cancelled().reason, Reason::Requested("it is late"));
/// # });
/// ```
///
/// # Drop behavior
///
/// Nothing is cancelled: whoever waits for a handle whose clones are all gone waits on, until one further up is cancelled.
/// [`cancel_on_drop`](CancelHandle::cancel_on_drop) gives a guard that cancels.
#[derive(Clone)]
pub struct CancelHandle {
    node: Arc<Node>,
}

impl CancelHandle {
    /// A handle that is not cancelled and has no parent.
    pub fn new() -> Self {
        Self {
            node: Node::new(OnceLock::new(), None),
        }
    }

    /// Cancels, with [`Reason::Requested`]; `why` is what exits and errors say.
    ///
    /// When the first call returns, all children are cancelled, too, and whoever waits has been woken.
    pub fn cancel(&self, why: &'static str) {
        self.cancel_with(Reason::Requested(why));
    }

    /// Cancels, with any reason.
    pub fn cancel_with(&self, reason: Reason) {
        tree::cancel(&self.node, reason);
    }

    /// Whether it is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.reason().is_some()
    }

    /// Why it was cancelled, if it was.
    pub fn reason(&self) -> Option<Reason> {
        self.node.reason()
    }

    /// A handle that is cancelled with this one, and by itself; cancelling it does not cancel this one.
    ///
    /// A child that is dropped leaves nothing behind.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// let server = withal::CancelHandle::new();
    /// let (one, other) = (server.child(), server.child());
    /// one.cancel("the client has gone");
    /// assert!(!server.is_cancelled() && !other.is_cancelled());
    /// server.cancel("maintenance");
    /// assert!(other.is_cancelled());
    /// ```
    pub fn child(&self) -> Self {
        Self {
            node: tree::child(&self.node),
        }
    }

    /// Waits until it is cancelled, and gives the reason: the signal for [`until`](crate::until).
    pub fn cancelled(&self) -> CancelSignal {
        CancelSignal::new(self.node.clone())
    }

    /// A guard that cancels when it is dropped, unless it is [disarmed](CancelOnDrop::disarm).
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// let helpers = withal::CancelHandle::new();
    /// {
    ///     let _guard = helpers.clone().cancel_on_drop();
    ///     // However this block ends: by its end, by `?`, by a panic.
    /// }
    /// assert!(helpers.is_cancelled());
    /// ```
    pub fn cancel_on_drop(self) -> CancelOnDrop {
        CancelOnDrop::new(self)
    }
}

impl Default for CancelHandle {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle")
            .field("reason", &self.reason())
            .field("listeners", &self.node.listeners())
            .finish()
    }
}
