//! What core asks of a runtime: small capabilities, implemented by the adapters.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::frame;

/// A clock with alarms.
///
/// # Implementing
///
/// `now` counts from an epoch of the timer's own and follows the clock that `sleep_until` follows, so that paused and manual clocks work.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a timer",
    label = "this is not a runtime",
    note = "pass the value of an adapter by reference: `&Tokio`, `&Smol`, `&AsyncStd` or `&Futures::new()`"
)]
pub trait Timer {
    /// The future of [`sleep_until`](Timer::sleep_until).
    type Sleep: Future<Output = ()> + Send + 'static;

    /// The time since the timer's own epoch.
    fn now(&self) -> Duration;

    /// Ends when `now()` is at `at` or later.
    fn sleep_until(&self, at: Duration) -> Self::Sleep;

    /// Ends after `duration`, counted from this call.
    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.sleep_until(self.now().saturating_add(duration))
    }
}

/// Starting tasks.
pub trait Spawn {
    /// Starts `task` and lets it go: there is no handle.
    ///
    /// # Implementing
    ///
    /// The runtime may drop the task at any time, also at once and silently when it is closing.
    /// Tasks take turns: one that wakes itself again and again must not keep the others from being polled.
    fn spawn(&self, task: Task);
}

/// What a runtime spawns: a future of its own root, whose panic ends only itself.
///
/// The scopes in it are no children of the scopes around the executor that happens to poll it.
#[must_use = "a task does nothing unless it is polled"]
pub struct Task(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Task {
    /// Makes a task of `future`.
    pub fn new(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(future))
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        frame::hidden(|| self.0.as_mut().poll(cx))
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

/// Running what blocks.
pub trait Blocking {
    /// Runs `work` on a thread where blocking is allowed, and gives its value.
    ///
    /// The work starts with this call, not with the first poll, and runs to its end even if the future is dropped: dropping only ends the waiting.
    /// A panic of the work goes on in whoever awaits it.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the work goes on, and its value is dropped.
    fn unblock<T, F>(&self, work: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;
}

/// The signals that ask a program to stop.
pub trait Signals {
    /// Ends at the next Ctrl-C or, on Unix, SIGTERM.
    ///
    /// From the first call on the signals no longer end the process by themselves.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it only listens no more.
    fn interrupted(&self) -> impl Future<Output = ()> + Send + 'static;
}

/// A runtime, as a small value that is usable inside of any program of that runtime.
///
/// The runtime is a value and never a feature: turning a second one on does not change the first.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a runtime",
    note = "pass the value of an adapter by reference: `&Tokio`, `&Smol`, `&AsyncStd` or `&Futures::new()`"
)]
pub trait Runtime:
    Timer + Spawn + Blocking + Signals + Clone + fmt::Debug + Send + Sync + 'static
{
    /// What it is called, for messages.
    const NAME: &'static str;
}
