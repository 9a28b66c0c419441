//! The first of two scopes to enter.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::bracket::Bracket;
use crate::lost;
use crate::raise::Or;
use crate::report::{Entry, Phase, What};

use super::alternative::alternative;
use super::one_of::OneOf;

/// Two scopes of which the first to enter is used: see [`race`].
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct Race<A, B>(A, B);

/// Enters two scopes at once and keeps the one that enters first.
///
/// The loser is released: its enter is dropped, with everything that it has opened so far, or driven to its end and exited if it is [`protected`](crate::ScopeExt::protected).
/// The body does not wait for that: whoever is around the race finishes it, as it does with every orphan.
/// Both are entered at the first poll, the first one first; at a draw it wins.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::future::pending;
/// use std::io;
/// use withal::{ScopeExt, acquire, race};
///
/// # withal_testing::block_on(async {
/// let far = acquire(async || io::Result::Ok(pending::<&str>().await)).release(async |_, _| Ok(()));
/// let near = acquire(async || io::Result::Ok("near")).release(async |_, _| Ok(()));
/// assert_eq!(race(far, near).with(async |server| io::Result::Ok(*server)).await?, "near");
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Errors
///
/// If neither enters, both errors, as [`OneOf::Both`]. The error of one of them is told nowhere if the other enters.
///
/// # Cancel safety
///
/// Cut while both enter, nothing is acquired. There is no moment at which a winner could be lost.
pub fn race<A, B>(a: A, b: B) -> Race<A, B>
where
    A: Bracket + Send,
    B: Bracket<View = A::View> + Send,
{
    Race(a, b)
}

async fn begin<A, B, X: Send, Y: Send>(
    a: impl Future<Output = Result<A, X>>,
    b: impl Future<Output = Result<B, Y>>,
    _: &'static Location<'static>,
) -> Result<Or<A, B>, OneOf<X, Y>> {
    let (mut a, mut b) = (pin!(Some(a)), pin!(Some(b)));
    let (mut first, mut second) = (None, None);
    poll_fn(|cx| {
        if let Some(enter) = a.as_mut().as_pin_mut()
            && let Poll::Ready(entered) = enter.poll(cx)
        {
            match entered {
                Ok(held) => {
                    let_go(b.as_mut());
                    return Poll::Ready(Ok(Or::A(held)));
                }
                Err(error) => {
                    first = Some(error);
                    a.set(None);
                }
            }
        }
        if let Some(enter) = b.as_mut().as_pin_mut()
            && let Poll::Ready(entered) = enter.poll(cx)
        {
            match entered {
                Ok(held) => {
                    let_go(a.as_mut());
                    return Poll::Ready(Ok(Or::B(held)));
                }
                Err(error) => {
                    second = Some(error);
                    b.set(None);
                }
            }
        }
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => Poll::Ready(Err(OneOf::Both { first, second })),
            left => {
                (first, second) = left;
                Poll::Pending
            }
        }
    })
    .await
}

/// Drops the loser. Its panic must not take the winner along (I7).
fn let_go<F>(mut loser: Pin<&mut Option<F>>) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| loser.set(None))) {
        let panicked = What::Panic(lost::message(&*panic).to_owned());
        lost::tell(Entry::new(panicked).in_phase(Phase::Enter));
        lost::discard(Box::new(panic));
    }
}

alternative! { Race }
