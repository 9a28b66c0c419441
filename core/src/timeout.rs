//! Deadlines, over [`until`](crate::until).

use std::error::Error;
use std::fmt;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::outcome::Reason;
use crate::report::{Entry, Report};
use crate::runtime::Timer;
use crate::until::{Until, report, write_losses};

/// Runs `body` for at most `limit`.
///
/// When it returns, everything that was open inside has been released; see [`until`](crate::until) for how.
/// The clock starts at the first poll. A zero timeout polls the body once.
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
                elapsed.0.exits.iter().for_each(crate::lost::lose);
                None
            }
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum When {
    After(Duration),
    At(Duration),
}

pin_project! {
    /// A sleep that starts at its first poll.
    pub(crate) struct Deadline<R: Timer> {
        timer: R,
        when: When,
        #[pin]
        sleep: Option<R::Sleep>,
        // When it was over.
        struck: Option<Duration>,
    }
}

impl<R: Timer> Deadline<R> {
    #[inline(always)]
    fn new(timer: R, when: When) -> Self {
        Self {
            timer,
            when,
            sleep: None,
            struck: None,
        }
    }

    pub(crate) fn after(timer: R, limit: Duration) -> Self {
        Self::new(timer, When::After(limit))
    }
}

impl<R: Timer> Future for Deadline<R> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut me = self.project();
        if me.sleep.is_none() {
            let sleep = match *me.when {
                When::After(limit) => me.timer.sleep(limit),
                When::At(deadline) => me.timer.sleep_until(deadline),
            };
            me.sleep.set(Some(sleep));
        }
        if let Some(sleep) = me.sleep.as_mut().as_pin_mut() {
            ready!(sleep.poll(cx));
        }
        *me.struck = Some(me.timer.now());
        Poll::Ready(())
    }
}

pin_project! {
    /// A deadline as a signal.
    pub(crate) struct Alarm<R: Timer> {
        #[pin]
        deadline: Deadline<R>,
    }
}

impl<R: Timer> Future for Alarm<R> {
    type Output = Reason;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reason> {
        self.project().deadline.poll(cx).map(|()| Reason::Timeout)
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
        until: Until<Alarm<R>, F, Deadline<R>>,
    }
}

impl<R: Timer + Clone, F: Future> Timeout<R, F> {
    #[inline(always)]
    fn new(timer: &R, when: When, body: F, location: &'static Location<'static>) -> Self {
        let alarm = Alarm {
            deadline: Deadline::new(timer.clone(), when),
        };
        Self {
            until: Until::new(alarm, body, None, "timeout", location),
        }
    }

    /// Bounds the waiting for exits after the deadline.
    ///
    /// When `grace` is over, what is left moves to the enclosing scope or to the home, and [`Elapsed`] names it as overdue.
    /// Without it, waiting lasts as long as the exits do.
    pub fn grace(self, grace: Duration) -> Self {
        let timer = self.until.signal_ref().deadline.timer.clone();
        Self {
            until: self.until.grace(Deadline::after(timer, grace)),
        }
    }
}

impl<R: Timer, F: Future> Future for Timeout<R, F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut until = self.project().until;
        let polled = until.as_mut().poll(cx);
        let alarm = until.as_mut().signal().project().deadline.project();
        let Some(struck) = *alarm.struck else {
            return polled
                .map(|ended| ended.map_err(|_| unreachable!("only the alarm interrupts")));
        };
        let limit = match *alarm.when {
            When::After(limit) => Limit::After(limit),
            When::At(_) => Limit::At,
        };
        let took = alarm.timer.now().saturating_sub(struck);
        let stamp = |exits: &mut [Entry]| exits.iter_mut().for_each(|exit| exit.set_took(took));
        stamp(until.exits_mut());
        polled.map(|ended| {
            ended.map_err(|interrupted| {
                let mut exits = interrupted.into_exits();
                stamp(&mut exits);
                Elapsed::new(limit, exits)
            })
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    After(Duration),
    At,
}

/// The error of [`timeout`]: the time was up; everything inside has been released, or is named as overdue.
#[derive(Debug)]
pub struct Elapsed(Box<Lapse>);

// In a box, so that results are small: those of more than two words are slow to move.
#[derive(Debug)]
struct Lapse {
    limit: Limit,
    exits: Vec<Entry>,
}

impl Elapsed {
    #[cold]
    fn new(limit: Limit, exits: Vec<Entry>) -> Self {
        Self(Box::new(Lapse { limit, exits }))
    }

    /// The exits of the cut body, in the order in which they ended: those that went well, that failed, and that are overdue.
    ///
    /// [`took`](Entry::took) is the time from the deadline to their end.
    pub fn exits(&self) -> &[Entry] {
        &self.0.exits
    }

    /// The exits that had not ended when the [grace](Timeout::grace) was over.
    pub fn overdue(&self) -> impl Iterator<Item = &Entry> {
        let overdue = |entry: &&Entry| entry.kind() == crate::Kind::Overdue;
        self.0.exits.iter().filter(overdue)
    }

    /// A report whose primary error is the elapsed time, with the exits that went wrong beside it.
    pub fn into_report(mut self) -> Report {
        let exits = std::mem::take(&mut self.0.exits);
        report(self, exits)
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.limit {
            Limit::After(limit) => write!(f, "the time of {limit:?} was up")?,
            Limit::At => f.write_str("the deadline has passed")?,
        }
        write_losses(f, &self.0.exits)
    }
}

impl Error for Elapsed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.exits.iter().find_map(Entry::error)
    }
}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> Self {
        Self::new(io::ErrorKind::TimedOut, elapsed)
    }
}

impl<R: Timer, F: Future> fmt::Debug for Timeout<R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.until.fmt(f)
    }
}
