//! An exit stack is itself a scope: it nests, and is a member of everything that takes scopes.

use std::borrow::Cow;
use std::future::{poll_fn, ready};
use std::panic::resume_unwind;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek};
use crate::outcome::Outcome;
use crate::report::Report;
use crate::slot::Fate;
use crate::verdict::Verdict;

use super::ExitStack;
use super::list::Closing;
use super::unwinding::Unwinding;

impl<V: Verdict> Bracket for ExitStack<V> {
    type Held = Self;
    type View = Self;
    type Error = Report;
    type Verdict = V;
    type Tag = ();

    fn tag(&self) {}

    fn name((): &()) -> Cow<'static, str> {
        Cow::Borrowed("ExitStack")
    }

    fn begin(self, _: Armed<Self>) -> impl Future<Output = Result<Self, Report>> + Send {
        ready(Ok(self))
    }

    fn view(held: &mut Self) -> &mut Self {
        held
    }

    async fn end(mut held: Self, outcome: Outcome<'_>) -> Result<V, Report> {
        let fate = Fate::of(outcome);
        let unwound = match held.shared.dismantle() {
            Some((places, settings, owner)) => {
                held.owns = false;
                Unwinding::owned(places, settings, fate, owner).await
            }
            None => match held.shared.begin_close(&fate) {
                Closing::First(owner) => {
                    let unwound = Unwinding::new(held.shared.clone(), fate, owner).await;
                    held.shared.forget_result();
                    unwound
                }
                // Who has closed it in the body has the result.
                Closing::Waits => {
                    let _ = poll_fn(|cx| held.shared.poll_closed(cx)).await;
                    return Ok(V::PROPAGATE);
                }
                Closing::Inside | Closing::Closed(_) => return Ok(V::PROPAGATE),
            },
        };
        match unwound {
            Ok(result) => result,
            Err(panic) => resume_unwind(*panic),
        }
    }
}

impl<V: Verdict> Peek for ExitStack<V> {
    fn peek(held: &Self) -> &Self {
        held
    }
}

impl<V: Verdict> Member for ExitStack<V> {
    type Part = Self;
    type Rest = ();

    fn part(held: Self) -> (Self, ()) {
        (held, ())
    }

    fn whole(part: Self, (): ()) -> Self {
        part
    }
}
