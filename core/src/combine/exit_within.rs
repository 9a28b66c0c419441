//! A scope whose exit has a deadline.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::panic::resume_unwind;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::bracket::{Bracket, Peek};
use crate::exiting::Exiting;
use crate::frame::{self, Dropping};
use crate::outcome::Outcome;
use crate::raise::Or;
use crate::runtime::Timer;

/// A scope with a bounded exit: see [`ScopeExt::exit_within`](crate::ScopeExt::exit_within).
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct ExitWithin<S, R> {
    scope: S,
    timer: R,
    limit: Duration,
}

impl<S, R> ExitWithin<S, R> {
    pub(crate) fn new(scope: S, timer: R, limit: Duration) -> Self {
        Self {
            scope,
            timer,
            limit,
        }
    }
}

/// What an [`ExitWithin`] holds.
#[doc(hidden)]
pub struct Held<H, R> {
    inner: H,
    timer: R,
    limit: Duration,
}

impl<S, R> Bracket for ExitWithin<S, R>
where
    S: Bracket + Send,
    R: Timer + Send + Sync + 'static,
{
    type Held = Held<S::Held, R>;
    type View = S::View;
    type Error = Or<S::Error, Overdue>;
    type Verdict = S::Verdict;
    type Tag = S::Tag;

    fn tag(&self) -> S::Tag {
        self.scope.tag()
    }

    fn name(tag: &S::Tag) -> Cow<'static, str> {
        S::name(tag)
    }

    async fn begin(self) -> Result<Self::Held, Self::Error> {
        Ok(Held {
            inner: self.scope.begin().await.map_err(Or::A)?,
            timer: self.timer,
            limit: self.limit,
        })
    }

    fn view(held: &mut Self::Held) -> &mut S::View {
        S::view(&mut held.inner)
    }

    async fn end(held: Self::Held, outcome: Outcome<'_>) -> Result<S::Verdict, Self::Error> {
        // A frame of its own, so that what the exit has opened is overdue together with it.
        let exit = Exiting::new(S::end(held.inner, outcome), frame::next_id());
        let mut exit = pin!(Some(exit));
        let mut alarm = pin!(held.timer.sleep(held.limit));
        let ended = poll_fn(|cx| {
            if let Some(exit) = exit.as_mut().as_pin_mut()
                && let Poll::Ready(exited) = exit.poll(cx)
            {
                return Poll::Ready(Some(exited));
            }
            alarm.as_mut().poll(cx).map(|()| {
                frame::while_dropping(Dropping::Abandoned, || exit.set(None));
                None
            })
        })
        .await;
        match ended {
            Some(Ok(exited)) => exited.map_err(Or::A),
            Some(Err(panic)) => resume_unwind(*panic),
            None => Err(Or::B(Overdue { limit: held.limit })),
        }
    }
}

impl<S, R> Peek for ExitWithin<S, R>
where
    S: Peek + Send,
    R: Timer + Send + Sync + 'static,
{
    fn peek(held: &Self::Held) -> &S::View {
        S::peek(&held.inner)
    }
}

impl<H, R> fmt::Debug for Held<H, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

/// The error of an exit that had not ended in its time, and was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overdue {
    /// How long it had.
    pub limit: Duration,
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the exit had not ended after {:?} and was dropped",
            self.limit
        )
    }
}

impl Error for Overdue {}

impl From<Overdue> for io::Error {
    fn from(overdue: Overdue) -> Self {
        Self::new(io::ErrorKind::TimedOut, overdue)
    }
}
