//! Deadlines, over [`until`](crate::until).

mod alarm;
pub(crate) mod deadline;
pub(crate) mod elapsed;
mod grace;
mod movable;
pub(crate) mod with;

use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::report::Entry;
use crate::runtime::Timer;
use crate::until::Until;

use alarm::{Alarm, Strikes, When};
use elapsed::Elapsed;
use grace::Grace;

/// Runs `body` for at most `limit`.
///
/// When it returns, everything that was open inside has been released; see [`until`](crate::until) for how.
/// The clock starts at the first poll. A zero timeout polls the body once.
/// For a deadline that moves while the body runs there is [`timeout_with`](crate::timeout_with).
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::time::Duration;
/// use withal::{Outcome, ScopeExt, acquire, timeout};
///
/// # withal_testing::run(|rt| async move {
/// let connect = acquire(async || Ok::<_, String>(())).release(async |(), outcome: Outcome<'_>| {
///     assert_eq!(outcome.to_string(), "cancelled: the time was up");
///     Ok(())
/// });
/// let slow = connect.with(async |()| std::future::pending::<Result<(), String>>().await);
/// let elapsed = timeout(&rt, Duration::from_secs(2), slow).await.unwrap_err();
/// assert_eq!(elapsed.to_string(), "the time of 2s was up");
/// # });
/// ```
///
/// # Errors
///
/// [`Elapsed`], with the exits that ran.
///
/// # Cancel safety
///
/// As [`until`](crate::until).
#[inline(always)]
#[track_caller]
pub fn timeout<R, F>(timer: &R, limit: Duration, body: F) -> Timeout<R, F>
where
    R: Timer + Clone,
    F: Future,
{
    Timeout::new(timer, When::After(limit), body, Location::caller())
}

/// Runs `body` until the timer's clock is at `deadline`.
///
/// Otherwise as [`timeout`]. A deadline that has passed polls the body once.
///
/// # Errors
///
/// [`Elapsed`], with the exits that ran.
///
/// # Cancel safety
///
/// As [`until`](crate::until).
#[inline(always)]
#[track_caller]
pub fn timeout_at<R, F>(timer: &R, deadline: Duration, body: F) -> Timeout<R, F>
where
    R: Timer + Clone,
    F: Future,
{
    Timeout::new(timer, When::At(deadline), body, Location::caller())
}

/// Runs `body` for at most `limit`; `None` says that the time was up.
///
/// Otherwise as [`timeout`]. Errors of the exits inside have nowhere to go and are told to the [lost-error hook](crate::on_lost_error).
///
/// # Cancel safety
///
/// As [`until`](crate::until).
#[track_caller]
pub fn move_on_after<R, F>(
    timer: &R,
    limit: Duration,
    body: F,
) -> impl Future<Output = Option<F::Output>>
where
    R: Timer + Clone,
    F: Future,
{
    MoveOn {
        timed: timeout(timer, limit, body),
    }
}

pin_project! {
    // Not an async block: that would have room for the body twice, as what it captured and as what it awaits.
    struct MoveOn<R, F>
    where
        R: Timer,
        F: Future,
    {
        #[pin]
        timed: Timeout<R, F>,
    }
}

impl<R: Timer, F: Future> Future for MoveOn<R, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(self.project().timed.poll(cx)) {
            Ok(value) => Some(value),
            Err(elapsed) => {
                elapsed.exits().iter().for_each(crate::lost::lose);
                None
            }
        })
    }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    ///
    /// # Drop behavior
    ///
    /// As [`Until`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Timeout<R, F>
    where
        R: Timer,
        F: Future,
    {
        #[pin]
        until: Until<Alarm<R>, F, Grace<R>>,
    }
}

impl<R: Timer + Clone, F: Future> Timeout<R, F> {
    #[inline(always)]
    fn new(timer: &R, when: When, body: F, location: &'static Location<'static>) -> Self {
        let alarm = Alarm::new(timer.clone(), when);
        Self {
            until: Until::new(alarm, body, None, "timeout", location),
        }
    }

    /// Bounds the waiting for exits after the deadline.
    ///
    /// Meanwhile they can read how much of it is [left](crate::time_left).
    /// When `grace` is over, they are [forced](crate::is_forced), by one poll more; what is left then moves to the enclosing scope or to the home, and [`Elapsed`] names it as overdue.
    /// Without it, waiting lasts as long as the exits do.
    pub fn grace(self, grace: Duration) -> Self
    where
        R: Send + Sync + 'static,
    {
        let grace = Grace::new(self.until.signal_ref().timer().clone(), grace);
        Self {
            until: self.until.grace(grace),
        }
    }
}

impl<R: Timer, F: Future> Future for Timeout<R, F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_timed(self.project().until, cx)
    }
}

/// Polls a body with a deadline, and notes when its exits ended.
#[inline(always)]
fn poll_timed<S: Strikes, F: Future>(
    mut until: Pin<&mut Until<S, F, Grace<S::Timer>>>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, Elapsed>> {
    let polled = until.as_mut().poll_within(cx, Grace::start);
    let signal = until.signal_ref();
    let Some((struck, allowed)) = signal.struck() else {
        return polled.map(|ended| ended.map_err(|_| unreachable!("only the alarm interrupts")));
    };
    let took = signal.timer().now().saturating_sub(struck);
    let stamp = |exits: &mut [Entry]| exits.iter_mut().for_each(|exit| exit.set_took(took));
    stamp(until.exits_mut());
    polled.map(|ended| {
        ended.map_err(|interrupted| {
            let mut exits = interrupted.into_exits();
            stamp(&mut exits);
            Elapsed::new(allowed, exits)
        })
    })
}

impl<R: Timer, F: Future> fmt::Debug for Timeout<R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.until.fmt(f)
    }
}
