//! Scopes that are released by attempts: try softly, try again, then try hard, then give up and report.

mod failures;
mod steps;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek, type_name};
use crate::clock::hide;
use crate::exiting::Exiting;
use crate::failure::Fault;
use crate::frame;
use crate::outcome::Outcome;
use crate::report::Report;
use crate::runtime::Timer;
use crate::send_fn::SendFn;
use crate::verdict::Propagate;

use super::backoff::Backoff;
use super::closing::Close;

use failures::Failures;
use steps::{Attempt, By, ByClose, ByClosure, Step, report};

/// A scope around `value` whose exit may be tried more than once, and in more than one way.
///
/// `step` is the first way to release, and has one attempt, of any length.
/// [`within`](Releasing::within) bounds it, [`retry`](Releasing::retry) gives it more attempts, and [`or_else`](Releasing::or_else) adds the next way.
/// For a value that is to be acquired first there is [`Acquire::releasing`](crate::Acquire::releasing), for one that is only closed [`Closing::retrying`](crate::Closing::retrying).
/// A release that is tried once needs none of this: see [`acquire`](crate::acquire()).
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use std::time::Duration;
/// use withal::{Backoff, ScopeExt, Timer, releasing};
///
/// struct Connection { open: bool }
///
/// impl Connection {
///     async fn goodbye(&mut self) -> io::Result<()> {
///         Err(io::Error::other("no answer"))
///     }
///     async fn reset(&mut self) -> io::Result<()> {
///         self.open = false;
///         Ok(())
///     }
/// }
///
/// # withal_testing::run(|rt| async move {
/// # withal::on_lost_error(|_| ());
/// let ms = Duration::from_millis;
/// let connection = releasing(&rt, Connection { open: true }, async |c, _| c.goodbye().await)
///     .within(ms(2000))
///     .retry(Backoff::times(3).starting_at(ms(100)).factor(2))
///     .or_else(async |c, _| c.reset().await)
///     .within(ms(500));
/// connection.using(async |c| assert!(c.open)).await?;
/// // Four goodbyes, and then the reset.
/// assert_eq!(rt.now(), ms(100 + 200 + 400));
/// # Ok::<_, withal::Report>(()) }).unwrap();
/// ```
#[track_caller]
pub fn releasing<G, X, R, F>(
    timer: &R,
    value: G,
    step: F,
) -> Releasing<impl SendFn<(), Result<G, X>> + use<G, X, R, F>, G, X, R>
where
    G: Send,
    X: Fault,
    R: Timer + Clone + Send + Sync + 'static,
    F: AsyncFnOnce(&mut G, Outcome<'_>) -> Result<(), X>
        + for<'a> SendFn<(&'a mut G, Outcome<'a>), Result<(), X>>
        + Clone
        + Sync
        + 'static,
{
    Releasing::new(async move || Ok(value), timer, type_name::<G>()).or_else(step)
}

/// A scope whose release is tried by steps: made by [`releasing`], [`Acquire::releasing`](crate::Acquire::releasing) and [`Closing::retrying`](crate::Closing::retrying).
///
/// The steps are tried in their order, each with as many attempts as its policy says, and the first attempt that succeeds ends the exit.
/// Every attempt gets the value by `&mut`, and sees the same outcome; the value is dropped after the last.
/// An attempt that is not in time is dropped at its next await, and has failed; so has one that panics.
/// What an attempt has opened ends before the next one begins.
/// (If it was dropped for being late, an exit that it was awaiting is dropped with it and told as overdue, and what else it had open is finished by its home: nothing holds up the next step.)
///
/// The whole is one exit: no cancelling stops it half-way.
/// When it is [forced](crate::is_forced), it comes to the point: from then on each step has one attempt, without a delay before it, and only the last waits for anything.
/// [`exit_within`](crate::ScopeExt::exit_within) around it bounds all steps together.
///
/// # Examples
///
/// A database and a queue, opened together.
/// At the end the queue is asked to flush, twice at most, and then told to drop what it has.
/// Here nothing helps, and so the caller gets every attempt; the database is closed all the same.
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use std::time::Duration;
/// use withal::{Backoff, ExitStack, Kind, Report, Runtime, acquire};
///
/// # async fn flush(_: &mut Vec<usize>) -> io::Result<()> { std::future::pending().await }
/// async fn work(rt: &impl Runtime) -> Result<usize, Report> {
///     let database = acquire(async || io::Result::Ok(vec!["row"])).release(async |_, _| Ok(()));
///     let queue = acquire(async || io::Result::Ok(Vec::new()))
///         .releasing(rt, async |messages, _| flush(messages).await)
///         .within(Duration::from_secs(2))
///         .retry(Backoff::times(1).starting_at(Duration::from_secs(1)))
///         .or_else(async |messages, _| {
///             Err(io::Error::other(format!("{} messages are lost", messages.len())))
///         })
///         .named("queue");
///     ExitStack::with(async |stack| {
///         let rows = stack.enter(database).await?;
///         let mut messages = stack.enter(queue).await?;
///         messages.push(rows.len());
///         Ok(rows.len())
///     })
///     .await
/// }
///
/// # withal_testing::run(|rt| async move {
/// let report = work(&rt).await.unwrap_err();
/// let kinds: Vec<_> = report.entries().map(|entry| entry.kind()).collect();
/// assert_eq!(kinds, [Kind::Overdue, Kind::Overdue, Kind::Failed]);
/// assert_eq!(report.primary().took(), Some(Duration::from_secs(2)));
/// assert_eq!(report.others()[1].scope(), Some("queue, step 2, attempt 1"));
/// # });
/// ```
///
/// # Errors
///
/// The exit fails when every attempt of every step has failed, with a [`Report`] of all of them in the order of time: what it was (an error, or overdue), which step and attempt, the source line of the step, and how long it took.
/// One error alone becomes itself again where the body's error can hold it, see [`Report`].
/// The failed attempts before one that succeeds go, as losses, to the [lost-error hook](crate::on_lost_error).
/// So does what failed in an exit that panics or that somebody else's deadline ends.
///
/// # Panics
///
/// A panic of an attempt does not keep the others from being made, and it is no failure that a later success makes good: it goes on after the exit, the first if there are several.
///
/// # Cancel safety
///
/// That of any scope: once it is entered, all this runs whatever happens to the future.
#[must_use = "a scope does nothing unless it is run"]
pub struct Releasing<A, G, X, R> {
    acquire: A,
    by: By<G, R>,
    types: PhantomData<fn() -> X>,
}

impl<A, G, X, R> Releasing<A, G, X, R> {
    /// One without steps yet.
    #[track_caller]
    pub(crate) fn new(acquire: A, timer: &R, name: &'static str) -> Self
    where
        R: Timer + Clone + Send + Sync + 'static,
    {
        Self {
            acquire,
            by: By {
                steps: Vec::new(),
                timer: timer.clone(),
                hide,
                name: Cow::Borrowed(name),
                location: Location::caller(),
            },
            types: PhantomData,
        }
    }

    /// Adds the next step, which is tried when all attempts of those before have failed.
    ///
    /// The closure is cloned for each attempt, so that what it has captured must be `Clone`.
    #[track_caller]
    pub fn or_else<F>(self, step: F) -> Self
    where
        G: Send,
        X: Fault,
        F: AsyncFnOnce(&mut G, Outcome<'_>) -> Result<(), X>
            + for<'a> SendFn<(&'a mut G, Outcome<'a>), Result<(), X>>
            + Clone
            + Sync
            + 'static,
    {
        self.step(Box::new(ByClosure(step, PhantomData)))
    }

    #[track_caller]
    fn step(mut self, attempt: Box<dyn Attempt<G>>) -> Self {
        self.by.steps.push(Step {
            attempt,
            location: Location::caller(),
            limit: None,
            retry: Backoff::times(0),
        });
        self
    }

    /// Bounds each attempt of the last step: after `limit` it is dropped, and has failed.
    pub fn within(mut self, limit: Duration) -> Self {
        if let Some(step) = self.by.steps.last_mut() {
            step.limit = Some(limit);
        }
        self
    }

    /// Tries the last step again, after the delays of `policy`, before the next step is tried.
    pub fn retry(mut self, policy: Backoff) -> Self {
        if let Some(step) = self.by.steps.last_mut() {
            step.retry = policy;
        }
        self
    }

    /// Names this scope and its steps in reports, as [`ScopeExt::named`](crate::ScopeExt::named) does.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.by.name = name.into();
        self
    }
}

impl<A, C: Close, R> Releasing<A, C, C::Error, R> {
    #[track_caller]
    pub(crate) fn or_close(self) -> Self {
        self.step(Box::new(ByClose))
    }
}

/// What a [`Releasing`] holds.
#[doc(hidden)]
pub struct Held<G, R> {
    guard: G,
    by: By<G, R>,
}

impl<A, G, X, R> Bracket for Releasing<A, G, X, R>
where
    A: SendFn<(), Result<G, X>>,
    G: Send,
    X: Fault,
    R: Timer + Send + Sync,
{
    type Held = Held<G, R>;
    type View = G;
    type Error = Report;
    type Verdict = Propagate;
    type Tag = Cow<'static, str>;

    fn tag(&self) -> Self::Tag {
        self.by.name.clone()
    }

    fn name(tag: &Self::Tag) -> Cow<'static, str> {
        tag.clone()
    }

    #[allow(clippy::manual_async_fn)] // an async fn would store the `Armed`
    fn begin(
        self,
        _: Armed<Self::Held>,
    ) -> impl Future<Output = Result<Self::Held, Report>> + Send {
        async move {
            Ok(Held {
                guard: self.acquire.call_send(()).await.map_err(report)?,
                by: self.by,
            })
        }
    }

    fn view(held: &mut Self::Held) -> &mut G {
        &mut held.guard
    }

    async fn end(held: Self::Held, outcome: Outcome<'_>) -> Result<Propagate, Report> {
        let Held { mut guard, by } = held;
        let mut failures = Failures::default();
        let released = by.release(&mut guard, outcome, &mut failures).await;
        // Here and not at the end of the block: there a panic of its drop would take the report along.
        let label = by.label();
        let drop_it = async {
            drop((guard, by));
            Ok(())
        };
        let dropped = Exiting::new(drop_it, frame::next_id()).await;
        failures.add(Some(dropped), &label, None);
        failures.conclude(released)
    }
}

impl<A, G, X, R> Peek for Releasing<A, G, X, R>
where
    Self: Bracket<Held = Held<G, R>, View = G>,
{
    fn peek(held: &Held<G, R>) -> &G {
        &held.guard
    }
}

impl<A, G, X, R> Member for Releasing<A, G, X, R>
where
    Self: Bracket<Held = Held<G, R>>,
    G: Send,
    R: Send,
{
    type Part = G;
    type Rest = By<G, R>;

    fn part(held: Held<G, R>) -> (G, By<G, R>) {
        (held.guard, held.by)
    }

    fn whole(guard: G, by: By<G, R>) -> Held<G, R> {
        Held { guard, by }
    }
}

impl<A, G, X, R> fmt::Debug for Releasing<A, G, X, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Releasing").field(&self.by.name).finish()
    }
}

impl<G, R> fmt::Debug for Held<G, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}
