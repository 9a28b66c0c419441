//! `disposed`, `disposeAsync`, and the errors of several disposers.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use withal_core::{ExitStack, Outcome, Report, Runtime, ScopeExt, Verdict, sync};

use crate::conformance::entries::{error, raises, says, texts, waits};
use crate::cut::poll_once;
use crate::ledger::{Injected, Ledger};

/// A new stack is open.
pub async fn disposed_returns_false_when_not_disposed<R: Runtime>(_: R) {
    let stack = ExitStack::new();
    assert!(!stack.is_closed());
}

/// Closing, it is not open any more; the future of `close` does nothing until it is polled, as all futures.
pub async fn disposed_returns_true_when_disposed<R: Runtime>(_: R) {
    let stack = ExitStack::new();
    let go = waits(&stack, &Ledger::new(), "closed");
    let mut closing = Box::pin(stack.close(Outcome::Success));
    assert!(!stack.is_closed());
    assert!(poll_once(&mut closing).await.is_pending());
    assert!(stack.is_closed());
    assert_eq!(go.send(()), Ok(()));
    assert!(closing.await.is_ok());
    assert!(stack.is_closed());
}

/// All kinds of entries in one order.
pub async fn dispose_async_disposes_resources_in_reverse_order<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    assert!(stack.enter(ledger.scope("1")).await.is_ok());
    let log = ledger.clone();
    let Ok(_) = stack.enter(sync(Says(log, "2"))).await;
    for value in [3, 4] {
        let log = ledger.clone();
        stack.push(value, async move |value, _| log.say(value.to_string()));
    }
    says(&stack, &ledger, "5");
    let log = ledger.clone();
    stack.callback(move || log.say("6"));
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "+1 6 5 4 3 2 ~1 -1");
}

struct Says(Ledger, &'static str);

impl Drop for Says {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

/// Closed again: nothing runs again.
pub async fn dispose_async_does_not_reinvoke_disposers_if_already_disposed<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    says(&stack, &ledger, "once");
    for _ in 0..3 {
        assert!(stack.close(Outcome::Success).await.is_ok());
    }
    assert_eq!(ledger.trace(), "once");
}

/// Closed again, it gives the same result again, be it good or bad.
pub async fn dispose_async_does_not_reject_if_already_disposed<R: Runtime>(_: R) {
    let stack = ExitStack::new();
    raises(&stack, "error");
    for _ in 0..3 {
        let failed = stack.close(Outcome::Success).await;
        assert_eq!(texts(&failed.unwrap_err()), ["error"]);
    }
}

/// One error alone is the very value that was thrown.
pub async fn dispose_async_rejects_with_error_as_is_if_only_one_error<R: Runtime>(_: R) {
    let thrown = Arc::new(error("1"));
    let copy = thrown.clone();
    let stack = ExitStack::new();
    stack.defer(async move || Err::<(), _>(copy));
    let ended = stack.with(async |_| Ok::<_, Report>(())).await;
    let same = ended.unwrap_err().downcast::<Arc<Injected>>().unwrap();
    assert!(Arc::ptr_eq(&same, &thrown));
    let copy = thrown.clone();
    let stack = ExitStack::new();
    stack.defer(async move || Err::<(), _>(copy));
    let by_hand = stack.close(Outcome::Success).await.unwrap_err();
    drop(stack);
    let same = by_hand.downcast::<Arc<Injected>>().unwrap();
    assert!(Arc::ptr_eq(&same, &thrown));
}

/// Three disposers fail: all errors, in the order of time. JavaScript nests them the other way, the last outermost.
pub async fn dispose_async_rejects_with_suppressederror_if_multiple_errors<R: Runtime>(_: R) {
    let stack = ExitStack::new();
    raises(&stack, "error1");
    raises(&stack, "error2");
    raises(&stack, "error3");
    let report = stack.close(Outcome::Success).await.unwrap_err();
    assert_eq!(texts(&report), ["error3", "error2", "error1"]);
    assert_eq!(report.to_string(), "injected error: error3");
}

/// What a disposer returns is not passed on: an exit answers nothing, or a verdict.
pub async fn dispose_async_resolves_to_undefined<R: Runtime>(_: R) {
    let stack = ExitStack::new();
    stack.callback(|| ());
    let verdict = stack.close(Outcome::Success).await.unwrap();
    assert!(!verdict.suppresses());
}

/// An error whose cause is another one.
#[derive(Debug)]
struct Outer(Injected);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// What came later is beside an error, and is never taken for its cause.
pub async fn suppressed_error_keeps_the_cause_apart<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        raises(stack, "later");
        Err::<(), Report>(Outer(error("cause")).into())
    });
    let report = ended.await.unwrap_err();
    assert_eq!(report.others()[0].downcast_ref(), Some(&error("later")));
    let standard = report.into_error();
    assert_eq!(standard.to_string(), "outer");
    let cause = standard.source().unwrap();
    assert_eq!(cause.downcast_ref(), Some(&error("cause")));
    assert!(cause.source().is_none());
}

/// An error that says nothing is an error all the same.
#[derive(Debug, PartialEq)]
struct Undefined;

impl fmt::Display for Undefined {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Error for Undefined {}

/// Errors without a text are kept, each of them.
pub async fn suppressed_error_of_undefined<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        stack.callback(|| Err::<(), _>(Undefined));
        stack.defer(async || Err::<(), _>(Undefined));
        Err::<(), Report>(Undefined.into())
    });
    let report = ended.await.unwrap_err();
    let kept = report
        .entries()
        .filter_map(|entry| entry.downcast_ref::<Undefined>());
    assert_eq!(kept.collect::<Vec<_>>(), [&Undefined; 3]);
}
