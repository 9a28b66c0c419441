//! A scope whose exit has a deadline.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek};
use crate::budget::{self, Bound, forced};
use crate::clock::{Clock, Limit, hide};
use crate::exiting::Exiting;
use crate::frame::{self, Dropping, Panic};
use crate::lost;
use crate::outcome::Outcome;
use crate::raise::Or;
use crate::report::{Entry, What};
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
    R: Timer + Clone + Send + Sync + 'static,
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

    async fn begin(self, armed: Armed<Self::Held>) -> Result<Self::Held, Self::Error> {
        Ok(Held {
            inner: self.scope.begin(armed.inner()).await.map_err(Or::A)?,
            timer: self.timer,
            limit: self.limit,
        })
    }

    fn view(held: &mut Self::Held) -> &mut S::View {
        S::view(&mut held.inner)
    }

    fn entries(error: Self::Error) -> Vec<Entry> {
        match error {
            Or::A(error) => S::entries(error),
            Or::B(overdue) => vec![Entry::new(What::error(overdue))],
        }
    }

    async fn end(held: Self::Held, outcome: Outcome<'_>) -> Result<S::Verdict, Self::Error> {
        let Held {
            inner,
            timer,
            limit,
        } = held;
        match Bounded::new(S::end(inner, outcome), &timer, Some(limit), hide).await {
            Some(Ok(exited)) => exited.map_err(Or::A),
            Some(Err(panic)) => resume_unwind(*panic),
            None => Err(Or::B(Overdue { limit })),
        }
    }
}

pin_project! {
    /// An exit with a deadline, if it has one; `None` says that it was overdue and has been dropped.
    ///
    /// When its time is over it is forced, by one poll more.
    /// It is in a frame of its own, so that what it has opened is overdue together with it.
    pub(crate) struct Bounded<'t, F, R>
    where
        F: Future,
        R: Timer,
    {
        #[pin]
        exit: Option<Exiting<F>>,
        // The id of its frame, by which it is known as who bounds the exit.
        frame: u32,
        #[pin]
        alarm: Alarm<R::Sleep>,
        timer: &'t R,
        limit: Option<Duration>,
        hide: fn(&R) -> Arc<dyn Clock>,
    }
}

impl<'t, F: Future, R: Timer> Bounded<'t, F, R> {
    pub(crate) fn new(
        exit: F,
        timer: &'t R,
        limit: Option<Duration>,
        hide: fn(&R) -> Arc<dyn Clock>,
    ) -> Self {
        let frame = frame::next_id();
        Self {
            exit: Some(Exiting::new(exit, frame)),
            frame,
            alarm: Alarm::Unset,
            timer,
            limit,
            hide,
        }
    }

    /// Drops what is overdue; what the exit gave is given, if only its orphans were left.
    pub(crate) fn abandon(self: Pin<&mut Self>) -> Option<Result<F::Output, Panic>> {
        let mut exit = self.project().exit;
        let left = exit.as_mut().as_pin_mut().and_then(Exiting::take_exited);
        let drop_it = || frame::while_dropping(Dropping::Abandoned, || exit.set(None));
        budget::within(Some(Bound::FORCED), drop_it);
        left
    }
}

impl<F: Future, R: Timer> Future for Bounded<'_, F, R> {
    type Output = Option<Result<F::Output, Panic>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut me = self.as_mut().project();
        if let Some(mut exit) = me.exit.as_mut().as_pin_mut() {
            let Some(limit) = *me.limit else {
                return exit.poll(cx).map(Some);
            };
            let (timer, hide) = (*me.timer, *me.hide);
            // At the first poll the exit first: whatever becomes of the alarm, it has started.
            let fresh = matches!(*me.alarm, Alarm::Unset);
            let mut over = !fresh && me.alarm.as_mut().poll(cx, timer, limit, hide).is_ready();
            if !over {
                let bound = me.alarm.bound(*me.frame, limit);
                if let Poll::Ready(exited) = budget::within(bound, || exit.as_mut().poll(cx)) {
                    return Poll::Ready(Some(exited));
                }
                over = fresh && me.alarm.poll(cx, timer, limit, hide).is_ready();
            }
            if !over {
                return Poll::Pending;
            }
            forced::wake(*me.frame);
            let last = || exit.as_mut().poll(cx);
            if let Poll::Ready(exited) = budget::within(Some(Bound::FORCED), last) {
                return Poll::Ready(Some(exited));
            }
        }
        Poll::Ready(self.abandon())
    }
}

pin_project! {
    /// The deadline of an exit: set when the exit is pending for the first time.
    #[project = AlarmProj]
    enum Alarm<S> {
        Unset,
        Set { limit: Limit, #[pin] sleep: S },
        // Its timer has panicked; there is no deadline.
        Broken,
    }
}

impl<S: Future<Output = ()>> Alarm<S> {
    /// What bounds the exit until then.
    fn bound(&self, frame: u32, limit: Duration) -> Option<Bound> {
        match self {
            Self::Unset => Some(Bound::all(frame, limit)),
            Self::Set { limit, .. } => Some(Bound::by(frame, limit.clone())),
            Self::Broken => None,
        }
    }

    /// Never unwinds, for that would drop the exit: a panic of the timer is told to the hook.
    fn poll<R>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        timer: &R,
        limit: Duration,
        hide: fn(&R) -> Arc<dyn Clock>,
    ) -> Poll<()>
    where
        R: Timer<Sleep = S>,
    {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            if matches!(*self, Self::Unset) {
                let by = timer.now().saturating_add(limit);
                let (clock, sleep) = (hide(timer), timer.sleep_until(by));
                let limit = Limit { clock, by };
                self.set(Self::Set { limit, sleep });
            }
            match self.as_mut().project() {
                AlarmProj::Set { sleep, .. } => sleep.poll(cx),
                AlarmProj::Unset | AlarmProj::Broken => Poll::Pending,
            }
        }));
        polled.unwrap_or_else(|panic| {
            self.set(Self::Broken);
            lost::tell(Entry::new(What::Panic(lost::message(&*panic).to_owned())));
            lost::discard(Box::new(panic));
            Poll::Pending
        })
    }
}

impl<S, R> Peek for ExitWithin<S, R>
where
    S: Peek + Send,
    R: Timer + Clone + Send + Sync + 'static,
{
    fn peek(held: &Self::Held) -> &S::View {
        S::peek(&held.inner)
    }
}

impl<S, R> Member for ExitWithin<S, R>
where
    S: Member + Send,
    R: Timer + Clone + Send + Sync + 'static,
{
    type Part = S::Part;
    type Rest = Held<S::Rest, R>;

    fn part(held: Self::Held) -> (S::Part, Self::Rest) {
        let (part, inner) = S::part(held.inner);
        let (timer, limit) = (held.timer, held.limit);
        let rest = Held {
            inner,
            timer,
            limit,
        };
        (part, rest)
    }

    fn whole(part: S::Part, rest: Self::Rest) -> Self::Held {
        Held {
            inner: S::whole(part, rest.inner),
            timer: rest.timer,
            limit: rest.limit,
        }
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
