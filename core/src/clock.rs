//! Timers whose type is hidden, and points in their time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::lost;
use crate::report::{Entry, What};
use crate::runtime::Timer;

/// A [`Timer`] whose type is hidden.
pub(crate) trait Clock: Send + Sync {
    fn now(&self) -> Duration;
    fn sleep_until(&self, at: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

struct Hidden<R>(R);

impl<R: Timer + Send + Sync> Clock for Hidden<R> {
    fn now(&self) -> Duration {
        self.0.now()
    }

    fn sleep_until(&self, at: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.0.sleep_until(at))
    }
}

/// Hides the type of `timer`.
///
/// Where that cannot be known to be `'static`, a pointer to this function is kept: it was made where it could.
pub(crate) fn hide<R: Timer + Clone + Send + Sync + 'static>(timer: &R) -> Arc<dyn Clock> {
    Arc::new(Hidden(timer.clone()))
}

/// What a clock answers; one that panics has no time (I8).
pub(crate) fn ask<T>(question: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(question)) {
        Ok(answer) => Some(answer),
        Err(panic) => {
            lost::tell(Entry::new(What::Panic(lost::message(&*panic).to_owned())));
            lost::discard(Box::new(panic));
            None
        }
    }
}

/// A point in the time of one clock.
#[derive(Clone)]
pub(crate) struct Limit {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) by: Duration,
}

impl Limit {
    /// In so much time from now.
    pub(crate) fn after(clock: Arc<dyn Clock>, time: Duration) -> Option<Self> {
        let by = ask(|| clock.now())?.saturating_add(time);
        Some(Self { clock, by })
    }

    /// How much time is left until then.
    pub(crate) fn left(&self) -> Option<Duration> {
        Some(self.by.saturating_sub(ask(|| self.clock.now())?))
    }

    /// The one that comes first. Their clocks may differ, and so what is left is compared.
    pub(crate) fn soonest(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let (Some(one), Some(other)) = (&one, &other) else {
            return one.or(other);
        };
        // A clock that panics bounds nothing.
        let left = |limit: &Self| limit.left().unwrap_or(Duration::MAX);
        let sooner = if left(other) < left(one) { other } else { one };
        Some(sooner.clone())
    }
}
