//! The span of a scope.
//!
//! A subscriber is called between the steps of the algorithm. One that panics hears nothing, and no scope is lost for that.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use tracing::field::display;
use tracing::span::{Entered, Span};
use tracing::{debug, debug_span};

use crate::lost;
use crate::report::{Entry, What};
use crate::slot::{Exited, Fate, Trouble};
use crate::verdict::Verdict;

/// The span of one scope; nothing if nobody listens to it.
#[derive(Default)]
pub(crate) struct Trace(Option<Box<Live>>);

struct Live {
    span: Span,
    /// When the phase began.
    since: Instant,
}

/// Being inside of a span.
pub(crate) struct Inside<'a>(Option<Entered<'a>>);

impl Inside<'_> {
    pub(crate) const NONE: Self = Self(None);
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(entered) = self.0.take() {
            tell(|| drop(entered));
        }
    }
}

impl Trace {
    pub(crate) const NONE: Self = Self(None);

    /// A scope begins to enter.
    #[inline(always)]
    pub(super) fn enter(
        name: impl FnOnce() -> Cow<'static, str>,
        location: &'static Location<'static>,
    ) -> Self {
        if tracing::dispatcher::has_been_set() {
            Self::listened(name, location)
        } else {
            Self::NONE
        }
    }

    #[inline(never)]
    fn listened(
        name: impl FnOnce() -> Cow<'static, str>,
        location: &'static Location<'static>,
    ) -> Self {
        let span = tell(|| {
            debug_span!(
                target: "withal",
                "scope",
                name = &*name(),
                location = display(location),
            )
        });
        match span {
            Some(span) if !span.is_disabled() => Self(Some(Box::new(Live {
                span,
                since: Instant::now(),
            }))),
            _ => Self::NONE,
        }
    }

    /// Is inside of the span for as long as what it gives lives.
    #[inline]
    pub(crate) fn inside(&self) -> Inside<'_> {
        match &self.0 {
            Some(live) => Inside(tell(|| live.span.enter())),
            None => Inside::NONE,
        }
    }

    /// Has an enter polled inside of the span.
    #[inline(always)]
    pub(crate) fn around<F: Future>(&self, enter: F) -> Enter<'_, F> {
        Enter { enter, trace: self }
    }

    /// The enter has failed.
    pub(crate) fn refused(&self) {
        if let Some(live) = &self.0 {
            let took = live.since.elapsed();
            tell(|| debug!(target: "withal", parent: &live.span, ?took, "not entered"));
        }
    }

    #[inline]
    pub(crate) fn entered(&mut self) {
        if let Some(live) = &mut self.0 {
            let took = live.next();
            tell(|| debug!(target: "withal", parent: &live.span, ?took, "entered"));
        }
    }

    /// The body has ended, so.
    #[inline]
    pub(crate) fn ended(&mut self, fate: &Fate) {
        if let Some(live) = &mut self.0 {
            live.ended(fate);
        }
    }

    /// Puts the exit inside of the span, and tells what comes of it.
    #[inline]
    pub(crate) fn exit<V, X, F>(self, exit: F) -> Exit<F>
    where
        V: Verdict,
        F: Future<Output = Exited<V, X>>,
    {
        Exit { exit, trace: self }
    }

    /// The exit has ended, so.
    #[inline]
    pub(crate) fn exited<V: Verdict, X>(&self, exited: &Exited<V, X>) {
        if let Some(live) = &self.0 {
            live.exited(exited);
        }
    }
}

impl Live {
    /// The next phase begins: how long the last one took.
    fn next(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.since, now))
    }

    // Only the kind, and no text, here and below: errors may hold secrets.
    #[cold]
    fn ended(&mut self, fate: &Fate) {
        let took = self.next();
        let (outcome, reason) = match fate {
            Fate::Success => ("success", None),
            Fate::Failure(_) => ("failure", None),
            Fate::Panicked(_) => ("panicked", None),
            Fate::Cancelled(reason) => ("cancelled", Some(display(reason))),
        };
        tell(|| {
            debug!(target: "withal", parent: &self.span, outcome, reason, ?took, "body ended");
        });
    }

    #[cold]
    fn exited<V: Verdict, X>(&self, exited: &Exited<V, X>) {
        let result = match exited {
            Ok(verdict) if verdict.suppresses() => "suppressed",
            Ok(_) => "ok",
            Err(trouble) => match **trouble {
                Trouble::Error(..) => "error",
                Trouble::Panic(..) => "panicked",
            },
        };
        let took = self.since.elapsed();
        tell(|| debug!(target: "withal", parent: &self.span, result, ?took, "exited"));
    }
}

/// Calls the subscriber; `None` if it has panicked.
fn tell<R>(what: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(what)) {
        Ok(told) => Some(told),
        Err(panic) => {
            lost::tell(Entry::new(What::Panic(lost::message(&*panic).to_owned())));
            lost::discard(Box::new(panic));
            None
        }
    }
}

pin_project! {
    /// An enter inside of a span.
    pub(crate) struct Enter<'a, F> {
        #[pin]
        enter: F,
        trace: &'a Trace,
    }
}

impl<F: Future> Future for Enter<'_, F> {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _inside = self.trace.inside();
        self.project().enter.poll(cx)
    }
}

pin_project! {
    /// An exit inside of a span.
    pub(crate) struct Exit<F> {
        #[pin]
        exit: F,
        trace: Trace,
    }
}

impl<V: Verdict, X, F: Future<Output = Exited<V, X>>> Future for Exit<F> {
    type Output = Exited<V, X>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let me = self.project();
        let polled = {
            let _inside = me.trace.inside();
            me.exit.poll(cx)
        };
        let exited = ready!(polled);
        me.trace.exited(&exited);
        Poll::Ready(exited)
    }
}
