//! Handles that do not keep a stack alive.

use std::fmt;
use std::sync::Weak;

use crate::verdict::{Propagate, Verdict};

use super::ExitStack;
use super::list::Shared;

/// A handle on an [`ExitStack`] that does not keep it alive: see [`ExitStack::handle`].
pub struct StackHandle<V: Verdict = Propagate>(pub(super) Weak<Shared<V>>);

impl<V: Verdict> StackHandle<V> {
    /// The stack, to add to it or to close it; `None` if it is gone.
    ///
    /// Dropping what this gives does not close the stack.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use withal::{ExitStack, Report};
    ///
    /// # withal_testing::block_on(async {
    /// ExitStack::with(async |stack| {
    ///     let handle = stack.handle();
    ///     stack.defer(async move || {
    ///         if let Some(stack) = handle.stack() {
    ///             stack.callback(|| println!("added while unwinding: runs next"));
    ///         }
    ///     });
    ///     Ok::<_, Report>(())
    /// })
    /// .await
    /// # }).unwrap();
    /// ```
    pub fn stack(&self) -> Option<ExitStack<V>> {
        let shared = self.0.upgrade()?;
        Some(ExitStack {
            shared,
            owns: false,
        })
    }
}

impl<V: Verdict> Clone for StackHandle<V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<V: Verdict> fmt::Debug for StackHandle<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StackHandle")
    }
}
