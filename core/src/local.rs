//! Scopes whose guard is borrowed or not `Send`: their exit runs in place.

use std::future::{pending, poll_fn};
use std::panic::Location;
use std::pin::pin;

use crate::exiting::Exiting;
use crate::failure::Fault;
use crate::frame::{self, Body};
use crate::framed::{Framed, Heir, Stop};
use crate::lost;
use crate::owner::{Called, Owner};
use crate::raise::Raise;
use crate::report::{Entry, Label, Phase, What};
use crate::scope::LocalScope;
use crate::slot::{Fate, Trouble, Unsettled};
use crate::verdict::Verdict;
use crate::watch::Watch;
use crate::with::{AsBody, Conclude, conclude, troubled};

/// Runs `body` inside a scope whose guard may be anything: borrowed, not `Send`.
///
/// The exit runs in place, and so it runs under a graceful cancelling: [`timeout`](crate::timeout), [`until`](crate::until), the first Ctrl-C of [`run`](crate::Launch::run).
/// What `with` has beyond that it cannot have: see *Cancel safety*.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::convert::Infallible;
/// use std::rc::Rc;
/// use withal::{LocalScope, Never, Outcome, Propagate, with_local};
///
/// struct Counted<'a>(&'a Rc<()>);
/// impl LocalScope for Counted<'_> {
///     type Guard = Rc<()>;
///     type Error = Never;
///     type Verdict = Propagate;
///     async fn enter(self) -> Result<Rc<()>, Never> {
///         Ok(self.0.clone())
///     }
///     async fn exit(_: Rc<()>, _: Outcome<'_>) -> Result<Propagate, Never> {
///         Ok(Propagate)
///     }
/// }
///
/// # withal_testing::block_on(async {
/// let shared = Rc::new(());
/// let count = with_local(Counted(&shared), async |guard| Ok::<_, Infallible>(Rc::strong_count(guard))).await;
/// assert_eq!(count, Ok(2));
/// assert_eq!(Rc::strong_count(&shared), 1);
/// # });
/// ```
///
/// # Errors
///
/// As [`with`](crate::with()).
///
/// # Cancel safety
///
/// A hard drop (`select!`, an aborted task, a foreign timeout) can only drop the guard, and so can a graceful cancelling of a set that polls only those of its futures that were woken (`FuturesUnordered`): its async exit is skipped, and the lost-error hook is told so.
#[track_caller]
pub fn with_local<S, T, E, How, F>(
    scope: S,
    body: F,
) -> impl Future<Output = Result<<S::Verdict as Verdict>::Output<T>, E>>
where
    S: LocalScope,
    S::Error: Raise<E, How>,
    E: Fault,
    F: AsyncFnOnce(&mut S::Guard) -> Result<T, E>,
{
    let location = Location::caller();
    async move {
        if frame::is_closing() {
            frame::held_off().await;
        }
        let name = scope.called_in_reports();
        let watch = Watch::enter_called(|| name.clone(), location);
        let mut guard = match watch.trace.around(scope.enter()).await {
            Ok(guard) => guard,
            Err(error) => {
                watch.trace.refused();
                return Err(AsBody::<How>::enter(error, || {
                    Owner::new(Called(name), location).label()
                }));
            }
        };
        let mut owner = Owner::watched(Called(name), location, watch);
        let mut armed = Armed {
            label: Some(owner.label()),
            unsettled: Unsettled::Nothing,
        };
        let ended = Framed::<_, _, _, Body>::make(|| body(&mut guard), &mut owner).await;
        let (value, fate) = match ended {
            Ok(Ok(value)) => (Some(value), Fate::Success),
            ended => {
                let (unsettled, fate) = match ended {
                    Ok(Err(error)) => Unsettled::error(error),
                    Err(Stop::Panicked(panic)) => Unsettled::panic(panic),
                    _ => Unsettled::cut(),
                };
                armed.unsettled = unsettled;
                (None, fate)
            }
        };
        let trace = owner.leave(&fate);
        // I2: the orphans of the body first.
        poll_fn(|cx| {
            let polled = owner.poll_jobs(cx);
            if polled.is_pending() {
                owner.settle_exit();
            }
            polled
        })
        .await;
        let exited = {
            let mut exit = pin!(Exiting::new(S::exit(guard, fate.outcome()), owner.frame));
            poll_fn(|cx| {
                let _inside = trace.inside();
                let polled = exit.as_mut().poll(cx);
                if polled.is_pending() {
                    owner.settle_exit();
                }
                polled
            })
            .await
        };
        let exited = Trouble::exited(exited, Entry::split);
        trace.exited(&exited);
        drop(fate);
        let unsettled = armed.disarm();
        match (value, exited) {
            (Some(value), Ok(_)) => Ok(S::Verdict::output(value)),
            (Some(_), Err(trouble)) => {
                Err(troubled::<_, E, E, AsBody<How>>(*trouble, || owner.label()))
            }
            (None, exited) => {
                let ended =
                    conclude::<S::Verdict, _, T, E, _, AsBody<How>>(unsettled, exited, || {
                        owner.label()
                    });
                match ended {
                    Some(result) => result,
                    None => pending().await,
                }
            }
        }
    }
}

/// Tells, when a hard drop ends the block, that the exit was skipped; and what the body's end was, if that was to be told after the exit.
struct Armed<E: Fault> {
    label: Option<Label>,
    unsettled: Unsettled<E>,
}

impl<E: Fault> Armed<E> {
    fn disarm(&mut self) -> Unsettled<E> {
        self.label = None;
        std::mem::replace(&mut self.unsettled, Unsettled::Nothing)
    }
}

impl<E: Fault> Drop for Armed<E> {
    fn drop(&mut self) {
        if let Some(label) = self.label.take() {
            lost::tell(Entry::new(What::Skipped).at(Phase::Exit, &label));
            self.disarm().lose(&label, false);
        }
    }
}
