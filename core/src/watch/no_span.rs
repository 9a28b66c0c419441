//! The twin of `span.rs` without the feature `tracing`: there is no span.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::panic::Location;

use crate::slot::{Exited, Fate};
use crate::verdict::Verdict;

#[derive(Default)]
pub(crate) struct Trace;

/// Stands in for being inside of a span.
pub(crate) struct Inside<'a>(PhantomData<&'a Trace>);

impl Inside<'_> {
    pub(crate) const NONE: Self = Self(PhantomData);
}

impl Trace {
    pub(crate) const NONE: Self = Self;

    #[inline(always)]
    pub(super) fn enter(
        _: impl FnOnce() -> Cow<'static, str>,
        _: &'static Location<'static>,
    ) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn inside(&self) -> Inside<'_> {
        Inside::NONE
    }

    #[inline(always)]
    pub(crate) fn around<F: Future>(&self, future: F) -> F {
        future
    }

    #[inline(always)]
    pub(crate) fn refused(&self) {}

    #[inline(always)]
    pub(crate) fn entered(&mut self) {}

    #[inline(always)]
    pub(crate) fn ended(&mut self, _: &Fate) {}

    #[inline(always)]
    pub(crate) fn exit<V, X, F>(self, exit: F) -> F
    where
        V: Verdict,
        F: Future<Output = Exited<V, X>>,
    {
        exit
    }

    #[inline(always)]
    pub(crate) fn exited<V: Verdict, X>(&self, _: &Exited<V, X>) {}
}
