//! Waiting for what is still being cleaned up.

use std::task::Poll;
use std::time::Duration;

use super::{fallback, registry};
use crate::orphan::Jobs;
use crate::report::{Entry, Report};
use crate::runtime::Timer;

/// Waits until no orphan is left at any home and no root scope is alive, at most for `budget`.
///
/// Root scopes that the caller is itself inside of are not waited for.
/// A runtime's [`run`](crate::Launch::run) drains by itself before it returns.
///
/// # Errors
///
/// A [`Report`] that names every scope that had not ended, with the source line that entered it.
///
/// # Cancel safety
///
/// Dropping it only ends the waiting.
pub async fn drain<R: Timer>(timer: &R, budget: Duration) -> Result<(), Report> {
    let overdue = {
        let mut drained = std::pin::pin!(drained());
        let mut clock = std::pin::pin!(timer.sleep(budget));
        std::future::poll_fn(|cx| {
            if drained.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Vec::new());
            }
            clock.as_mut().poll(cx).map(|()| registry::overdue(false))
        })
        .await
    };
    let mut entries = overdue.into_iter();
    let Some(first) = entries.next() else {
        return Ok(());
    };
    let mut report = Report::from_entry(first);
    entries.for_each(|entry| report.push(entry));
    Err(report)
}

/// Waits until no orphan is left at any home and no root scope is alive: [`drain`] without a bound.
///
/// # Cancel safety
///
/// Dropping it only ends the waiting.
pub async fn drained() {
    let waiter = registry::Waiter::new();
    let mut stranded = Jobs::NONE;
    std::future::poll_fn(|cx| {
        fallback::take_stranded(&mut stranded, cx);
        stranded.poll(cx);
        waiter.listen(cx.waker());
        if registry::is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// What has not ended at this moment: live root scopes and orphans at their homes, each as an overdue [`Entry`].
pub fn unfinished() -> Vec<Entry> {
    registry::overdue(false)
}

/// The same, for the last time: a program has told of it, and no other one in this process waits for it.
pub(crate) fn give_up() -> Vec<Entry> {
    registry::overdue(true)
}
