//! What nobody is left to hear: of exits that are orphans, or whose deadline has struck.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use crate::failure::Fault;
use crate::home::registry::Running;
use crate::lost;
use crate::report::{Entry, Label, Phase, What};
use crate::slot::{Exited, Leaving, Trouble, Unsettled};
use crate::verdict::Verdict;

/// Drives an orphaned exit and tells what came of it.
pub(crate) async fn finish<V: Verdict, X: Fault, E: Fault>(
    exit: Leaving<V, X>,
    unsettled: Unsettled<E>,
    label: Label,
) {
    let exited = driven(exit, &label).await;
    let suppressed = matches!(&exited, Ok(verdict) if verdict.suppresses());
    tell_exited(exited, &label);
    unsettled.lose(&label, suppressed);
}

/// Drives `work`, an orphan that its home knows by name from the first time on that it suspends.
pub(crate) async fn driven<T>(
    mut work: Pin<Box<dyn Future<Output = T> + Send>>,
    label: &Label,
) -> T {
    let mut running = None;
    poll_fn(|cx| {
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() && running.is_none() {
            running = Running::note(label);
        }
        polled
    })
    .await
}

/// Drops a started exit whose own deadline, or that of an exit around it, has struck (I3).
#[cold]
pub(crate) fn abandon<E: Fault>(exit: impl Sized, unsettled: Unsettled<E>, label: &Label) {
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(exit)));
    lost::tell(Entry::new(What::Overdue).at(Phase::Exit, label));
    if let Err(panic) = dropped {
        lost::tell_panic(&*panic, Phase::Exit, label);
        lost::discard(Box::new(panic));
    }
    unsettled.lose(label, false);
}

/// Tells what came of an exit that has no caller: to a listening canceller, or to the hook if it went wrong.
#[cold]
pub(crate) fn tell_exited<V, X: Fault>(exited: Exited<V, X>, label: &Label) {
    match exited {
        Ok(_) => lost::tell(Entry::new(What::Finished).at(Phase::Exit, label)),
        Err(trouble) => match *trouble {
            Trouble::Error(error, entries) => tell_entries(entries(error), Phase::Exit, label),
            Trouble::Panic(panic) => {
                lost::tell_panic(&**panic, Phase::Exit, label);
                lost::discard(panic);
            }
        },
    }
}

/// Tells of an error that nobody is left to get; of a report each entry.
#[cold]
pub(crate) fn tell_error<X: Fault>(error: X, phase: Phase, label: &Label) {
    tell_entries(Entry::split(error), phase, label);
}

#[cold]
pub(crate) fn tell_entries(entries: Vec<Entry>, phase: Phase, label: &Label) {
    Entry::all_at(entries, phase, label).for_each(lost::tell);
}
