//! Running a scope: enter, body, exit.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::marker::PhantomData;
use std::panic::{Location, resume_unwind};

use crate::armed::Armed;
use crate::bracket::Bracket;
use crate::error::ScopeError;
use crate::failure::Fault;
use crate::frame::{self, Body};
use crate::framed::{Framed, Heir, Stop};
use crate::owner::{Owner, ScopeName};
use crate::raise::Raise;
use crate::report::{Entries, Entry, Label, Phase, Report};
use crate::slot::{Exited, Slot, Trouble, Unsettled, reclaim};
use crate::untold::{tell_entries, tell_error, tell_exited};
use crate::verdict::Verdict;
use crate::watch::Watch;

/// What running `S` around a body that gives a `T` gives: `T`, or `Option<T>` if the exit may suppress.
pub type Output<S, T> = <<S as Bracket>::Verdict as Verdict>::Output<T>;

/// Runs `body` inside `scope`: enters, lends the guard to the body, and exits, whatever happens to the body.
///
/// The body borrows freely from its surroundings, scopes nest, and the future is `Send` whenever its parts are.
/// In tail position it needs no annotation; elsewhere say the error once: `async |file| -> io::Result<_> { … }`.
/// A body that cannot fail goes by [`using`]; [`with_report`] keeps the errors of body and scope apart.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use withal::{acquire, with};
///
/// async fn answer() -> io::Result<u32> {
///     let database = acquire(async || io::Result::Ok(41)).release(async |_connection, outcome| {
///         assert!(outcome.is_success());
///         Ok(())
///     });
///     with(database, async |connection| Ok(*connection + 1)).await
/// }
/// # withal_testing::block_on(async {
/// assert_eq!(answer().await?, 42);
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Errors
///
/// The body's error; else the scope's own, of enter or exit, converted by [`Raise`] (by `From`).
/// When body and exit both fail, the body's is returned and the exit's goes to the [lost-error hook](crate::on_lost_error),
/// except that a body whose error is a [`Report`] keeps it.
///
/// # Panics
///
/// A panic of the body or of the exit goes on after the exit.
///
/// # Cancel safety
///
/// Dropped before enter has ended, nothing is acquired (but see [`protected`](crate::ScopeExt::protected)).
/// Dropped later, exit still runs: the enclosing scope finishes it before its own exit, else the home of the outermost scope does.
/// Under withal's own [`timeout`](crate::timeout) and [`until`](crate::until) it has run when they return.
/// A future that is neither polled nor dropped holds up what it has adopted.
#[track_caller]
pub fn with<S, T, E, How, F>(scope: S, body: F) -> impl Future<Output = Result<Output<S, T>, E>>
where
    S: Bracket,
    S::Held: 'static, // a borrowed guard goes by `with_local`
    S::Error: Raise<E, How>,
    E: Fault,
    F: AsyncFnOnce(&mut S::View) -> Result<T, E>,
{
    run::<S, _, T, E, _, F, AsBody<How>>(scope, body, Location::caller())
}

/// Runs a body that cannot fail inside `scope`; the error is the scope's own.
///
/// Otherwise as [`with`].
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// # withal_testing::block_on(async {
/// let lock = withal::sync(vec![1, 2, 3]);
/// let Ok(length) = withal::using(lock, async |list| list.len()).await;
/// assert_eq!(length, 3);
/// # });
/// ```
///
/// # Errors
///
/// The scope's, of enter or exit.
///
/// # Cancel safety
///
/// As [`with`].
#[track_caller]
pub fn using<S, T, F>(scope: S, body: F) -> impl Future<Output = Result<Output<S, T>, S::Error>>
where
    S: Bracket,
    S::Held: 'static, // a borrowed guard goes by `with_local`
    F: AsyncFnOnce(&mut S::View) -> T,
{
    run::<S, T, T, Infallible, _, F, AsScope>(scope, body, Location::caller())
}

/// Runs `body` inside `scope` and loses no error: the result says typed what failed, and both if both did.
///
/// Otherwise as [`with`].
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{ScopeError, acquire, with_report};
///
/// # withal_testing::block_on(async {
/// let scope = acquire(async || Ok::<_, String>(())).release(async |(), _| Err::<(), _>("no goodbye".to_owned()));
/// let result = with_report(scope, async |()| Err::<(), _>("no body".to_owned())).await;
/// assert_eq!(
///     result,
///     Err(ScopeError::BodyAndExit { body: "no body".to_owned(), exit: "no goodbye".to_owned() }),
/// );
/// # });
/// ```
///
/// # Errors
///
/// A [`ScopeError`].
///
/// # Cancel safety
///
/// As [`with`].
#[track_caller]
pub fn with_report<S, T, E, F>(
    scope: S,
    body: F,
) -> impl Future<Output = Result<Output<S, T>, ScopeError<E, S::Error>>>
where
    S: Bracket,
    S::Held: 'static, // a borrowed guard goes by `with_local`
    E: Fault,
    F: AsyncFnOnce(&mut S::View) -> Result<T, E>,
{
    run::<S, _, T, E, _, F, AsReport>(scope, body, Location::caller())
}

/// Enter → body → its orphans to their end → exit.
#[allow(clippy::manual_async_fn)] // an async fn stores its arguments twice
#[inline(always)]
fn run<S, Y, T, E, R, F, C>(
    scope: S,
    body: F,
    location: &'static Location<'static>,
) -> impl Future<Output = Result<Output<S, T>, R>>
where
    S: Bracket,
    S::Held: 'static,
    E: Fault,
    F: AsyncFnOnce(&mut S::View) -> Y,
    C: Conclude<S::Error, E, R> + Split<Y, T, E>,
{
    async move {
        if frame::is_closing() {
            frame::held_off().await;
        }
        // A block, so that the name and the watch are not also kept beside the body.
        let mut slot = {
            let name = ScopeName::<S>(scope.tag());
            let watch = Watch::enter::<S>(&name.0, location);
            let held = match watch.trace.around(scope.begin(Armed::new(location))).await {
                Ok(held) => held,
                Err(error) => {
                    watch.trace.refused();
                    return Err(C::enter(error, || Owner::new(name, location).label()));
                }
            };
            // Only now, so that the owner is made in its place and not moved.
            Slot::<S, E>::new(held, Owner::watched(name, location, watch))
        };
        let ended = {
            let (held, owner) = slot.split();
            Framed::<_, _, _, Body>::make(|| body(S::view(held)), owner).await
        };
        match ended.map(C::split) {
            Ok(Ok(value)) => {
                let exited = if S::SUSPENDS || slot.owner.has_jobs() {
                    slot.leave();
                    poll_fn(|cx| slot.poll_left(cx)).await
                } else {
                    slot.exit_now()
                };
                match exited {
                    Ok(_) => {
                        // A drop would look at every part of it once more.
                        if slot.is_empty() {
                            std::mem::forget(slot);
                        }
                        Ok(S::Verdict::output(value))
                    }
                    Err(trouble) => Err(troubled::<_, E, R, C>(*trouble, || slot.owner.label())),
                }
            }
            ended => {
                slot.leave_unsettled(match ended {
                    Ok(Err(error)) => Unsettled::error(error),
                    Err(Stop::Panicked(panic)) => Unsettled::panic(panic),
                    _ => Unsettled::cut(),
                });
                let (unsettled, exited) = poll_fn(|cx| slot.poll_settled(cx)).await;
                let label = || slot.owner.label();
                // A result that is alive at the last await would have to be known to be `Send`.
                if let Some(result) =
                    conclude::<S::Verdict, _, T, E, R, C>(unsettled, exited, label)
                {
                    return result;
                }
                pending().await
            }
        }
    }
}

/// What a scope that did not succeed ends with; `None` if it was cut and stays pending.
#[cold]
pub(crate) fn conclude<V, X, T, E, R, C>(
    unsettled: Unsettled<E>,
    exited: Exited<V, X>,
    label: impl Fn() -> Label,
) -> Option<Result<V::Output<T>, R>>
where
    V: Verdict,
    X: Fault,
    E: Fault,
    C: Conclude<X, E, R>,
{
    match (unsettled, exited) {
        (Unsettled::Error(failed), exited) => {
            let suppressed = failed.is_suppressed();
            let error = reclaim(failed);
            Some(match exited {
                Err(trouble) if suppressed => match *trouble {
                    Trouble::Error(exit, _) => Err(C::exit(exit, label)),
                    Trouble::Panic(panic) => resume_unwind(*panic),
                },
                Ok(verdict) if verdict.suppresses() => match V::suppressed() {
                    Some(output) => Ok(output),
                    None => Err(C::body(error)),
                },
                Ok(_) => Err(C::body(error)),
                Err(trouble) => match *trouble {
                    Trouble::Error(exit, entries) => Err(C::both(error, exit, entries, label)),
                    Trouble::Panic(panic) => {
                        // The panic of the exit goes on, and so the body's error has nowhere to go.
                        tell_error(error, Phase::Body, &label());
                        resume_unwind(*panic)
                    }
                },
            })
        }
        (Unsettled::Panic(panic), exited) => {
            // I7: the first panic goes on.
            if exited.is_err() {
                tell_exited(exited, &label());
            }
            resume_unwind(*panic)
        }
        (Unsettled::Cut | Unsettled::Nothing, Err(trouble)) => match *trouble {
            Trouble::Panic(panic) => resume_unwind(*panic),
            Trouble::Error(error, entries) => {
                tell_entries(entries(error), Phase::Exit, &label());
                None
            }
        },
        (Unsettled::Cut | Unsettled::Nothing, exited) => {
            tell_exited(exited, &label());
            None
        }
    }
}

/// The exit went wrong after a success.
#[cold]
pub(crate) fn troubled<X, E, R, C: Conclude<X, E, R>>(
    trouble: Trouble<X>,
    label: impl FnOnce() -> Label,
) -> R {
    match trouble {
        Trouble::Error(error, _) => C::exit(error, label),
        Trouble::Panic(panic) => resume_unwind(*panic),
    }
}

/// Which error a run returns: the one place in which [`with`], [`using`] and [`with_report`] differ.
///
/// `R` is a parameter and no associated type: to find out an associated type in a spawned future the compiler proves the bounds of the impl again,
/// and cannot for an error with a lifetime in it, such as `Box<dyn Error + Send + Sync>`.
pub(crate) trait Conclude<X, E, R> {
    fn enter(error: X, label: impl FnOnce() -> Label) -> R;
    fn body(error: E) -> R;
    fn exit(error: X, label: impl FnOnce() -> Label) -> R;
    fn both(body: E, exit: X, _: Entries<X>, label: impl FnOnce() -> Label) -> R;
}

/// What a body gives, as a result. (A wrapper around the closure of `using` would not be general enough to be `Send`.)
trait Split<Y, T, E> {
    fn split(given: Y) -> Result<T, E>;
}

impl<T, E, How> Split<Result<T, E>, T, E> for AsBody<How> {
    #[inline(always)]
    fn split(given: Result<T, E>) -> Result<T, E> {
        given
    }
}

impl<T> Split<T, T, Infallible> for AsScope {
    #[inline(always)]
    fn split(given: T) -> Result<T, Infallible> {
        Ok(given)
    }
}

impl<T, E> Split<Result<T, E>, T, E> for AsReport {
    #[inline(always)]
    fn split(given: Result<T, E>) -> Result<T, E> {
        given
    }
}

/// The body's error type; the scope's errors are raised into it.
pub(crate) struct AsBody<How>(PhantomData<How>);

/// Raises an error of the scope, and tells a report where it came from.
#[cold]
fn raise<X: Raise<E, How>, E: Fault, How>(
    error: X,
    phase: Phase,
    label: impl FnOnce() -> Label,
) -> E {
    let mut error = error.raise();
    if let Some(report) = error.as_any_mut().downcast_mut::<Report>()
        && report.primary().location().is_none()
    {
        report.primary_mut().set(phase, &label());
    }
    error
}

impl<X: Fault + Raise<E, How>, E: Fault, How> Conclude<X, E, E> for AsBody<How> {
    fn enter(error: X, label: impl FnOnce() -> Label) -> E {
        raise(error, Phase::Enter, label)
    }

    fn body(error: E) -> E {
        error
    }

    fn exit(error: X, label: impl FnOnce() -> Label) -> E {
        raise(error, Phase::Exit, label)
    }

    fn both(mut body: E, exit: X, entries: Entries<X>, label: impl FnOnce() -> Label) -> E {
        match body.as_any_mut().downcast_mut::<Report>() {
            Some(report) => {
                let entries = Entry::all_at(entries(exit), Phase::Exit, &label());
                entries.for_each(|entry| report.push(entry));
            }
            None => tell_entries(entries(exit), Phase::Exit, &label()),
        }
        body
    }
}

/// The scope's own error type, for a body that cannot fail.
struct AsScope;

impl<X> Conclude<X, Infallible, X> for AsScope {
    fn enter(error: X, _: impl FnOnce() -> Label) -> X {
        error
    }

    fn body(error: Infallible) -> X {
        match error {}
    }

    fn exit(error: X, _: impl FnOnce() -> Label) -> X {
        error
    }

    fn both(body: Infallible, _: X, _: Entries<X>, _: impl FnOnce() -> Label) -> X {
        match body {}
    }
}

/// Both, side by side.
struct AsReport;

impl<X, E> Conclude<X, E, ScopeError<E, X>> for AsReport {
    fn enter(error: X, _: impl FnOnce() -> Label) -> ScopeError<E, X> {
        ScopeError::Enter(error)
    }

    fn body(error: E) -> ScopeError<E, X> {
        ScopeError::Body(error)
    }

    fn exit(error: X, _: impl FnOnce() -> Label) -> ScopeError<E, X> {
        ScopeError::Exit(error)
    }

    fn both(body: E, exit: X, _: Entries<X>, _: impl FnOnce() -> Label) -> ScopeError<E, X> {
        ScopeError::BodyAndExit { body, exit }
    }
}
