//! A scope that is entered if it is there.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek};
use crate::lost;
use crate::outcome::Outcome;
use crate::report::{Entry, Label, Phase, What};
use crate::verdict::Verdict;

/// What an `Option` of a scope holds.
#[doc(hidden)]
pub struct Held<P, R, G, H> {
    part: Option<P>,
    rest: Rest<R, G, H>,
}

/// What an `Option` of a scope holds beside its part.
#[doc(hidden)]
pub struct Rest<R, G, H> {
    inner: Option<(R, G)>,
    location: &'static Location<'static>,
    whole: PhantomData<fn() -> H>,
}

#[diagnostic::do_not_recommend]
impl<S: Member + Send> Bracket for Option<S> {
    type Held = Held<S::Part, S::Rest, S::Tag, S::Held>;
    type View = Option<S::Part>;
    type Error = S::Error;
    type Verdict = S::Verdict;
    type Tag = Option<S::Tag>;

    const SUSPENDS: bool = S::SUSPENDS;

    fn tag(&self) -> Self::Tag {
        self.as_ref().map(S::tag)
    }

    fn name(tag: &Self::Tag) -> Cow<'static, str> {
        tag.as_ref().map_or(Cow::Borrowed("None"), S::name)
    }

    async fn begin(self, armed: Armed<Self::Held>) -> Result<Self::Held, S::Error> {
        let (mut part, mut inner) = (None, None);
        if let Some(scope) = self {
            let tag = scope.tag();
            let held = scope.begin(armed.inner()).await?;
            let (shown, rest) = S::part(held);
            (part, inner) = (Some(shown), Some((rest, tag)));
        }
        let rest = Rest {
            inner,
            location: armed.location(),
            whole: PhantomData,
        };
        Ok(Held { part, rest })
    }

    fn view(held: &mut Self::Held) -> &mut Self::View {
        &mut held.part
    }

    fn entries(error: S::Error) -> Vec<Entry> {
        S::entries(error)
    }

    async fn end(held: Self::Held, outcome: Outcome<'_>) -> Result<S::Verdict, S::Error> {
        let Rest {
            inner, location, ..
        } = held.rest;
        match (held.part, inner) {
            (Some(part), Some((rest, _))) => S::end(S::whole(part, rest), outcome).await,
            (None, Some((_, tag))) => {
                let name = S::name(&tag);
                let label = Label { name, location };
                lost::tell(Entry::new(What::Forgotten).at(Phase::Exit, &label));
                Ok(S::Verdict::PROPAGATE)
            }
            (_, None) => Ok(S::Verdict::PROPAGATE),
        }
    }
}

impl<S: Member + Send> Member for Option<S> {
    type Part = Option<S::Part>;
    type Rest = Rest<S::Rest, S::Tag, S::Held>;

    fn part(held: Self::Held) -> (Self::Part, Self::Rest) {
        (held.part, held.rest)
    }

    fn whole(part: Self::Part, rest: Self::Rest) -> Self::Held {
        Held { part, rest }
    }
}

impl<S: Member + Send> Peek for Option<S> {
    fn peek(held: &Self::Held) -> &Self::View {
        &held.part
    }
}

impl<P, R, G, H> fmt::Debug for Held<P, R, G, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

impl<R, G, H> fmt::Debug for Rest<R, G, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest")
    }
}
