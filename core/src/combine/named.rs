//! A scope with a name of its own.

use std::borrow::Cow;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek};
use crate::outcome::Outcome;
use crate::report::Entry;

/// A named scope: see [`ScopeExt::named`](crate::ScopeExt::named).
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct Named<S> {
    scope: S,
    name: Cow<'static, str>,
}

impl<S> Named<S> {
    pub(crate) fn new(scope: S, name: Cow<'static, str>) -> Self {
        Self { scope, name }
    }
}

impl<S: Bracket> Bracket for Named<S> {
    type Held = S::Held;
    type View = S::View;
    type Error = S::Error;
    type Verdict = S::Verdict;
    type Tag = Cow<'static, str>;

    const SUSPENDS: bool = S::SUSPENDS;

    fn tag(&self) -> Self::Tag {
        self.name.clone()
    }

    fn name(tag: &Self::Tag) -> Cow<'static, str> {
        tag.clone()
    }

    fn begin(
        self,
        armed: Armed<S::Held>,
    ) -> impl Future<Output = Result<S::Held, S::Error>> + Send {
        self.scope.begin(armed)
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

impl<S: Member> Member for Named<S> {
    type Part = S::Part;
    type Rest = S::Rest;

    fn part(held: S::Held) -> (S::Part, S::Rest) {
        S::part(held)
    }

    fn whole(part: S::Part, rest: S::Rest) -> S::Held {
        S::whole(part, rest)
    }
}

impl<S: Peek> Peek for Named<S> {
    fn peek(held: &S::Held) -> &S::View {
        S::peek(held)
    }
}
