//! A scope from two closures.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek};
use crate::failure::Fault;
use crate::outcome::Outcome;
use crate::runtime::Timer;
use crate::send_fn::SendFn;
use crate::verdict::IntoVerdict;

use super::escalate::Releasing;

/// Begins a scope from two closures: what acquires, and by [`release`](Acquire::release) what releases.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use withal::{ScopeExt, acquire};
///
/// # withal_testing::block_on(async {
/// let address = String::from("localhost");
/// let connect = acquire(async || io::Result::Ok(address.len())).release(async |_connection, outcome| {
///     println!("closing after {outcome}");
///     Ok(())
/// });
/// assert_eq!(connect.with(async |length| io::Result::Ok(*length)).await?, 9);
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Cancel safety
///
/// The closure that acquires may be dropped at any of its awaits, unless the scope is [`protected`](crate::ScopeExt::protected).
pub fn acquire<A, G, X>(acquire: A) -> Acquire<A, G, X>
where
    A: AsyncFnOnce() -> Result<G, X> + SendFn<(), Result<G, X>>,
{
    Acquire {
        acquire,
        types: PhantomData,
    }
}

/// Half a scope: see [`acquire`].
#[must_use = "half a scope; give it a `release`"]
pub struct Acquire<A, G, X> {
    acquire: A,
    types: PhantomData<fn() -> (G, X)>,
}

impl<A, G, X> Acquire<A, G, X> {
    /// Completes the scope with what releases.
    ///
    /// The closure gets the guard and the outcome, and answers `()` or a [`Verdict`](crate::Verdict).
    pub fn release<R, Y>(self, release: R) -> Released<A, R, G, X, Y>
    where
        Y: IntoVerdict,
        R: AsyncFnOnce(G, Outcome<'_>) -> Result<Y, X>
            + for<'a> SendFn<(G, Outcome<'a>), Result<Y, X>>
            + 'static,
    {
        Released {
            acquire: self.acquire,
            release,
            types: PhantomData,
        }
    }

    /// Completes the scope with a release that may be tried more than once, and in more than one way: see [`releasing`](crate::releasing).
    ///
    /// The error of the scope is a [`Report`](crate::Report).
    #[track_caller]
    pub fn releasing<T, R>(self, timer: &T, step: R) -> Releasing<A, G, X, T>
    where
        G: Send,
        X: Fault,
        T: Timer + Clone + Send + Sync + 'static,
        R: AsyncFnOnce(&mut G, Outcome<'_>) -> Result<(), X>
            + for<'a> SendFn<(&'a mut G, Outcome<'a>), Result<(), X>>
            + Clone
            + Sync
            + 'static,
    {
        Releasing::new(self.acquire, timer, "acquire").or_else(step)
    }
}

/// A scope from two closures: see [`acquire`].
#[must_use = "a scope does nothing unless it is run"]
pub struct Released<A, R, G, X, Y> {
    acquire: A,
    release: R,
    types: PhantomData<fn() -> (G, X, Y)>,
}

/// What a [`Released`] holds.
#[doc(hidden)]
pub struct Held<G, R> {
    guard: G,
    release: R,
}

impl<A, R, G, X, Y> Bracket for Released<A, R, G, X, Y>
where
    A: SendFn<(), Result<G, X>>,
    R: for<'a> SendFn<(G, Outcome<'a>), Result<Y, X>>,
    G: Send,
    X: Fault,
    Y: IntoVerdict,
{
    type Held = Held<G, R>;
    type View = G;
    type Error = X;
    type Verdict = Y::Verdict;
    type Tag = ();

    fn tag(&self) {}

    fn name((): &()) -> Cow<'static, str> {
        Cow::Borrowed("acquire")
    }

    #[allow(clippy::manual_async_fn)] // an async fn would store the `Armed`
    fn begin(self, _: Armed<Self::Held>) -> impl Future<Output = Result<Self::Held, X>> + Send {
        async move {
            Ok(Held {
                guard: self.acquire.call_send(()).await?,
                release: self.release,
            })
        }
    }

    fn view(held: &mut Self::Held) -> &mut G {
        &mut held.guard
    }

    async fn end(held: Self::Held, outcome: Outcome<'_>) -> Result<Y::Verdict, X> {
        let answer = held.release.call_send((held.guard, outcome)).await?;
        Ok(answer.into_verdict())
    }
}

impl<A, R, G, X, Y> Peek for Released<A, R, G, X, Y>
where
    Self: Bracket<Held = Held<G, R>, View = G>,
{
    fn peek(held: &Held<G, R>) -> &G {
        &held.guard
    }
}

impl<A, R, G, X, Y> Member for Released<A, R, G, X, Y>
where
    Self: Bracket<Held = Held<G, R>>,
    G: Send,
    R: Send,
{
    type Part = G;
    type Rest = R;

    fn part(held: Held<G, R>) -> (G, R) {
        (held.guard, held.release)
    }

    fn whole(guard: G, release: R) -> Held<G, R> {
        Held { guard, release }
    }
}

impl<A, G, X> fmt::Debug for Acquire<A, G, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acquire")
    }
}

impl<A, R, G, X, Y> fmt::Debug for Released<A, R, G, X, Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Released")
    }
}

impl<G, R> fmt::Debug for Held<G, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}
