//! The twin of `inspect.rs` without the feature: nothing is noted, and a listing is no byte.

use std::borrow::Cow;
use std::panic::Location;

use crate::bracket::Bracket;
use crate::frame::Birth;
use crate::report::Label;

pub(crate) struct Listing;

impl Listing {
    pub(crate) const NONE: Self = Self;

    #[inline(always)]
    pub(crate) fn enter<B: Bracket>(_: &B::Tag, _: &'static Location<'static>) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn enter_called(
        _: impl FnOnce() -> Cow<'static, str>,
        _: &'static Location<'static>,
    ) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn entered(&self, _: u32, _: Birth) {}

    #[inline(always)]
    pub(crate) fn rebase(&self, _: Birth) {}

    #[inline(always)]
    pub(crate) fn leave(&self) {}

    #[inline(always)]
    pub(crate) fn orphan(&mut self, _: &Label, _: Birth) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn take(&mut self) -> Self {
        Self
    }
}

#[inline(always)]
pub(crate) fn unclosed(_: impl FnOnce() -> Label) {}
