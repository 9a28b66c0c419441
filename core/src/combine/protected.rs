//! A scope whose enter cannot be cut half-way.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek};
use crate::exiting::Exiting;
use crate::frame::{self, Panic};
use crate::lost;
use crate::orphan::{Jobs, Work};
use crate::outcome::{Outcome, Reason};
use crate::owner::{Owner, ScopeName};
use crate::report::{Entry, Label, Phase};
use crate::slot::{Fate, Unsettled, leaving};
use crate::untold::{finish, tell_entries};
use crate::watch::Trace;

/// A scope with a protected enter: see [`ScopeExt::protected`](crate::ScopeExt::protected).
#[must_use = "a scope does nothing unless it is run"]
pub struct Protected<S: Bracket> {
    enter: Enter<S>,
    // What needs `'static` is made where the method asks for it, and not in the impl: there the bound would take `Send`
    // from futures, inside of an async block, whose scope has any reference in it, be it a `&'static str`.
    rescue: fn(Enter<S>, Label, Reason) -> Work,
    tag: S::Tag,
    location: &'static Location<'static>,
}

type Enter<S> = Pin<Box<dyn Future<Output = Entered<S>> + Send>>;
type Entered<S> = Result<Result<<S as Bracket>::Held, <S as Bracket>::Error>, Panic>;

impl<S: Bracket> Protected<S> {
    #[track_caller]
    pub(crate) fn new(scope: S) -> Self
    where
        S: Send + 'static,
        S::Held: 'static,
    {
        let location = Location::caller();
        Self {
            tag: scope.tag(),
            // Its frame is that of an exit: what it opens is shielded from a canceller, too.
            enter: Box::pin(async move {
                let enter = async move { scope.begin(Armed::new(location)).await };
                Exiting::new(enter, frame::next_id()).await
            }),
            rescue: |enter, label, reason| Box::pin(rescue::<S>(enter, label, reason)),
            location,
        }
    }
}

/// Drives an enter that was cut to its end, and then exits.
async fn rescue<S: Bracket>(enter: Enter<S>, label: Label, reason: Reason)
where
    S::Held: 'static,
{
    match enter.await {
        Ok(Ok(held)) => {
            let (fate, frame) = (Fate::Cancelled(reason), frame::next_id());
            let exit = leaving::<S>(Jobs::NONE, held, fate, frame, Trace::NONE);
            finish(exit, Unsettled::<Infallible>::Nothing, label).await;
        }
        Ok(Err(error)) => {
            tell_entries(S::entries(error), Phase::Enter, &label);
        }
        Err(panic) => {
            lost::tell_panic(&**panic, Phase::Enter, &label);
            lost::discard(panic);
        }
    }
}

impl<S: Bracket> Bracket for Protected<S> {
    type Held = S::Held;
    type View = S::View;
    type Error = S::Error;
    type Verdict = S::Verdict;
    type Tag = S::Tag;

    const SUSPENDS: bool = S::SUSPENDS;

    fn tag(&self) -> S::Tag {
        self.tag.clone()
    }

    fn name(tag: &S::Tag) -> Cow<'static, str> {
        S::name(tag)
    }

    #[allow(clippy::manual_async_fn)] // an async fn would store the `Armed`
    fn begin(self, _: Armed<S::Held>) -> impl Future<Output = Result<S::Held, S::Error>> + Send {
        async move {
            let entering = Entering::<S> {
                enter: Some(self.enter),
                rescue: self.rescue,
                owner: Owner::new(ScopeName::<S>(self.tag), self.location),
            };
            match entering.await {
                Ok(entered) => entered,
                Err(panic) => resume_unwind(*panic),
            }
        }
    }

    fn view(held: &mut S::Held) -> &mut S::View {
        S::view(held)
    }

    fn entries(error: S::Error) -> Vec<Entry> {
        S::entries(error)
    }

    fn end(
        held: S::Held,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<S::Verdict, S::Error>> + Send {
        S::end(held, outcome)
    }
}

impl<S: Member> Member for Protected<S> {
    type Part = S::Part;
    type Rest = S::Rest;

    fn part(held: S::Held) -> (S::Part, S::Rest) {
        S::part(held)
    }

    fn whole(part: S::Part, rest: S::Rest) -> S::Held {
        S::whole(part, rest)
    }
}

impl<S: Peek> Peek for Protected<S> {
    fn peek(held: &S::Held) -> &S::View {
        S::peek(held)
    }
}

/// A started enter that, dropped, becomes a job.
struct Entering<S: Bracket> {
    enter: Option<Enter<S>>,
    rescue: fn(Enter<S>, Label, Reason) -> Work,
    owner: Owner<ScopeName<S>>,
}

impl<S: Bracket> Future for Entering<S> {
    type Output = Entered<S>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Entered<S>> {
        let Some(enter) = &mut self.enter else {
            return Poll::Pending;
        };
        let polled = enter.as_mut().poll(cx);
        if polled.is_ready() {
            self.enter = None;
        }
        polled
    }
}

// Nothing in it is pinned in place: the enter has a box of its own.
impl<S: Bracket> Unpin for Entering<S> {}

impl<S: Bracket> Drop for Entering<S> {
    fn drop(&mut self) {
        if let Some(enter) = self.enter.take() {
            let work = (self.rescue)(enter, self.owner.label(), frame::reason());
            self.owner.orphan(Jobs::NONE, work);
        }
    }
}

impl<S: Bracket> fmt::Debug for Protected<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Protected")
            .field(&S::name(&self.tag))
            .finish()
    }
}
