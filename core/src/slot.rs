//! The slot of one entered scope: its guard, then its exit; dropped at any moment, it makes of what is left one job.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::bracket::Bracket;
use crate::exiting::Exiting;
use crate::failure::{Failed, FailureRef, Fault};
use crate::frame::{self, Dropping, Panic};
use crate::framed::Heir;
use crate::lent::{self, Asked};
use crate::lost;
use crate::orphan::Jobs;
use crate::outcome::{Outcome, PanicRef, Reason};
use crate::owner::{Owner, ScopeName};
use crate::report::{Entries, Entry, Label, Phase, Report, What};
use crate::untold::{abandon, driven, finish, tell_error, tell_exited};
use crate::watch::Trace;

/// Copied from memory: a value of which only the first word has just been written stalls the exit that moves it.
static SUCCESS: Outcome<'static> = Outcome::Success;

/// What an exit gave: one word for the usual verdict, so that it is returned in registers.
pub(crate) type Exited<V, X> = Result<V, Box<Trouble<X>>>;

/// What went wrong in an exit.
pub(crate) enum Trouble<X> {
    /// An error, and what there is to tell of it.
    Error(X, Entries<X>),
    Panic(Panic),
}

impl<X> Trouble<X> {
    #[inline(always)]
    pub(crate) fn exited<V>(
        given: Result<Result<V, X>, Panic>,
        entries: Entries<X>,
    ) -> Exited<V, X> {
        match given {
            Ok(Ok(verdict)) => Ok(verdict),
            Ok(Err(error)) => Err(Self::Error(error, entries).boxed()),
            Err(panic) => Err(Self::Panic(panic).boxed()),
        }
    }

    #[cold]
    #[inline(never)]
    fn boxed(self) -> Box<Self> {
        Box::new(self)
    }
}

/// A started exit: boxed, for it outlives the future that awaits it (I3).
pub(crate) type Leaving<V, X> = Pin<Box<dyn Future<Output = Exited<V, X>> + Send>>;

/// How a body ended, in a form that an exit in a box can own.
#[derive(Clone)]
pub(crate) enum Fate {
    Success,
    Failure(Arc<Failed<dyn Fault>>),
    Panicked(Arc<str>),
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

impl Fate {
    /// The same without the body's error, which goes back to its owner: only its text stays.
    #[cold]
    pub(crate) fn detached(&self) -> Self {
        match self {
            Self::Failure(failed) => {
                // It is foreign code, and may panic.
                let text = catch_unwind(AssertUnwindSafe(|| failed.error.to_string()));
                let text = text.unwrap_or_else(|panic| {
                    lost::discard(Box::new(panic));
                    "an error whose text is not to be had".to_owned()
                });
                Self::Failure(Failed::new(text))
            }
            other => other.clone(),
        }
    }
}

impl Fate {
    /// Whether an error is in it that must be given back.
    pub(crate) fn borrows(&self) -> bool {
        matches!(self, Self::Failure(failed) if failed.is_lent())
    }

    pub(crate) fn of(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failure(failure) => Self::Failure(failure.0.clone()),
            Outcome::Panicked(panic) => Self::Panicked(panic.message().into()),
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
        (Self::Panic(panic), Fate::Panicked(message.into()))
    }

    pub(crate) fn cut() -> (Self, Fate) {
        (Self::Cut, Fate::Cancelled(frame::reason()))
    }

    /// Nobody is left to be told: tells the hook.
    #[cold]
    pub(crate) fn lose(self, label: &Label, suppressed: bool) {
        match self {
            Self::Error(failed) => {
                let suppressed = suppressed || failed.is_suppressed();
                let error = reclaim(failed);
                if !suppressed {
                    tell_error(error, Phase::Body, label);
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
    state: State<B, E>,
    pub(crate) owner: Owner<ScopeName<B>>,
}

enum State<B: Bracket, E> {
    Held(B::Held),
    Leaving(Leaving<B::Verdict, B::Error>),
    /// Leaving, and the body has left something to be told.
    Settling(Box<Settling<B, E>>),
    Left,
}

struct Settling<B: Bracket, E> {
    exit: Leaving<B::Verdict, B::Error>,
    unsettled: Unsettled<E>,
}

/// What the body has left to be told, and what its exit gave.
pub(crate) type Settled<B, E> = (
    Unsettled<E>,
    Exited<<B as Bracket>::Verdict, <B as Bracket>::Error>,
);

impl<B: Bracket, E: Fault> Slot<B, E>
where
    B::Held: 'static,
{
    #[inline(always)]
    pub(crate) fn new(held: B::Held, owner: Owner<ScopeName<B>>) -> Self {
        Self {
            state: State::Held(held),
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

    #[inline(always)]
    pub(crate) fn take_held(&mut self) -> B::Held {
        match std::mem::replace(&mut self.state, State::Left) {
            State::Held(held) => held,
            other => {
                // Were there a drop here, the guard would be moved by way of memory.
                std::mem::forget(other);
                unreachable!("an exit starts once")
            }
        }
    }

    /// Runs an exit that never suspends, after a success.
    #[inline(always)]
    pub(crate) fn exit_now(&mut self) -> Exited<B::Verdict, B::Error> {
        let held = self.take_held();
        let trace = self.owner.leave(&Fate::Success);
        let given = frame::in_sync_exit(&mut self.owner, || {
            let _inside = trace.inside();
            let exit = pin!(B::end(held, Outcome::Success));
            match exit.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(exited) => exited,
                Poll::Pending => unreachable!("only exits that never suspend are run so"),
            }
        });
        let exited = Trouble::exited(given, B::entries);
        trace.exited(&exited);
        exited
    }

    /// Starts the exit after a success.
    #[inline(always)]
    pub(crate) fn leave(&mut self) {
        if self.owner.has_jobs() {
            return self.leave_after(Fate::Success);
        }
        let held = self.take_held();
        let trace = self.owner.leave(&Fate::Success);
        let frame = self.owner.frame;
        // The box first, so that the exit is made in place. The async block owns the guard, so that only the guard must be `'static`, not the scope.
        let place = Box::new_uninit();
        let exit = async move {
            Trouble::exited(
                Exiting::new(B::end(held, *black_box(&SUCCESS)), frame).await,
                B::entries,
            )
        };
        let exit = Box::write(place, trace.exit(exit));
        let exit = Box::into_pin(exit);
        self.state = State::Leaving(exit);
    }

    /// Starts the exit once what the body has left behind has ended (I2).
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_after(&mut self, fate: Fate) {
        self.state = State::Leaving(self.leaving(fate));
    }

    /// Starts the exit after anything but a success, likewise.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_unsettled(&mut self, (unsettled, fate): (Unsettled<E>, Fate)) {
        let exit = self.leaving(fate);
        self.state = State::Settling(Box::new(Settling { exit, unsettled }));
    }

    fn leaving(&mut self, fate: Fate) -> Leaving<B::Verdict, B::Error> {
        let (held, kids) = (self.take_held(), self.owner.take_jobs());
        let trace = self.owner.leave(&fate);
        leaving::<B>(kids, held, fate, self.owner.frame, trace)
    }

    /// Polls the exit that was started after a success.
    #[inline(always)]
    pub(crate) fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<Exited<B::Verdict, B::Error>> {
        let State::Leaving(exit) = &mut self.state else {
            unreachable!("an exit is awaited once");
        };
        let polled = exit.as_mut().poll(cx);
        if polled.is_pending() {
            self.owner.settle_exit();
        } else {
            match std::mem::replace(&mut self.state, State::Left) {
                State::Leaving(exit) => drop(exit),
                other => std::mem::forget(other),
            }
        }
        polled
    }

    /// Leaves the exit that was started to whoever runs, as a job: it was lent an error, and ends before that goes back.
    #[cold]
    pub(crate) fn lend(&mut self) -> Asked<Exited<B::Verdict, B::Error>> {
        let State::Leaving(exit) = std::mem::replace(&mut self.state, State::Left) else {
            unreachable!("it was started");
        };
        let label = self.owner.label();
        let (answer, asked) = lent::answer(label.clone(), |exited, label| {
            tell_exited(exited, label);
        });
        self.owner.lend(Box::pin(async move {
            let exited = driven(exit, &label).await;
            if let Err(exited) = answer.give(exited) {
                tell_exited(exited, &label);
            }
        }));
        asked
    }

    /// Polls the exit that was started after anything else.
    #[cold]
    #[inline(never)]
    pub(crate) fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<Settled<B, E>> {
        let State::Settling(settling) = &mut self.state else {
            unreachable!("an exit is awaited once");
        };
        let Poll::Ready(exited) = settling.exit.as_mut().poll(cx) else {
            self.owner.settle_exit();
            return Poll::Pending;
        };
        match std::mem::replace(&mut self.state, State::Left) {
            State::Settling(settling) => Poll::Ready((settling.unsettled, exited)),
            _ => unreachable!("an exit gives its result once"),
        }
    }

    /// Whether there is nothing to drop.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.state, State::Left) && self.owner.is_plain()
    }

    #[cold]
    #[inline(never)]
    fn hand_over(&mut self) {
        let label = self.owner.label();
        let dropping = frame::dropping();
        if dropping == Dropping::MovedOn {
            lost::tell(Entry::new(What::Overdue).at(Phase::Exit, &label));
        }
        let started = !matches!(self.state, State::Held(_));
        let mut kids = Jobs::NONE;
        let (exit, unsettled) = match std::mem::replace(&mut self.state, State::Left) {
            State::Left => return,
            State::Held(held) => {
                kids = self.owner.take_jobs();
                let fate = Fate::Cancelled(frame::reason());
                let trace = self.owner.leave(&fate);
                let exit = leaving::<B>(Jobs::NONE, held, fate, self.owner.frame, trace);
                (exit, Unsettled::<E>::Nothing)
            }
            State::Leaving(exit) => (exit, Unsettled::Nothing),
            State::Settling(settling) => (settling.exit, settling.unsettled),
        };
        if started && dropping == Dropping::Abandoned {
            return abandon(exit, unsettled, &label);
        }
        let work = Box::pin(finish(exit, unsettled, label));
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
    trace: Trace,
) -> Leaving<B::Verdict, B::Error>
where
    B::Held: 'static,
{
    Box::pin(trace.exit(async move {
        kids.drain().await;
        Trouble::exited(
            Exiting::new(B::end(held, fate.outcome()), frame).await,
            B::entries,
        )
    }))
}
