//! What is told of a scope while it is open: its listing in the inventory (feature `inspect`), its span (feature `tracing`).
//!
//! Without a feature its part is no byte, and does nothing.

use std::borrow::Cow;
use std::panic::Location;

use crate::bracket::Bracket;
use crate::frame;
use crate::inspect::Listing;
use crate::slot::Fate;

#[cfg(not(feature = "tracing"))]
#[path = "watch/no_span.rs"]
mod span;
#[cfg(feature = "tracing")]
#[path = "watch/span.rs"]
mod span;

pub(crate) use span::{Inside, Trace};

/// The part of a scope that watches it, from its enter on.
pub(crate) struct Watch {
    pub(crate) listing: Listing,
    pub(crate) trace: Trace,
}

impl Watch {
    /// Nothing is told.
    pub(crate) const NONE: Self = Self {
        listing: Listing::NONE,
        trace: Trace::NONE,
    };

    /// A scope begins to enter.
    #[inline(always)]
    pub(crate) fn enter<B: Bracket>(tag: &B::Tag, location: &'static Location<'static>) -> Self {
        Self {
            listing: Listing::enter::<B>(tag, location),
            trace: Trace::enter(|| B::name(tag), location),
        }
    }

    /// What has no frame of its own has entered: an entry of a stack.
    #[inline(always)]
    pub(crate) fn entered(&mut self) {
        self.listing.entered(0, frame::birth());
        self.trace.entered();
    }

    /// Its body has ended, so: the exit goes on with the span.
    #[inline(always)]
    pub(crate) fn leave(&mut self, fate: &Fate) -> Trace {
        self.listing.leave();
        self.trace.ended(fate);
        std::mem::take(&mut self.trace)
    }

    /// Something else with this name begins to enter.
    #[inline(always)]
    pub(crate) fn enter_called(
        name: impl Fn() -> Cow<'static, str>,
        location: &'static Location<'static>,
    ) -> Self {
        Self {
            listing: Listing::enter_called(&name, location),
            trace: Trace::enter(name, location),
        }
    }
}
