//! The one primitive of cancelling: a body until a signal.

use std::error::Error;
use std::fmt;
use std::future::Pending;
use std::panic::{Location, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use crate::budget::{self, Bound, forced};
use crate::clock::Limit;
use crate::frame::{self, Cuttable, Dropping, Panic};
use crate::framed::{Framed, Framing, Heir, Stop};
use crate::lost;
use crate::outcome::{Cancelled, Reason};
use crate::owner::{Fixed, Owner};
use crate::report::{Entry, Phase, Report, What};

/// Runs `body` until it ends or `signal` gives a reason to stop it.
///
/// When it returns, everything that was open inside has been released, and the exits have seen the reason. That is the difference to dropping the body.
///
/// Cancelling is cooperative: when the signal comes, the scopes inside drop their bodies and exit in place, from the inside out.
/// An exit that is in progress goes on, and if the body completes thereby, its value counts: a COMMIT that the signal overtakes is not reported as cancelled.
/// (In a set that polls only those of its futures that were woken, such as `FuturesUnordered`, the exit goes on, too, but the set is dropped, and the value with it; [`Interrupted::exits`] tells of the exit.)
/// No scope is entered any more. (What is no scope goes on for one step, if it can, before it is cut: the body is polled once more.)
///
/// A body that is lent (`&mut future`) or shared is cut all the same: what was entered in it under this call is released, and it stays pending afterwards.
/// So are the tasks of an executor that runs inside of the body, if they have entered a scope there: spawn them as a [`Task`](crate::Task), which is a root of its own.
///
/// Of several cancellers around each other whose signals have come, the outermost tells its caller; those inside stay pending, and their exits are in its error.
/// So a cancellation from outside is never hidden by one from inside.
///
/// [`timeout`](crate::timeout) is `until` with a timer as its signal, and [`cancellable`](crate::cancellable) with that of a [`CancelHandle`](crate::CancelHandle).
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::future::{pending, ready};
/// use withal::{Reason, until};
///
/// # withal_testing::block_on(async {
/// let stopped = until(ready(Reason::Requested("enough")), pending::<()>()).await;
/// assert_eq!(stopped.unwrap_err().cancelled().reason, Reason::Requested("enough"));
/// assert_eq!(until(std::future::pending(), async { 7 }).await.ok(), Some(7));
/// # });
/// ```
///
/// # Errors
///
/// [`Interrupted`], with the exits that ran.
///
/// # Cancel safety
///
/// Dropped, it is a hard drop of the body: what is open inside is finished by the enclosing scope or the home, and sees [`Reason::Dropped`].
#[inline(always)]
#[track_caller]
pub fn until<S, F>(signal: S, body: F) -> Until<S, F>
where
    S: Future<Output = Reason>,
    F: Future,
{
    Until::new(signal, body, None, "until", Location::caller())
}

type CuttableBody<F> = Framed<fn() -> F, F, Owner<Fixed>, Cuttable>;

pin_project! {
    /// The future of [`until`].
    ///
    /// # Drop behavior
    ///
    /// A hard drop of the body: what is open inside becomes an orphan.
    #[must_use = "futures do nothing unless polled"]
    pub struct Until<S, F, G = Pending<()>>
    where
        F: Future,
    {
        #[pin]
        signal: S,
        #[pin]
        body: CuttableBody<F>,
        #[pin]
        grace: Option<G>,
        stage: Stage,
        // The reason of the signal, once it has come.
        reason: Option<Reason>,
        // The body's value, while its orphans are finished.
        value: Option<F::Output>,
        heard: Option<Box<Heard>>,
    }
}

/// What a canceller has heard of and has not told yet. Dropped, it tells whoever is further out.
#[derive(Default)]
struct Heard {
    exits: Vec<Entry>,
    panic: Option<Panic>,
    /// Those that were not let in, although they are not the canceller's.
    held_off: Vec<Waker>,
    grace: Grace,
}

/// How far the grace is.
#[derive(Clone, Default)]
enum Grace {
    /// It has not begun, or there is none.
    #[default]
    None,
    /// What there is to know of its end.
    Running(Option<Limit>),
    /// Over: what is still inside is polled once more, forced, and then moves on.
    Over,
}

impl Grace {
    fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    fn bound(&self) -> Option<Bound> {
        match self {
            Self::None => None,
            Self::Running(limit) => limit.clone().map(|limit| Bound::by(0, limit)),
            Self::Over => Some(Bound::FORCED),
        }
    }
}

impl Heard {
    /// Runs `f` and takes notes. `f` does not unwind.
    fn listen<R>(heard: &mut Option<Box<Self>>, f: impl FnOnce(&mut Vec<Waker>) -> R) -> R {
        let Self {
            exits, held_off, ..
        } = &mut **heard.get_or_insert_default();
        lost::listen(exits, || f(held_off))
    }

    /// How far the grace is, which begins now at the latest.
    fn grace<G>(
        heard: &mut Option<Box<Self>>,
        grace: Pin<&mut Option<G>>,
        limit: impl Fn(Pin<&mut G>) -> Option<Limit>,
    ) -> Grace {
        let Some(grace) = grace.as_pin_mut() else {
            return Grace::None;
        };
        let heard = heard.get_or_insert_default();
        if matches!(heard.grace, Grace::None) {
            heard.grace = Grace::Running(limit(grace));
        }
        heard.grace.clone()
    }

    /// Notes whether the grace is over, and says whether it has begun.
    fn poll_grace<G: Future<Output = ()>>(
        heard: &mut Option<Box<Self>>,
        grace: Pin<&mut Option<G>>,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some(heard) = heard else { return false };
        if let (Grace::Running(_), Some(grace)) = (&heard.grace, grace.as_pin_mut())
            && grace.poll(cx).is_ready()
        {
            heard.grace = Grace::Over;
            forced::wake_all();
        }
        !matches!(heard.grace, Grace::None)
    }

    fn is_grace_over(heard: &Option<Box<Self>>) -> bool {
        heard.as_ref().is_some_and(|heard| heard.grace.is_over())
    }

    fn take_exits(heard: &mut Option<Box<Self>>) -> Vec<Entry> {
        match heard {
            Some(heard) => std::mem::take(&mut heard.exits),
            None => Vec::new(),
        }
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.exits.drain(..).for_each(lost::tell);
        if let Some(panic) = self.panic.take() {
            let message = lost::message(&**panic).to_owned();
            lost::tell(Entry::new(What::Panic(message)));
            lost::discard(panic);
        }
        self.held_off.drain(..).for_each(Waker::wake);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Fresh,
    Running,
    /// The signal has come; scopes inside are exiting in place.
    Closing,
    /// The body has ended or was cut; its orphans are being finished.
    Draining,
}

impl<S, F: Future, G> Until<S, F, G> {
    // Inline, like the functions that call it: else the body is moved by memory at each of them.
    #[inline(always)]
    pub(crate) fn new(
        signal: S,
        body: F,
        grace: Option<G>,
        name: &'static str,
        location: &'static Location<'static>,
    ) -> Self {
        Self {
            signal,
            body: Framed::new(body, Owner::unborn(Fixed(name), location)),
            grace,
            stage: Stage::Fresh,
            reason: None,
            value: None,
            heard: None,
        }
    }

    /// Gives the frame of the body an id that others know. It is to be polled where it is made.
    pub(crate) fn in_frame(mut self, id: u32) -> Self {
        self.body.heir_mut().frame = id;
        self
    }

    /// Bounds the waiting for exits: when `grace` ends, what is left is [forced](crate::is_forced), by one poll more; then it moves to the enclosing scope or to the home, and the error names it as overdue.
    ///
    /// `grace` is first polled when the signal has come. It does not say how long it lasts, and so the exits do not know how much time is [left](crate::time_left); with a [`timeout`](crate::timeout) they do.
    /// Without it, waiting lasts as long as the exits do.
    pub fn grace<G2: Future<Output = ()>>(self, grace: G2) -> Until<S, F, G2> {
        let Self {
            signal,
            body,
            stage,
            reason,
            value,
            heard,
            ..
        } = self;
        Until {
            signal,
            body,
            grace: Some(grace),
            stage,
            reason,
            value,
            heard,
        }
    }

    /// The exits that were heard of so far.
    pub(crate) fn exits_mut(self: Pin<&mut Self>) -> &mut [Entry] {
        match self.project().heard {
            Some(heard) => &mut heard.exits,
            None => &mut [],
        }
    }

    pub(crate) fn signal_ref(&self) -> &S {
        &self.signal
    }
}

impl<S, F, G> Future for Until<S, F, G>
where
    S: Future<Output = Reason>,
    F: Future,
    G: Future<Output = ()>,
{
    type Output = Result<F::Output, Interrupted>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_within(cx, |_| None)
    }
}

impl<S, F, G> Until<S, F, G>
where
    S: Future<Output = Reason>,
    F: Future,
    G: Future<Output = ()>,
{
    /// Polls it. When the grace begins, `limit` says until when it lasts, if that is known.
    #[inline(always)]
    pub(crate) fn poll_within(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        limit: impl Fn(Pin<&mut G>) -> Option<Limit>,
    ) -> Poll<Result<F::Output, Interrupted>> {
        let mut me = self.as_mut().project();
        let first = *me.stage == Stage::Fresh;
        if first {
            if frame::is_closing() {
                let mut held_off = pin!(frame::held_off());
                ready!(held_off.as_mut().poll(cx));
            }
            *me.stage = Stage::Running;
            me.body.as_mut().heir().begin();
        }
        if *me.stage == Stage::Running {
            // The body first in the first poll: a signal that is there from the start lets it take one step.
            // Then the signal first: it comes before those of the cancellers inside, and a body may use up the runtime's budget in each poll.
            if !first && let Poll::Ready(reason) = me.signal.as_mut().poll(cx) {
                *me.reason = Some(reason);
                *me.stage = Stage::Closing;
            } else if let Poll::Ready(ended) = me.body.as_mut().poll(cx) {
                match ended {
                    // The usual case, in which the value is not put down anywhere.
                    Ok(value) if !me.body.as_mut().heir().has_jobs() => {
                        return Poll::Ready(Ok(value));
                    }
                    ended => put_down(ended, me.value, me.heard),
                }
                *me.stage = Stage::Draining;
            } else {
                if !first {
                    return Poll::Pending;
                }
                let reason = ready!(me.signal.as_mut().poll(cx));
                *me.reason = Some(reason);
                *me.stage = Stage::Closing;
            }
        }
        self.wind_up(cx, limit)
    }

    /// The signal has come, or the body has left something to be done.
    #[cold]
    #[inline(never)]
    fn wind_up(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        limit: impl Fn(Pin<&mut G>) -> Option<Limit>,
    ) -> Poll<Result<F::Output, Interrupted>> {
        let mut me = self.project();
        if *me.stage == Stage::Closing {
            let reason = me.reason.unwrap_or(Reason::Dropped);
            // Asked before what is inside is polled, so that there is one poll when it is over.
            let asked = Heard::poll_grace(me.heard, me.grace.as_mut(), cx);
            loop {
                let grace = Heard::grace(me.heard, me.grace.as_mut(), &limit);
                let mut body = me.body.as_mut();
                let (polled, exiting) = Heard::listen(me.heard, |held_off| {
                    let poll = || budget::within(grace.bound(), || body.as_mut().poll(cx));
                    let (polled, exiting) = frame::closing(reason, held_off, poll);
                    if polled.is_pending() && !exiting {
                        // Only what was not polled in this round is orphaned here, to be adopted by the frame.
                        let cut = || budget::within(grace.bound(), || body.as_mut().cut());
                        frame::closing(reason, held_off, cut);
                    }
                    (polled, exiting)
                });
                if let Poll::Ready(ended) = polled {
                    put_down(ended, me.value, me.heard);
                    break;
                }
                if !exiting {
                    break;
                }
                if grace.is_over() {
                    name_overdue(me.body.as_mut(), me.heard);
                    let move_on = || {
                        Heard::listen(me.heard, |held_off| {
                            let cut = || me.body.as_mut().cut();
                            let closing = || frame::closing(reason, held_off, cut);
                            frame::while_dropping(Dropping::MovedOn, closing);
                        });
                        me.body.as_mut().heir().pass_on();
                    };
                    budget::within(grace.bound(), move_on);
                    break;
                }
                if !asked {
                    // It has begun in this round.
                    Heard::poll_grace(me.heard, me.grace.as_mut(), cx);
                }
                if !Heard::is_grace_over(me.heard) {
                    return Poll::Pending;
                }
            }
            *me.stage = Stage::Draining;
        }
        let asked = Heard::poll_grace(me.heard, me.grace.as_mut(), cx);
        loop {
            let mut body = me.body.as_mut();
            let mut grace = Grace::None;
            let drained = if me.reason.is_some() {
                grace = Heard::grace(me.heard, me.grace.as_mut(), &limit);
                let poll = || body.as_mut().heir().poll_jobs(cx);
                Heard::listen(me.heard, |_| budget::within(grace.bound(), poll))
            } else {
                body.as_mut().heir().poll_jobs(cx)
            };
            if drained.is_ready() {
                break;
            }
            if grace.is_over() {
                name_overdue(me.body.as_mut(), me.heard);
                budget::within(grace.bound(), || me.body.as_mut().heir().pass_on());
                break;
            }
            // The time of the body is over when the signal comes, also if only orphans are left of it.
            if me.grace.is_some()
                && me.reason.is_none()
                && let Poll::Ready(reason) = me.signal.as_mut().poll(cx)
            {
                *me.reason = Some(reason);
                Heard::grace(me.heard, me.grace.as_mut(), &limit);
            }
            if !asked {
                Heard::poll_grace(me.heard, me.grace.as_mut(), cx);
            }
            if !Heard::is_grace_over(me.heard) {
                me.body.as_mut().heir().count_exiting();
                return Poll::Pending;
            }
        }
        if let Some(value) = me.value.take() {
            *me.heard = None;
            return Poll::Ready(Ok(value));
        }
        let panic = me.heard.as_mut().and_then(|heard| heard.panic.take());
        if let Some(panic) = panic {
            *me.heard = None;
            resume_unwind(*panic);
        }
        if frame::is_closing() && !frame::is_foreign(me.body.heir().birth()) {
            // One further out is closing, too. It tells its caller, also of these exits; told here, its own signal might be lost on a body that ends with this.
            *me.heard = None;
            return Poll::Pending;
        }
        let reason = me.reason.unwrap_or(Reason::Dropped);
        Poll::Ready(Err(Interrupted::new(reason, me.heard)))
    }
}

/// Keeps how the body ended until its orphans have ended.
#[cold]
fn put_down<T>(ended: Framing<T>, value: &mut Option<T>, heard: &mut Option<Box<Heard>>) {
    match ended {
        Ok(ended) => *value = Some(ended),
        Err(Stop::Panicked(panic)) => heard.get_or_insert_default().panic = Some(panic),
        Err(Stop::Cut) => unreachable!("only the frames of scopes cut themselves"),
    }
}

/// The grace is over: names the orphans that are left.
#[cold]
fn name_overdue<F>(body: Pin<&mut CuttableBody<F>>, heard: &mut Option<Box<Heard>>) {
    let overdue = |label| Entry::new(What::Overdue).at(Phase::Exit, label);
    let exits = &mut heard.get_or_insert_default().exits;
    exits.extend(body.heir().jobs().labels().map(overdue));
}

/// The error of [`until`]: the body was cut; everything inside has been released, or is named as overdue.
#[derive(Debug)]
pub struct Interrupted(Box<Interruption>);

// In a box, so that results are small: those of more than two words are slow to move.
#[derive(Debug)]
struct Interruption {
    cancelled: Cancelled,
    exits: Vec<Entry>,
}

impl Interrupted {
    #[cold]
    fn new(reason: Reason, heard: &mut Option<Box<Heard>>) -> Self {
        let exits = Heard::take_exits(heard);
        // Those that were held off go on.
        *heard = None;
        Self(Box::new(Interruption {
            cancelled: reason.into(),
            exits,
        }))
    }

    /// Why the body was cut.
    pub fn cancelled(&self) -> Cancelled {
        self.0.cancelled
    }

    /// The exits of the cut body, in the order in which they ended: those that went well, that failed, and that are overdue.
    pub fn exits(&self) -> &[Entry] {
        &self.0.exits
    }

    /// A report whose primary error is the cancellation, with the exits that went wrong beside it.
    pub fn into_report(self) -> Report {
        report(self.0.cancelled, self.0.exits)
    }

    pub(crate) fn into_exits(self) -> Vec<Entry> {
        self.0.exits
    }
}

pub(crate) fn report(primary: impl Error + Send + Sync + 'static, exits: Vec<Entry>) -> Report {
    let mut report = Report::from(primary);
    exits
        .into_iter()
        .filter(Entry::is_loss)
        .for_each(|entry| report.push(entry));
    report
}

/// Writes how many of `exits` went wrong, if any.
pub(crate) fn write_losses(f: &mut fmt::Formatter<'_>, exits: &[Entry]) -> fmt::Result {
    match exits.iter().filter(|entry| entry.is_loss()).count() {
        0 => Ok(()),
        1 => f.write_str(", and one exit went wrong"),
        n => write!(f, ", and {n} exits went wrong"),
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.cancelled.fmt(f)?;
        write_losses(f, &self.0.exits)
    }
}

impl Error for Interrupted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.exits.iter().find_map(Entry::error)
    }
}

impl<S, F: Future, G> fmt::Debug for Until<S, F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Until")
            .field("stage", &self.stage)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
