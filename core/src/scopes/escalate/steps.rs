//! The steps of a release: which way, how long, how often.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use crate::budget::forced::unless_forced;
use crate::budget::is_forced;
use crate::clock::Clock;
use crate::combine::exit_within::Bounded;
use crate::exiting::Exiting;
use crate::failure::Fault;
use crate::frame::{self, Panic};
use crate::lost;
use crate::outcome::Outcome;
use crate::report::{Entry, Label, Phase, Report, What};
use crate::runtime::Timer;
use crate::scopes::backoff::Backoff;
use crate::scopes::closing::Close;
use crate::send_fn::SendFn;

use super::failures::Failures;

/// How the value is released, and how that is called.
#[doc(hidden)]
pub struct By<G, R> {
    pub(super) steps: Vec<Step<G>>,
    pub(super) timer: R,
    pub(super) hide: fn(&R) -> Arc<dyn Clock>,
    pub(super) name: Cow<'static, str>,
    pub(super) location: &'static Location<'static>,
}

/// One way to release a `G`, and how often it is tried.
pub(super) struct Step<G> {
    pub(super) attempt: Box<dyn Attempt<G>>,
    pub(super) location: &'static Location<'static>,
    pub(super) limit: Option<Duration>,
    pub(super) retry: Backoff,
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One way to release a `G`.
pub(super) trait Attempt<G>: Send + Sync {
    fn start<'a>(
        &self,
        guard: &'a mut G,
        outcome: Outcome<'a>,
    ) -> BoxFuture<'a, Result<(), Report>>;
}

pub(super) struct ByClosure<F, X>(pub(super) F, pub(super) PhantomData<fn() -> X>);

impl<F, G, X> Attempt<G> for ByClosure<F, X>
where
    F: for<'a> SendFn<(&'a mut G, Outcome<'a>), Result<(), X>> + Clone + Sync + 'static,
    G: Send,
    X: Fault,
{
    fn start<'a>(
        &self,
        guard: &'a mut G,
        outcome: Outcome<'a>,
    ) -> BoxFuture<'a, Result<(), Report>> {
        // An async closure lends its captures to its future, so that only its `FnOnce` can be named.
        let step = self.0.clone();
        Box::pin(async move { step.call_send((guard, outcome)).await.map_err(report) })
    }
}

/// By a value's own close.
pub(super) struct ByClose;

impl<C: Close> Attempt<C> for ByClose {
    fn start<'a>(&self, value: &'a mut C, _: Outcome<'a>) -> BoxFuture<'a, Result<(), Report>> {
        Box::pin(async move { value.close().await.map_err(report) })
    }
}

/// The report that `error` is, or a new one.
pub(super) fn report<X: Fault>(mut error: X) -> Report {
    match error.as_any_mut().downcast_mut::<Report>() {
        Some(report) => report.clone(),
        None => Report::from_entry(Entry::new(What::fault(error))),
    }
}

impl<G, R> By<G, R> {
    /// The scope itself, without a step.
    pub(super) fn label(&self) -> Label {
        Label {
            name: self.name.clone(),
            location: self.location,
        }
    }
}

impl<G: Send, R: Timer + Send + Sync> By<G, R> {
    /// Tries until an attempt succeeds, and says whether one did.
    pub(super) async fn release(
        &self,
        guard: &mut G,
        outcome: Outcome<'_>,
        failures: &mut Failures,
    ) -> bool {
        for (number, step) in (1_usize..).zip(&self.steps) {
            let mut delays = step.retry.delays();
            for attempt in 1_u64.. {
                let label = || Label {
                    name: format!("{}, step {number}, attempt {attempt}", self.name).into(),
                    location: step.location,
                };
                let began = ask(label, || self.timer.now());
                let exit = async { step.attempt.start(guard, outcome).await };
                let mut exit = pin!(Bounded::new(exit, &self.timer, step.limit, self.hide));
                let ended = if number == self.steps.len() {
                    exit.await
                } else {
                    // Forced, it goes on to the harder way at once.
                    let ended = unless_forced(exit.as_mut()).await;
                    ended.unwrap_or_else(|| exit.abandon())
                };
                if matches!(ended, Some(Ok(Ok(())))) {
                    return true;
                }
                let took = began.and_then(|began| {
                    let now = ask(label, || self.timer.now())?;
                    Some(now.saturating_sub(began))
                });
                failures.add(ended, &label(), took);
                let Some(delay) = ask(label, || delays.next()).flatten() else {
                    break;
                };
                if !delay.is_zero() {
                    // A frame never unwinds.
                    let sleep = async { self.timer.sleep(delay).await };
                    let slept = Exiting::new(sleep, frame::next_id());
                    if let Some(Err(panic)) = unless_forced(slept).await {
                        tell_panic(panic, label);
                    }
                }
                if is_forced() {
                    break;
                }
            }
        }
        false
    }
}

/// Asks the timer or the policy: a panic of theirs must not cost the release.
fn ask<T>(label: impl FnOnce() -> Label, question: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(question)) {
        Ok(answer) => Some(answer),
        Err(panic) => {
            tell_panic(Box::new(panic), label);
            None
        }
    }
}

#[cold]
fn tell_panic(panic: Panic, label: impl FnOnce() -> Label) {
    lost::tell_panic(&**panic, Phase::Exit, &label());
    lost::discard(panic);
}

impl<G, R> fmt::Debug for By<G, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("By")
    }
}
