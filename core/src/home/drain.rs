//! Waiting for what is still being cleaned up.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::{HomeId, fallback, registry};
use crate::orphan::Jobs;
use crate::report::{Entry, Report};
use crate::runtime::Timer;

/// Waits until no orphan is left at any home and no root scope is alive, at most for `budget`.
///
/// It waits for the whole process. A runtime's [`run`](crate::Launch::run) drains its own home by itself before it returns.
///
/// Not waited for are: the root scope that the caller is itself inside of, with everything that its scopes have adopted;
/// and scopes that have not suspended yet, which are not known before.
/// An [`Open`](crate::Open) counts as a root scope, and so does a [`timeout`](crate::timeout) at the root once something was entered inside of it.
///
/// # Errors
///
/// A [`Report`] that names every scope that had not ended, with the source line that entered it.
///
/// # Cancel safety
///
/// Dropping it only ends the waiting.
pub async fn drain<R: Timer>(timer: &R, budget: Duration) -> Result<(), Report> {
    drain_home(None, timer, budget).await
}

/// Waits until no orphan is left at any home and no root scope is alive: [`drain`] without a bound.
///
/// # Cancel safety
///
/// Dropping it only ends the waiting.
pub async fn drained() {
    drained_home(None).await;
}

/// What has not ended at this moment: live root scopes and orphans at their homes, each as an overdue [`Entry`].
pub fn unfinished() -> Vec<Entry> {
    registry::overdue(None, false)
}

/// [`drain`] for one home, or for all.
pub(crate) async fn drain_home<R: Timer>(
    home: Option<HomeId>,
    timer: &R,
    budget: Duration,
) -> Result<(), Report> {
    let overdue = {
        let mut drained = pin!(drained_home(home));
        let mut clock = pin!(timer.sleep(budget));
        poll_fn(|cx| {
            if drained.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Vec::new());
            }
            let overdue = |()| registry::overdue(home, false);
            clock.as_mut().poll(cx).map(overdue)
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

async fn drained_home(home: Option<HomeId>) {
    let waiter = registry::Waiter::new();
    let mut stranded = Jobs::NONE;
    poll_fn(|cx| {
        fallback::take_stranded(&mut stranded, cx);
        stranded.poll(cx);
        waiter.listen(cx.waker());
        if registry::is_empty(home) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// What has not ended at `home`, for the last time: a program has told of it, and nobody waits for it any more.
pub(crate) fn give_up(home: HomeId) -> Vec<Entry> {
    registry::overdue(Some(home), true)
}
