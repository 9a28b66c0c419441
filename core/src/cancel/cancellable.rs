//! A body with a handle by which it is cancelled.

use std::panic::Location;

use crate::cancel::CancelHandle;
use crate::cancel::signal::CancelSignal;
use crate::until::Until;

/// Runs a body that gets a handle by which it is cancelled: by itself, or by whoever it gives the handle to.
///
/// When it returns, everything that was open inside has been released; see [`until`](crate::until) for how.
/// If the body completes all the same, its value counts.
/// For a handle that is there before, or that cancels several bodies, use `until(handle.cancelled(), body)`.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{cancellable, sync, using};
///
/// # withal_testing::block_on(async {
/// let stopped = cancellable(async |handle| {
///     using(sync("a connection"), async |_| {
///         handle.cancel("it has served enough"); // or somebody else does who has a clone
///         std::future::pending::<()>().await
///     })
///     .await
/// })
/// .await;
/// assert_eq!(stopped.unwrap_err().to_string(), "cancelled: it has served enough");
/// # });
/// ```
///
/// # Errors
///
/// [`Interrupted`](crate::Interrupted) if the handle was cancelled, with the reason and the exits that ran.
///
/// # Cancel safety
///
/// As [`until`](crate::until): dropped, it is a hard drop of the body.
/// The handle is not cancelled by that.
#[track_caller]
pub fn cancellable<F, B>(body: B) -> Until<CancelSignal, F>
where
    B: FnOnce(CancelHandle) -> F,
    F: Future,
{
    let handle = CancelHandle::new();
    let signal = handle.cancelled();
    Until::new(
        signal,
        body(handle),
        None,
        "cancellable",
        Location::caller(),
    )
}
