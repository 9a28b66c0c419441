//! A scope that is one async function: the enter up to its yield point, the exit from there on.

use std::borrow::Cow;
use std::fmt;
use std::future::{pending, poll_fn};
use std::ops::{Deref, DerefMut};
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek};
use crate::compose::entering::entering;
use crate::exiting::Exiting;
use crate::failure::Fault;
use crate::framed::{Heir, Stop};
use crate::outcome::Outcome;
use crate::owner::{Called, Owner};
use crate::scope::LocalScope;
use crate::verdict::IntoVerdict;

pub(crate) mod passage;

use passage::{Passage, Provide};

/// Makes a scope of one async function, which provides its guard in the middle.
///
/// What comes before [`provide`](Provide::provide) is the enter, what comes after it is the exit; in between the guard is with the body.
/// The guard is moved there and back, so that it needs no pinning, and everything else that the function has stays where it is.
/// The attribute `#[withal::scope]` writes this for an `async fn`, with `yield_!(guard)` for the call.
///
/// The exit is told how the body has ended, by a [`Kept`](crate::Kept) outcome, with the type of its error; a panic and a cancellation are outcomes, too.
/// It answers `()`, or a [`Recover`](crate::Recover) if it may suppress the error.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use withal::{Provide, ScopeExt, scope_fn};
///
/// # withal_testing::block_on(async {
/// let transaction = scope_fn(async |p: Provide<Vec<u8>>| {
///     let rows = Vec::new(); // BEGIN
///     let (rows, outcome) = p.provide(rows).await;
///     match outcome.is_success() {
///         true => println!("commit {} rows", rows.len()),
///         false => println!("roll back: {outcome}"),
///     }
///     io::Result::Ok(())
/// });
/// let length = transaction.with(async |rows| {
///     rows.push(1);
///     io::Result::Ok(rows.len())
/// });
/// assert_eq!(length.await?, 1);
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Errors
///
/// An `Err` before the guard is provided is a failed enter: there is no body. What the function has opened by then has been released when it is returned; its exits are told that it was dropped.
/// An `Err` after it is that of the exit.
///
/// # Panics
///
/// Whoever enters it panics if the function returns `Ok` without having provided anything; the message says its name and its line.
///
/// # Cancel safety
///
/// Dropped before it has provided, the function is dropped, like any enter; see also [`protected`](crate::ScopeExt::protected).
/// From the moment at which it has provided its guard, the rest of it runs to its end, whatever happens.
/// (Run by [`with_local`](crate::with_local), it is dropped by a hard drop, at its yield and after it, and the lost-error hook is told so.)
#[track_caller]
pub fn scope_fn<G, F>(function: impl FnOnce(Provide<G>) -> F) -> ScopeFn<G, F>
where
    F: Future<Output: Returned>,
{
    let passage = Passage::new();
    ScopeFn {
        function: Box::pin(function(Provide(passage.clone()))),
        passage,
        name: "scope_fn",
        location: Location::caller(),
    }
}

/// A scope that is one async function: see [`scope_fn`].
///
/// It is generic over its guard, and over the future of the function.
// Not over what the future gives: in a spawned task the two would have to be compared, and could not for an error with a lifetime in it, such as `Box<dyn Error + Send + Sync>`.
#[must_use = "a scope does nothing unless it is run"]
pub struct ScopeFn<G, F> {
    passage: Arc<Passage<G>>,
    name: &'static str,
    location: &'static Location<'static>,
    function: Pin<Box<F>>,
}

/// A [`ScopeFn`] with the guard `G` whose function returns an `R`, and whose future is hidden: see [`ScopeFn::erased`].
pub type ErasedFn<G, R> = ScopeFn<G, Erased<R>>;

/// The future of an [`ErasedFn`].
// A struct, and no `dyn Future` in place: with the lifetime of that in the type of a guard, a future over it would not be `Send`.
#[must_use = "futures do nothing unless polled"]
pub struct Erased<R>(Pin<Box<dyn Future<Output = R> + Send>>);

impl<R> Future for Erased<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        self.0.as_mut().poll(cx)
    }
}

impl<G, F: Future> ScopeFn<G, F> {
    /// Hides the type of its future, so that it can be named, as the type of a field or of a guard: `Open<ErasedFn<Connection, io::Result<()>>>`.
    ///
    /// In a spawned task its error is a type without a lifetime in it, such as [`Report`](crate::Report) or `anyhow::Error`, and not `Box<dyn Error + Send + Sync>`; so it is with [`boxed`](crate::ScopeExt::boxed).
    pub fn erased(self) -> ErasedFn<G, F::Output>
    where
        F: Send + 'static,
    {
        ScopeFn {
            passage: self.passage,
            name: self.name,
            location: self.location,
            function: Box::pin(Erased(self.function)),
        }
    }

    /// The same under the name of the function. (By `named` it would be of another type.)
    #[doc(hidden)]
    pub fn called(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }
}

/// What the function of a scope returns: a [`Result`].
#[diagnostic::on_unimplemented(
    message = "the function of a scope does not return `{Self}`",
    label = "this is no `Result`",
    note = "it returns `Result<(), E>`, or `Result<Recover, E>` if it may suppress the error of the body; one that cannot fail has the error `withal::Never`"
)]
pub trait Returned: sealed::Sealed {
    /// `()`, or a [`Verdict`](crate::Verdict).
    type Value;
    /// The error of the scope.
    type Error;

    #[doc(hidden)]
    fn result(self) -> Result<Self::Value, Self::Error>;
}

impl<Y, X> Returned for Result<Y, X> {
    type Value = Y;
    type Error = X;

    fn result(self) -> Self {
        self
    }
}

mod sealed {
    pub trait Sealed {}
    impl<Y, X> Sealed for Result<Y, X> {}
}

/// The error of a function.
type ErrorOf<F> = <<F as Future>::Output as Returned>::Error;
/// Its verdict.
type VerdictOf<F> = <<<F as Future>::Output as Returned>::Value as IntoVerdict>::Verdict;

/// What is held of a [`ScopeFn`] between its two halves: the guard, to which it derefs, and the rest of the function.
pub struct Provided<G, F> {
    guard: G,
    rest: Rest<G, F>,
}

/// The function at its yield point.
#[doc(hidden)]
pub struct Rest<G, F> {
    passage: Arc<Passage<G>>,
    /// The id of its frame: what it has opened belongs to its exit, too.
    frame: u32,
    function: Pin<Box<F>>,
}

impl<G, F> ScopeFn<G, F>
where
    F: Future<Output: Returned>,
{
    /// Runs the first half, in a frame of its own.
    async fn enter(
        self,
        location: &'static Location<'static>,
    ) -> Result<Provided<G, F>, ErrorOf<F>> {
        let mut owner = Owner::new(Called(Cow::Borrowed(self.name)), location);
        let (passage, function) = (self.passage, self.function);
        let (made_at, frame) = (self.location, owner.frame);
        let ended = entering(|| first_half(function, &passage), &mut owner).await;
        let ended = match ended {
            Ok(Ok((guard, function))) => {
                let rest = Rest {
                    passage,
                    frame,
                    function,
                };
                return Ok(Provided { guard, rest });
            }
            Ok(Err(error)) => Ok(error),
            Err(stop) => Err(stop),
        };
        // What it has opened is released before anybody hears that it was not entered.
        poll_fn(|cx| {
            let polled = owner.poll_jobs(cx);
            if polled.is_pending() {
                owner.settle_exit();
            }
            polled
        })
        .await;
        let name = owner.label().name;
        drop(owner);
        match ended {
            Ok(Some(error)) => Err(error),
            Ok(None) => {
                panic!("`{name}` ({made_at}) has returned `Ok` without having yielded anything")
            }
            Err(Stop::Panicked(panic)) => resume_unwind(*panic),
            Err(Stop::Cut) => pending().await,
        }
    }
}

/// Polls the function until it has provided its guard; the error is `None` if it never does.
async fn first_half<G, F>(
    mut function: Pin<Box<F>>,
    passage: &Passage<G>,
) -> Result<(G, Pin<Box<F>>), Option<ErrorOf<F>>>
where
    F: Future<Output: Returned>,
{
    let provided = poll_fn(|cx| {
        let polled = function.as_mut().poll(cx).map(Err);
        if polled.is_pending()
            && let Some(guard) = passage.take()
        {
            return Poll::Ready(Ok(guard));
        }
        polled
    })
    .await;
    match provided.map_err(Returned::result) {
        Ok(guard) => Ok((guard, function)),
        Err(Err(error)) => Err(Some(error)),
        Err(Ok(_)) => Err(None),
    }
}

impl<G, F> Provided<G, F> {
    /// The second half.
    #[allow(clippy::manual_async_fn)] // an async fn would store its arguments twice
    fn exit(self, outcome: Outcome<'_>) -> impl Future<Output = Result<VerdictOf<F>, ErrorOf<F>>>
    where
        F: Future<Output: Returned<Value: IntoVerdict>>,
    {
        let Rest {
            passage,
            frame,
            function,
        } = self.rest;
        // In the frame of the first half (see below): what the function closes there is told the error itself.
        passage.give_back(self.guard, outcome.keep_in(frame));
        async move {
            // In the frame of the first half, so that what is left of that ends before the exit does (I6).
            match Exiting::new(function, frame).await {
                Ok(ended) => Ok(ended.result()?.into_verdict()),
                Err(panic) => resume_unwind(*panic),
            }
        }
    }
}

impl<G, F> Bracket for ScopeFn<G, F>
where
    F: Future<Output: Returned<Value: IntoVerdict, Error: Fault> + Send> + Send,
    G: Send,
{
    type Held = Provided<G, F>;
    type View = G;
    type Error = ErrorOf<F>;
    type Verdict = VerdictOf<F>;
    type Tag = &'static str;

    fn tag(&self) -> &'static str {
        self.name
    }

    fn name(tag: &&'static str) -> Cow<'static, str> {
        Cow::Borrowed(tag)
    }

    fn begin(
        self,
        armed: Armed<Self::Held>,
    ) -> impl Future<Output = Result<Self::Held, ErrorOf<F>>> + Send {
        self.enter(armed.location())
    }

    fn view(held: &mut Self::Held) -> &mut G {
        held
    }

    fn end(
        held: Self::Held,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<VerdictOf<F>, ErrorOf<F>>> + Send {
        held.exit(outcome)
    }
}

impl<G, F> Peek for ScopeFn<G, F>
where
    Self: Bracket<Held = Provided<G, F>, View = G>,
{
    fn peek(held: &Provided<G, F>) -> &G {
        held
    }
}

impl<G, F> Member for ScopeFn<G, F>
where
    Self: Bracket<Held = Provided<G, F>>,
    G: Send,
    F: Send,
{
    type Part = G;
    type Rest = Rest<G, F>;

    fn part(held: Provided<G, F>) -> (G, Rest<G, F>) {
        (held.guard, held.rest)
    }

    fn whole(guard: G, rest: Rest<G, F>) -> Provided<G, F> {
        Provided { guard, rest }
    }
}

/// For functions that borrow, or are not `Send`. The body sees a [`Provided`], which derefs to the guard.
impl<G, F> LocalScope for ScopeFn<G, F>
where
    F: Future<Output: Returned<Value: IntoVerdict, Error: Fault>>,
{
    type Guard = Provided<G, F>;
    type Error = ErrorOf<F>;
    type Verdict = VerdictOf<F>;

    fn called_in_reports(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.name)
    }

    fn enter(self) -> impl Future<Output = Result<Self::Guard, ErrorOf<F>>> {
        let location = self.location;
        Self::enter(self, location)
    }

    fn exit(
        guard: Self::Guard,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<VerdictOf<F>, ErrorOf<F>>> {
        guard.exit(outcome)
    }
}

impl<G, F> Deref for Provided<G, F> {
    type Target = G;

    fn deref(&self) -> &G {
        &self.guard
    }
}

impl<G, F> DerefMut for Provided<G, F> {
    fn deref_mut(&mut self) -> &mut G {
        &mut self.guard
    }
}

impl<R> fmt::Debug for Erased<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Erased")
    }
}

impl<G, F> fmt::Debug for ScopeFn<G, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopeFn").field(&self.name).finish()
    }
}

impl<G, F> fmt::Debug for Provided<G, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provided")
    }
}

impl<G, F> fmt::Debug for Rest<G, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest")
    }
}
