//! The current span of `tracing`.

use tracing::Span;

/// The span in which a scope was entered.
pub(super) struct Ambient(Span);

impl Ambient {
    /// Whether there may be one at all.
    #[inline(always)]
    pub(super) fn any() -> bool {
        tracing::dispatcher::has_been_set()
    }

    pub(super) fn here() -> Self {
        Self(Span::current())
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn around<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.in_scope(f)
    }
}
