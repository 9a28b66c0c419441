//! A scope whose enter cannot be cut half-way.

use std::borrow::Cow;
use std::future::poll_fn;
use std::panic::{Location, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::bracket::{Bracket, Peek};
use crate::frame::{self, Exit, Framed, Panic};
use crate::lost;
use crate::orphan::Jobs;
use crate::outcome::Outcome;
use crate::owner::{Owner, ScopeName};
use crate::report::{Entry, Phase, What};
use crate::slot::{Fate, ToHome, Unsettled, finish, leaving, not_cut};

/// A scope with a protected enter: see [`ScopeExt::protected`](crate::ScopeExt::protected).
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct Protected<S> {
    scope: S,
    location: &'static Location<'static>,
}

impl<S> Protected<S> {
    #[track_caller]
    pub(crate) fn new(scope: S) -> Self {
        Self {
            scope,
            location: Location::caller(),
        }
    }
}

impl<S> Bracket for Protected<S>
where
    S: Bracket + Send + 'static,
    S::Held: 'static,
{
    type Held = S::Held;
    type View = S::View;
    type Error = S::Error;
    type Verdict = S::Verdict;
    type Tag = S::Tag;

    const SUSPENDS: bool = S::SUSPENDS;

    fn tag(&self) -> S::Tag {
        self.scope.tag()
    }

    fn name(tag: &S::Tag) -> Cow<'static, str> {
        S::name(tag)
    }

    async fn open(self) -> Result<S::Held, S::Error> {
        let owner = Owner::new(ScopeName::<S>(self.scope.tag()), self.location);
        let scope = self.scope;
        // Its frame is that of an exit: what it opens is shielded from a canceller, too.
        let enter = Box::pin(async move {
            let enter = async move { scope.open().await };
            let mut enter = pin!(Framed::<_, ToHome, Exit>::new(enter, ToHome));
            let entered = enter.as_mut().await;
            poll_fn(|cx| enter.as_mut().poll_jobs(cx)).await;
            not_cut(entered)
        });
        let entering = Entering::<S> {
            enter: Some(enter),
            owner,
        };
        match entering.await {
            Ok(entered) => entered,
            Err(panic) => resume_unwind(*panic),
        }
    }

    fn view(held: &mut S::Held) -> &mut S::View {
        S::view(held)
    }

    fn close(
        held: S::Held,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<S::Verdict, S::Error>> + Send {
        S::close(held, outcome)
    }
}

impl<S> Peek for Protected<S>
where
    S: Peek + Send + 'static,
    S::Held: 'static,
{
    fn peek(held: &S::Held) -> &S::View {
        S::peek(held)
    }
}

type Entered<S> = Result<Result<<S as Bracket>::Held, <S as Bracket>::Error>, Panic>;

/// A started enter that, dropped, becomes a job: to its end, and then the exit.
struct Entering<S: Bracket>
where
    S::Held: 'static,
{
    enter: Option<Pin<Box<dyn Future<Output = Entered<S>> + Send>>>,
    owner: Owner<ScopeName<S>>,
}

impl<S: Bracket> Future for Entering<S>
where
    S::Held: 'static,
{
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
impl<S: Bracket> Unpin for Entering<S> where S::Held: 'static {}

impl<S: Bracket> Drop for Entering<S>
where
    S::Held: 'static,
{
    fn drop(&mut self) {
        let Some(enter) = self.enter.take() else {
            return;
        };
        let label = self.owner.label();
        let reason = frame::reason();
        self.owner.orphan(Box::pin(async move {
            match enter.await {
                Ok(Ok(held)) => {
                    let exit = leaving::<S>(Jobs::NONE, held, Fate::Cancelled(reason));
                    let nothing = Unsettled::<std::convert::Infallible>::Nothing;
                    finish(exit, nothing, label).await;
                }
                Ok(Err(error)) => {
                    let what = What::Fault(Box::new(error));
                    lost::tell(Entry::new(what).at(Phase::Enter, &label));
                }
                Err(panic) => {
                    lost::tell_panic(&**panic, Phase::Enter, &label);
                    lost::discard(panic);
                }
            }
        }));
    }
}
