//! Entries for exit stacks: one that says what it sees, one that fails, one that suppresses.

use futures::channel::oneshot::{self, Sender};
use withal_core::{ExitStack, Outcome, Propagate, Recover, Report, Verdict};

use crate::cut::yield_now;
use crate::ledger::{Injected, Ledger};

/// An error with this text.
pub(super) fn error(text: &str) -> Injected {
    Injected(text.to_owned())
}

/// The texts of all errors in the report, in their order.
pub(super) fn texts(report: &Report) -> Vec<String> {
    let entries = report.entries().map(|entry| {
        let injected = entry.downcast_ref::<Injected>();
        injected.map_or_else(|| entry.to_string(), |Injected(text)| text.clone())
    });
    entries.collect()
}

/// Adds an entry that says its name and how the body ended: `name:ok`, or `name:` and the error.
pub(super) fn sees<V>(stack: &ExitStack<V>, ledger: &Ledger, name: &'static str)
where
    V: Verdict + From<Propagate>,
{
    let ledger = ledger.clone();
    stack.push((), async move |(), outcome: Outcome<'_>| {
        yield_now().await;
        ledger.say(seen(name, &outcome));
    });
}

/// What an entry says of the outcome that it sees.
pub(super) fn seen(name: &str, outcome: &Outcome<'_>) -> String {
    match outcome {
        Outcome::Success => format!("{name}:ok"),
        Outcome::Failure(failure) => match failure.downcast_ref::<Injected>() {
            Some(Injected(text)) => format!("{name}:{text}"),
            None => format!("{name}:{failure}"),
        },
        other => format!("{name}:{other}"),
    }
}

/// Adds an async callback that says `text`.
pub(super) fn says<V>(stack: &ExitStack<V>, ledger: &Ledger, text: impl Into<String>)
where
    V: Verdict + From<Propagate>,
{
    let (ledger, text) = (ledger.clone(), text.into());
    stack.defer(async move || {
        yield_now().await;
        ledger.say(text);
    });
}

/// Adds an async callback that says `text` when it is told to go on.
pub(super) fn waits(stack: &ExitStack, ledger: &Ledger, text: &'static str) -> Sender<()> {
    let ledger = ledger.clone();
    let (go, gate) = oneshot::channel();
    stack.defer(async move || {
        let _ = gate.await;
        ledger.say(text);
    });
    go
}

/// Adds an async callback that fails.
pub(super) fn raises<V>(stack: &ExitStack<V>, text: &'static str)
where
    V: Verdict + From<Propagate>,
{
    stack.defer(async move || {
        yield_now().await;
        Err::<(), _>(error(text))
    });
}

/// Adds an entry that suppresses whatever it sees, and says what that is.
pub(super) fn suppresses(stack: &ExitStack<Recover>, ledger: &Ledger) {
    let ledger = ledger.clone();
    stack.push((), async move |(), outcome: Outcome<'_>| {
        yield_now().await;
        ledger.say(seen("suppressed", &outcome));
        Recover::Suppress
    });
}
