//! A timeout whose deadline can be moved by its body.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::runtime::Timer;
use crate::until::Until;

use super::alarm::Strikes;
use super::deadline::Deadline;
use super::elapsed::Elapsed;
use super::grace::Grace;
use super::movable::Movable;
use super::poll_timed;

/// Runs `body` for at most `limit`, and hands it its [`Deadline`], which it may move to an earlier or later time.
///
/// The closure is called at once, so that the deadline may also be given away; the clock starts at the first poll.
/// For a limit that depends on what comes in: so much time from each sign of life, none while a user is asked, less when the server is full.
/// Otherwise as [`timeout`](crate::timeout), which is smaller and needs no allocation.
/// [`Elapsed`] tells how much time there was in all.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::time::Duration;
/// use withal::{Timer, timeout_with};
///
/// # withal_testing::run(|rt| async move {
/// const SECOND: Duration = Duration::from_secs(1);
/// // Three messages, a second apart, and then silence.
/// let mut received = 0;
/// let elapsed = timeout_with(&rt, 2 * SECOND, async |idle| {
///     for _ in 0..3 {
///         rt.sleep(SECOND).await;
///         received += 1;
///         idle.rearm_after(2 * SECOND).expect("it has not struck");
///     }
///     std::future::pending::<()>().await
/// });
/// assert_eq!(elapsed.await.unwrap_err().to_string(), "the time of 5s was up");
/// assert_eq!(received, 3);
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
#[track_caller]
pub fn timeout_with<R, B, F>(timer: &R, limit: Duration, body: B) -> TimeoutWith<R, F>
where
    R: Timer + Clone,
    B: FnOnce(Deadline<R>) -> F,
    F: Future,
{
    let deadline = Deadline::new(timer.clone(), limit);
    let body = body(deadline.clone());
    let signal = Movable::new(deadline);
    TimeoutWith {
        until: Until::new(signal, body, None, "timeout", Location::caller()),
    }
}

pin_project! {
    /// The future of [`timeout_with`].
    ///
    /// # Drop behavior
    ///
    /// As [`Until`].
    #[must_use = "futures do nothing unless polled"]
    pub struct TimeoutWith<R, F>
    where
        R: Timer,
        F: Future,
    {
        #[pin]
        until: Until<Movable<R>, F, Grace<R>>,
    }
}

impl<R, F> TimeoutWith<R, F>
where
    R: Timer + Clone + Send + Sync + 'static,
    F: Future,
{
    /// Bounds the waiting for exits after the deadline: see [`Timeout::grace`](crate::Timeout::grace).
    pub fn grace(self, grace: Duration) -> Self {
        let timer = self.until.signal_ref().timer().clone();
        Self {
            until: self.until.grace(Grace::new(timer, grace)),
        }
    }
}

impl<R, F> Future for TimeoutWith<R, F>
where
    R: Timer,
    F: Future,
{
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut until = self.project().until;
        // Before the body can ask when it strikes.
        until.signal_ref().deadline().start();
        let polled = poll_timed(until.as_mut(), cx);
        if polled.is_ready() {
            until.signal_ref().deadline().end();
        }
        polled
    }
}

impl<R, F> fmt::Debug for TimeoutWith<R, F>
where
    R: Timer,
    F: Future,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.until.fmt(f)
    }
}
