//! The drop sweep: a future is dropped after 0, 1, 2 … polls until it completes, and each time the ledger must balance.

use crate::cut::cut_after;
use crate::ledger::Ledger;

/// Drops what `program` makes after 0, 1, 2 … polls until it completes. Each time it waits for the clean-up and checks I1 and I2.
///
/// Gives the number of polls that the program takes.
///
/// # Examples
///
/// ```
/// use withal_core::ScopeExt;
/// use withal_testing::{block_on, drop_sweep, yield_times};
///
/// let polls = block_on(drop_sweep(|ledger| {
///     let scope = ledger.scope("a").yields(1);
///     async move { scope.using(async |_| yield_times(2).await).await }
/// }));
/// assert_eq!(polls, 5);
/// ```
///
/// # Panics
///
/// If an invariant does not hold.
///
/// # Cancel safety
///
/// Dropping it ends the sweep.
pub async fn drop_sweep<F: Future>(program: impl FnMut(&Ledger) -> F) -> usize {
    drop_sweep_and(program, |_, _| {}).await
}

/// [`drop_sweep`], with further checks by `check`, which gets the ledger and whether the program has completed.
///
/// # Panics
///
/// If an invariant does not hold.
///
/// # Cancel safety
///
/// Dropping it ends the sweep.
pub async fn drop_sweep_and<F: Future>(
    mut program: impl FnMut(&Ledger) -> F,
    mut check: impl FnMut(&Ledger, bool),
) -> usize {
    for polls in 0.. {
        let ledger = Ledger::new();
        let completed = cut_after(polls, program(&ledger)).await.is_some();
        ledger.settled().await;
        ledger.check();
        check(&ledger, completed);
        if completed {
            return polls;
        }
    }
    unreachable!("a program completes")
}
