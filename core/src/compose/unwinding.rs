//! The exits of a composite, one by one: what each of them sees, and what comes of all of them.

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::bracket::Bracket;
use crate::exiting::Exiting;
use crate::failure::{Failed, FailureRef, Fault};
use crate::frame::{self, Panic};
use crate::lost;
use crate::outcome::{Outcome, PanicRef};
use crate::report::{Entry, Label, Phase, What};
use crate::verdict::Verdict;

use super::crew::Seat;
use super::debt::Debt;

/// How far the exits of a composite have come; `X` is its error.
///
/// What they see and what is returned is as if their scopes were nested: the state of the moment, and the first error that nobody has suppressed.
pub struct Unwinding<'a, X> {
    /// How the body has ended.
    outcome: Outcome<'a>,
    /// An exit has suppressed the error of the body.
    suppressed: bool,
    /// The first error of an exit, unless a further one has suppressed it.
    own: Option<Own<X>>,
    /// The first panic, which goes on at the end (I7), and its message.
    panic: Option<(Panic, String)>,
    location: &'static Location<'static>,
}

struct Own<X> {
    debt: Debt<X>,
    lent: Arc<Failed<dyn Fault>>,
}

/// Which failure an exit has seen.
#[derive(Clone, Copy)]
enum Saw {
    Nothing,
    Body,
    /// That of the body, together with all the others.
    BodyToo,
    Own,
}

/// A member that has exited.
pub(super) struct Gone<S: Bracket> {
    tag: S::Tag,
    gave: Result<Result<S::Verdict, S::Error>, Panic>,
}

impl<'a, X> Unwinding<'a, X> {
    pub(super) fn new(outcome: Outcome<'a>, location: &'static Location<'static>) -> Self {
        Self {
            outcome,
            suppressed: false,
            own: None,
            panic: None,
            location,
        }
    }

    /// Exits who sits there.
    #[inline]
    pub(super) async fn exit<S: Bracket>(&mut self, seat: &mut Seat<S>, inject: fn(S::Error) -> X)
    where
        X: 'static,
    {
        let (outcome, saw) = self.current();
        let gone = leave::<S>(seat, outcome).await;
        self.note(gone, saw, inject);
    }

    /// Notes what came of an exit that has seen how the body ended, beside others.
    pub(super) fn note_one<S: Bracket>(&mut self, gone: Option<Gone<S>>, inject: fn(S::Error) -> X)
    where
        X: 'static,
    {
        let saw = match self.outcome {
            Outcome::Failure(_) => Saw::BodyToo,
            _ => Saw::Nothing,
        };
        self.note(gone, saw, inject);
    }

    /// How the body has ended, for exits that all see the same.
    pub(super) fn outcome(&self) -> Outcome<'a> {
        self.outcome
    }

    /// What the next exit sees.
    #[inline]
    fn current(&self) -> (Outcome<'_>, Saw) {
        if let Some((_, message)) = &self.panic {
            return (Outcome::Panicked(PanicRef(message)), Saw::Nothing);
        }
        match (self.outcome, &self.own) {
            (Outcome::Failure(_), _) if !self.suppressed => (self.outcome, Saw::Body),
            (Outcome::Failure(_) | Outcome::Success, Some(own)) => {
                (Outcome::Failure(FailureRef(&own.lent)), Saw::Own)
            }
            (Outcome::Failure(_), None) => (Outcome::Success, Saw::Nothing),
            (outcome, _) => (outcome, Saw::Nothing),
        }
    }

    #[inline]
    fn note<S: Bracket>(&mut self, gone: Option<Gone<S>>, saw: Saw, inject: fn(S::Error) -> X)
    where
        X: 'static,
    {
        match gone {
            None => {}
            Some(Gone {
                gave: Ok(Ok(verdict)),
                ..
            }) if !verdict.suppresses() => {}
            Some(gone) => self.note_more(gone, saw, inject),
        }
    }

    #[cold]
    fn note_more<S: Bracket>(&mut self, gone: Gone<S>, saw: Saw, inject: fn(S::Error) -> X)
    where
        X: 'static,
    {
        let Gone { tag, gave } = gone;
        match gave {
            Ok(Ok(_)) => self.suppress(saw),
            Ok(Err(error)) => {
                self.look(saw);
                let debt = Debt::new(
                    error,
                    (Phase::Exit, self.label(S::name(&tag))),
                    inject,
                    S::entries,
                );
                if self.own.is_none() && self.panic.is_none() {
                    let lent = debt.lend();
                    self.own = Some(Own { debt, lent });
                } else {
                    debt.tell();
                }
            }
            Err(panic) => {
                self.look(saw);
                let is_first = self.panic.is_none();
                if is_first && !matches!(self.outcome, Outcome::Panicked(_)) {
                    let message = lost::message(&**panic).to_owned();
                    self.panic = Some((panic, message));
                    if let Some(Own { debt, lent }) = self.own.take() {
                        drop(lent);
                        debt.tell();
                    }
                } else {
                    lost::tell_panic(&**panic, Phase::Exit, &self.label(S::name(&tag)));
                    lost::discard(panic);
                }
            }
        }
    }

    fn is_lasting(&self) -> bool {
        matches!(self.outcome, Outcome::Failure(failure) if failure.0.is_lasting())
    }

    fn suppress(&mut self, saw: Saw) {
        match saw {
            Saw::Nothing => {}
            Saw::Body | Saw::BodyToo if self.is_lasting() => {}
            Saw::Body => {
                self.suppressed = true;
                // An error beside that of the body: were the scopes nested, the inner block would have told it.
                if let Some(Own { debt, lent }) = self.own.take() {
                    drop(lent);
                    debt.tell();
                }
            }
            Saw::BodyToo => self.suppressed = true,
            Saw::Own => self.own = None,
        }
    }

    /// Looks whether an exit that went wrong is a composite of which a part has suppressed what it saw.
    fn look(&mut self, saw: Saw) {
        let lent = match (saw, self.outcome, &self.own) {
            (Saw::Body | Saw::BodyToo, Outcome::Failure(failure), _) => failure.0,
            (Saw::Own, _, Some(own)) => &own.lent,
            _ => return,
        };
        if lent.is_suppressed() {
            self.suppress(saw);
        }
    }

    #[cold]
    fn label(&self, name: Cow<'static, str>) -> Label {
        Label {
            name,
            location: self.location,
        }
    }

    /// What the composite's exit gives.
    #[inline]
    pub(super) fn finish<V: Verdict>(self) -> Result<V, X> {
        if self.panic.is_none() && self.own.is_none() {
            return Ok(V::new(self.suppressed));
        }
        Err(self.finish_badly())
    }

    /// # Panics
    ///
    /// With the first panic of an exit.
    #[cold]
    fn finish_badly(mut self) -> X {
        let (panic, own) = (self.panic.take(), self.own.take());
        if let Outcome::Failure(failure) = self.outcome
            && self.suppressed
        {
            failure.0.suppress();
        }
        match (panic, own) {
            (Some((panic, _)), _) => resume_unwind(*panic),
            (None, Some(Own { debt, lent })) => {
                drop(lent);
                debt.take()
            }
            (None, None) => unreachable!("one of them is there"),
        }
    }
}

/// Dropped before its end, it tells what it has kept.
impl<X> Drop for Unwinding<'_, X> {
    fn drop(&mut self) {
        if let Some(Own { debt, lent }) = self.own.take() {
            drop(lent);
            debt.tell();
        }
        if let Some((panic, message)) = self.panic.take() {
            let panicked = What::Panic(message);
            lost::tell(Entry::new(panicked).in_phase(Phase::Exit));
            lost::discard(panic);
        }
    }
}

impl<X> fmt::Debug for Unwinding<'_, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unwinding").field(&self.outcome).finish()
    }
}

/// Exits who sits there. The seat is empty from the start of the exit, and never unwinds.
#[inline]
pub(super) async fn leave<S: Bracket>(seat: &mut Seat<S>, outcome: Outcome<'_>) -> Option<Gone<S>> {
    let (held, tag) = seat.take()?;
    let gave = if S::SUSPENDS {
        // In a frame of its own: what it opens ends before it does (I6).
        let exit = async move { S::end(held, outcome).await };
        Exiting::new(exit, frame::next_id()).await
    } else {
        catch_unwind(AssertUnwindSafe(|| {
            let exit = pin!(S::end(held, outcome));
            match exit.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(exited) => exited,
                Poll::Pending => unreachable!("only exits that never suspend are run so"),
            }
        }))
        .map_err(Box::new)
    };
    Some(Gone { tag, gave })
}
