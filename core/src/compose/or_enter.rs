//! A scope that is entered in place of another one.

use std::future::{pending, poll_fn};
use std::panic::{Location, resume_unwind};

use crate::frame::{self, Cuttable};
use crate::framed::{Framed, Heir, Stop};
use crate::owner::{Fixed, Owner};
use crate::raise::Or;

use super::alternative::alternative;
use super::one_of::OneOf;

/// A scope, and another one if it cannot be entered: see [`ScopeExt::or_enter`](crate::ScopeExt::or_enter).
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct OrEnter<A, B>(A, B);

impl<A, B> OrEnter<A, B> {
    pub(crate) fn new(first: A, second: B) -> Self {
        Self(first, second)
    }
}

/// Enters the second if the first has failed, and what that has left behind has ended.
async fn begin<A, B, X: Send, Y>(
    first: impl Future<Output = Result<A, X>>,
    second: impl Future<Output = Result<B, Y>>,
    location: &'static Location<'static>,
) -> Result<Or<A, B>, OneOf<X, Y>> {
    let mut owner = Owner::new(Fixed("or_enter"), location);
    let first = match Framed::<_, _, _, Cuttable>::new(first, &mut owner).await {
        Ok(Ok(held)) => return Ok(Or::A(held)),
        Ok(Err(error)) => error,
        Err(Stop::Panicked(panic)) => resume_unwind(*panic),
        Err(Stop::Cut) => pending().await,
    };
    poll_fn(|cx| owner.poll_jobs(cx)).await;
    drop(owner);
    if frame::is_closing() {
        frame::held_off().await;
    }
    match second.await {
        Ok(held) => Ok(Or::B(held)),
        Err(second) => Err(OneOf::Both { first, second }),
    }
}

alternative! { OrEnter }
