//! The slot of one entered scope: its guard, then its exit; dropped at any moment, it makes of what is left one job.

use std::any::Any;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::bracket::Bracket;
use crate::failure::{Failed, FailureRef, Fault};
use crate::frame::{self, Dropping, Exit, Panic};
use crate::framed::{Framed, Heir, Stop};
use crate::home::registry::Running;
use crate::lost;
use crate::orphan::{Jobs, Work};
use crate::outcome::{Outcome, PanicRef, Reason};
use crate::owner::{Owner, ScopeName};
use crate::report::{Entry, Label, Phase, Report, What};

/// What an exit gave, or its panic.
pub(crate) type Exited<V, X> = Result<Result<V, X>, Panic>;

/// A started exit: boxed, for it outlives the future that awaits it (I3).
pub(crate) type Leaving<V, X> = Pin<Box<dyn Future<Output = Exited<V, X>> + Send>>;

/// How a body ended, in a form that an exit in a box can own.
pub(crate) enum Fate {
    Success,
    Failure(Arc<Failed<dyn Fault>>),
    Panicked(String),
    Cancelled(Reason),
}

impl Fate {
    pub(crate) fn outcome(&self) -> Outcome<'_> {
        match self {
            Self::Success => Outcome::Success,
            Self::Failure(failed) => Outcome::Failure(FailureRef(failed)),
            Self::Panicked(message) => Outcome::Panicked(PanicRef(message)),
            Self::Cancelled(reason) => Outcome::Cancelled((*reason).into()),
        }
    }
}

impl From<Outcome<'_>> for Fate {
    fn from(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failure(failure) => Self::Failure(failure.0.clone()),
            Outcome::Panicked(panic) => Self::Panicked(panic.message().to_owned()),
            Outcome::Cancelled(cancelled) => Self::Cancelled(cancelled.reason),
        }
    }
}

/// What the body has left to be told after the exit.
pub(crate) enum Unsettled<E> {
    Nothing,
    Error(Arc<Failed<E>>),
    Panic(Panic),
    Cut,
}

impl<E: Fault> Unsettled<E> {
    pub(crate) fn error(error: E) -> (Self, Fate) {
        let failed = Failed::new(error);
        (Self::Error(failed.clone()), Fate::Failure(failed))
    }

    pub(crate) fn panic(panic: Panic) -> (Self, Fate) {
        let message = lost::message(&**panic).to_owned();
        (Self::Panic(panic), Fate::Panicked(message))
    }

    pub(crate) fn cut() -> (Self, Fate) {
        (Self::Cut, Fate::Cancelled(frame::reason()))
    }

    /// Nobody is left to be told: tells the hook.
    #[cold]
    pub(crate) fn lose(self, label: &Label, suppressed: bool) {
        match self {
            Self::Error(failed) => {
                let error = reclaim(failed);
                if !suppressed {
                    let what = What::Fault(Box::new(error));
                    lost::tell(Entry::new(what).at(Phase::Body, label));
                }
            }
            Self::Panic(panic) => {
                lost::tell_panic(&**panic, Phase::Body, label);
                lost::discard(panic);
            }
            Self::Nothing | Self::Cut => {}
        }
    }
}

/// Takes the error back by value, less what an exit has handled of a report.
pub(crate) fn reclaim<E: Fault>(failed: Arc<Failed<E>>) -> E {
    let mut error = failed.reclaim();
    if let Some(report) = error.as_any_mut().downcast_mut::<Report>() {
        let whole = std::mem::replace(report, Report::msg(""));
        *report = whole.without_handled();
    }
    error
}

/// One entered scope.
///
/// Every successful enter has exactly one slot, from the poll in which it succeeded, and only the slot starts the exit (I1).
pub(crate) struct Slot<B: Bracket, E: Fault>
where
    B::Held: 'static,
{
    state: State<B>,
    pub(crate) unsettled: Unsettled<E>,
    pub(crate) owner: Owner<ScopeName<B>>,
}

enum State<B: Bracket> {
    Held(B::Held),
    Leaving(Leaving<B::Verdict, B::Error>),
    Left,
}

impl<B: Bracket, E: Fault> Slot<B, E>
where
    B::Held: 'static,
{
    #[inline(always)]
    pub(crate) fn new(held: B::Held, owner: Owner<ScopeName<B>>) -> Self {
        Self {
            state: State::Held(held),
            unsettled: Unsettled::Nothing,
            owner,
        }
    }

    /// The guard for the body, and the owner for the body's frame.
    #[inline(always)]
    pub(crate) fn split(&mut self) -> (&mut B::Held, &mut Owner<ScopeName<B>>) {
        match &mut self.state {
            State::Held(held) => (held, &mut self.owner),
            _ => unreachable!("the body runs before the exit"),
        }
    }

    pub(crate) fn held(&self) -> Option<&B::Held> {
        match &self.state {
            State::Held(held) => Some(held),
            _ => None,
        }
    }

    #[inline(always)]
    fn take_held(&mut self) -> B::Held {
        match std::mem::replace(&mut self.state, State::Left) {
            State::Held(held) => held,
            _ => unreachable!("an exit starts once"),
        }
    }

    /// Runs an exit that never suspends, after a success.
    #[inline(always)]
    pub(crate) fn exit_now(&mut self) -> Exited<B::Verdict, B::Error> {
        let held = self.take_held();
        frame::in_sync_exit(&mut self.owner.jobs, || {
            let exit = pin!(B::end(held, Outcome::Success));
            match exit.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(exited) => exited,
                Poll::Pending => unreachable!("only exits that never suspend are run so"),
            }
        })
    }

    /// Starts the exit after a success with nothing to wait for.
    #[inline(always)]
    pub(crate) fn leave(&mut self) {
        let held = self.take_held();
        let frame = self.owner.frame;
        // The async block owns the guard, so that only the guard must be `'static`, not the scope.
        // Each block here is kept small: beyond 128 bytes the move into the box is a call to memmove.
        self.state = State::Leaving(Box::pin(async move {
            let mut exit = pin!(Framed::<_, ToHome, Exit>::new(
                B::end(held, Outcome::Success),
                ToHome,
                frame
            ));
            let exited = exit.as_mut().await;
            poll_fn(|cx| exit.as_mut().poll_jobs(cx)).await;
            not_cut(exited)
        }));
    }

    /// Starts the exit once `kids` have ended (I2).
    #[cold]
    pub(crate) fn leave_after(&mut self, kids: Jobs, fate: Fate) {
        let held = self.take_held();
        self.state = State::Leaving(leaving::<B>(kids, held, fate, self.owner.frame));
    }

    /// Waits for the started exit.
    #[inline(always)]
    pub(crate) fn left(&mut self) -> impl Future<Output = Exited<B::Verdict, B::Error>> {
        poll_fn(|cx| {
            let State::Leaving(exit) = &mut self.state else {
                unreachable!("an exit is awaited once");
            };
            let polled = exit.as_mut().poll(cx);
            if polled.is_ready() {
                self.state = State::Left;
            } else {
                frame::count_exiting();
                self.owner.settle_exit();
            }
            polled
        })
    }

    #[cold]
    #[inline(never)]
    fn hand_over(&mut self) {
        let label = self.owner.label();
        let dropping = frame::dropping();
        if dropping == Dropping::MovedOn {
            lost::tell(Entry::new(What::Overdue).at(Phase::Exit, &label));
        }
        let mut kids = Jobs::NONE;
        let work: Work = match std::mem::replace(&mut self.state, State::Left) {
            State::Left => return,
            State::Held(held) => {
                kids = self.owner.jobs.take();
                let fate = Fate::Cancelled(frame::reason());
                let exit = leaving::<B>(Jobs::NONE, held, fate, self.owner.frame);
                Box::pin(finish(exit, Unsettled::<E>::Nothing, label))
            }
            State::Leaving(exit) => {
                let unsettled = std::mem::replace(&mut self.unsettled, Unsettled::Nothing);
                if dropping == Dropping::Abandoned {
                    return abandon(exit, unsettled, &label);
                }
                Box::pin(finish(exit, unsettled, label))
            }
        };
        self.owner.orphan(kids, work);
    }
}

impl<B: Bracket, E: Fault> Drop for Slot<B, E>
where
    B::Held: 'static,
{
    #[inline(always)]
    fn drop(&mut self) {
        if !matches!(self.state, State::Left) {
            self.hand_over();
        }
    }
}

/// An exit that waits for `kids` first.
pub(crate) fn leaving<B: Bracket>(
    kids: Jobs,
    held: B::Held,
    fate: Fate,
    frame: u32,
) -> Leaving<B::Verdict, B::Error>
where
    B::Held: 'static,
{
    Box::pin(async move {
        kids.drain().await;
        let mut exit = pin!(Framed::<_, ToHome, Exit>::new(
            B::end(held, fate.outcome()),
            ToHome,
            frame
        ));
        let exited = exit.as_mut().await;
        poll_fn(|cx| exit.as_mut().poll_jobs(cx)).await;
        not_cut(exited)
    })
}

/// Drives an orphaned exit and tells what came of it.
pub(crate) async fn finish<V: crate::Verdict, X: Fault, E: Fault>(
    mut exit: Leaving<V, X>,
    unsettled: Unsettled<E>,
    label: Label,
) {
    let mut running = None;
    let exited = poll_fn(|cx| {
        let polled = exit.as_mut().poll(cx);
        if polled.is_pending() && running.is_none() {
            running = Running::note(&label);
        }
        polled
    })
    .await;
    drop(exit);
    let suppressed = matches!(&exited, Ok(Ok(verdict)) if verdict.suppresses());
    tell_exited(exited, &label);
    unsettled.lose(&label, suppressed);
}

/// Drops a started exit whose own deadline, or that of an exit around it, has struck (I3).
#[cold]
fn abandon<V, X, E: Fault>(exit: Leaving<V, X>, unsettled: Unsettled<E>, label: &Label) {
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(exit)));
    lost::tell(Entry::new(What::Overdue).at(Phase::Exit, label));
    if let Err(panic) = dropped {
        lost::tell_panic(&*panic, Phase::Exit, label);
        lost::discard(Box::new(panic));
    }
    unsettled.lose(label, false);
}

/// Tells what came of an exit that has no caller: to a listening canceller, or to the hook if it went wrong.
#[cold]
pub(crate) fn tell_exited<V, X: Fault>(exited: Exited<V, X>, label: &Label) {
    match exited {
        Ok(Ok(_)) => lost::tell(Entry::new(What::Finished).at(Phase::Exit, label)),
        Ok(Err(error)) => tell_exit_error(error, label),
        Err(panic) => {
            lost::tell_panic(&**panic, Phase::Exit, label);
            lost::discard(panic);
        }
    }
}

#[cold]
pub(crate) fn tell_exit_error<X: Fault>(error: X, label: &Label) {
    lost::tell(Entry::new(What::Fault(Box::new(error))).at(Phase::Exit, label));
}

/// An exit's frame is never cut: only the frames of bodies are.
#[inline(always)]
pub(crate) fn not_cut<T>(exited: Result<T, Stop>) -> Result<T, Panic> {
    exited.map_err(|stop| match stop {
        Stop::Panicked(panic) => panic,
        Stop::Cut => unreachable!("exits are shielded"),
    })
}

/// The heir of an exit's frame. A started exit is only dropped with what it has adopted, and then that goes home.
pub(crate) struct ToHome;

impl Heir for ToHome {
    fn inherit(&mut self, jobs: Jobs) {
        drop(jobs);
    }

    fn settle(&mut self) {}

    #[cold]
    fn lose(&self, panic: Panic) {
        let payload: &(dyn Any + Send) = &**panic;
        lost::tell(Entry::new(What::Panic(lost::message(payload).to_owned())));
        lost::discard(panic);
    }
}
