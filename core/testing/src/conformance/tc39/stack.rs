//! `AsyncDisposableStack` and its sync twin: use, adopt, defer, move.

use std::sync::Arc;

use withal_core::{ExitStack, Key, Outcome, Report, Runtime, sync};

use crate::conformance::entries::{raises, says, seen};
use crate::ledger::{Ledger, Traced};
use crate::lost::LostErrors;

/// A stack is itself a scope, so that stacks nest.
pub async fn symbol_async_dispose<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |outer| {
        says(outer, &ledger, "outer");
        let inner = outer.enter(ExitStack::new()).await?;
        says(&inner, &ledger, "inner 1");
        says(&inner, &ledger, "inner 2");
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    assert_eq!(ledger.trace(), "inner 2 inner 1 outer");
}

/// A scope is released with the stack, and not before.
pub async fn use_adds_async_disposable_value<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    assert!(stack.enter(ledger.scope("a").yields(1)).await.is_ok());
    assert_eq!(ledger.trace(), "+a");
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// A guard that says in its drop that it is released.
struct Loud(Ledger, &'static str);

impl Drop for Loud {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

/// So is a guard that releases in its drop.
pub async fn use_adds_sync_disposable_value<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    let Ok(guard) = stack.enter(sync(Loud(ledger.clone(), "released"))).await;
    drop(guard);
    assert_eq!(ledger.trace(), "");
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "released");
}

/// A resource that is not there.
pub async fn use_allows_null_value<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        let nothing = stack.enter(None::<Traced>).await?;
        let something = stack.enter(Some(ledger.scope("a"))).await?;
        assert!(nothing.is_none() && something.is_some());
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// Last in, first out, async and sync.
pub async fn use_puts_value_on_top_of_stack<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    assert!(stack.enter(ledger.scope("1").exit_yields(1)).await.is_ok());
    let Ok(guard) = stack.enter(sync(Loud(ledger.clone(), "2"))).await;
    drop(guard);
    assert!(stack.enter(ledger.scope("3").exit_yields(1)).await.is_ok());
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "+1 +3 ~3 -3 2 ~1 -1");
}

/// The guard is there to work with.
pub async fn use_returns_value<R: Runtime>(_: R) {
    let value = Arc::new(());
    let ended = ExitStack::with(async |stack| {
        let Ok(guard) = stack.enter(sync(value.clone())).await;
        assert!(Arc::ptr_eq(&guard, &value));
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
}

/// Into a closed stack: the guard is there as long as its lease, and is then released, told how the stack had ended.
pub async fn use_throws_if_disposed<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let around = ledger.scope("around");
    let ended = withal_core::using(around, async |_| {
        let stack = ExitStack::new();
        assert!(stack.close(Outcome::Success).await.is_ok());
        let late = stack.enter(ledger.scope("late").yields(1)).await.unwrap();
        assert_eq!(late.name(), "late");
        assert!(stack.is_empty());
    });
    assert_eq!(ended.await, Ok(()));
    assert_eq!(ledger.trace(), "+around +late ~late -late ~around -around");
    assert_eq!(ledger.outcome("late").as_deref(), Some("success"));
}

/// Adds a value with a callback that says what it is given.
fn adopts<T: Send + ToString + 'static>(stack: &ExitStack, ledger: &Ledger, value: T) {
    let ledger = ledger.clone();
    stack.push(value, async move |value, _| ledger.say(value.to_string()));
}

/// The callback gets the value.
pub async fn adopt_adds_value_on_dispose_async<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    adopts(&stack, &ledger, "value");
    assert_eq!(ledger.trace(), "");
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "value");
}

/// Any value will do; if it is a scope it is not entered, if it has an exit of its own only the callback runs.
pub async fn adopt_allows_any_value<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    adopts(&stack, &ledger, 7);
    stack.push(None::<u8>, async |none, _| assert!(none.is_none()));
    stack.push(|| 7, async |function, _| assert_eq!(function(), 7));
    stack.push(ledger.scope("scope"), async |scope, _| drop(scope));
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "7");
}

/// Last in, first out, each with its own value.
pub async fn adopt_puts_value_on_dispose_async_on_top_of_stack<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    for value in 1..=3 {
        adopts(&stack, &ledger, value);
    }
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "3 2 1");
}

/// The value is there to work with, and to change.
pub async fn adopt_returns_value<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        let exit = async |list: Vec<u8>, _: Outcome<'_>| assert_eq!(list, [1, 2]);
        let mut list = stack.push(vec![1], exit);
        list.push(2);
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
}

/// Into a closed stack: as a scope.
pub async fn adopt_throws_if_disposed<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let around = ledger.scope("around");
    let ended = withal_core::using(around, async |_| {
        let stack = ExitStack::new();
        assert!(stack.close(Outcome::Success).await.is_ok());
        let log = ledger.clone();
        let value = stack.push((), async move |(), outcome: Outcome<'_>| {
            log.say(seen("late", &outcome));
        });
        ledger.say("lent");
        drop(value);
    });
    assert_eq!(ended.await, Ok(()));
    assert_eq!(ledger.trace(), "+around lent late:ok ~around -around");
}

/// The callback is called with the stack, and not before.
pub async fn defer_adds_on_dispose_async<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    says(&stack, &ledger, "called");
    assert_eq!(ledger.trace(), "");
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "called");
}

/// Last in, first out, async and sync.
pub async fn defer_puts_on_dispose_async_on_top_of_stack<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    says(&stack, &ledger, "1");
    let log = ledger.clone();
    stack.callback(move || log.say("2"));
    says(&stack, &ledger, "3");
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "3 2 1");
}

/// There is nothing to work with; only a key, by which the callback can be taken out again.
pub async fn defer_returns_undefined<R: Runtime>(_: R) {
    let stack = ExitStack::new();
    let key: Key<()> = stack.defer(async || -> () { unreachable!("it was dismissed") });
    let () = stack.lease(&key).unwrap().dismiss();
    assert!(stack.close(Outcome::Success).await.is_ok());
}

/// Into a closed stack: called at once, or, if it is async, by whoever is around; its error is told to the hook.
pub async fn defer_throws_if_disposed<R: Runtime>(_: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let around = ledger.scope("around");
    let ended = withal_core::using(around, async |_| {
        let stack = ExitStack::new();
        assert!(stack.close(Outcome::Success).await.is_ok());
        let log = ledger.clone();
        stack.callback(move || log.say("at once"));
        assert!(ledger.trace().ends_with("at once"));
        says(&stack, &ledger, "soon");
        raises(&stack, "defer.after.close");
    });
    assert_eq!(ended.await, Ok(()));
    assert_eq!(ledger.trace(), "+around at once soon ~around -around");
    assert_eq!(lost.containing("defer.after.close").len(), 1);
}

/// Nothing is called when a stack is moved.
pub async fn move_does_not_dispose_resources<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    says(&stack, &ledger, "1");
    let moved = stack.take();
    let moved_by_value = moved;
    assert_eq!(ledger.trace(), "");
    assert!(moved_by_value.close(Outcome::Success).await.is_ok());
}

/// The new stack has everything in its order, the old one nothing.
pub async fn move_returns_new_stack_that_contains_moved_resources<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    says(&stack, &ledger, "1");
    says(&stack, &ledger, "2");
    let moved = stack.take();
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "");
    assert!(moved.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "2 1");
}

/// It is another stack: closing one leaves the other open.
pub async fn move_returns_new_stack<R: Runtime>(_: R) {
    let stack = ExitStack::new();
    let moved = stack.take();
    assert!(moved.close(Outcome::Success).await.is_ok());
    assert!(!stack.is_closed());
}

/// The old one stays open, as in Python; who moves the value itself has it nowhere else.
pub async fn move_sets_state_to_disposed<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    let moved = stack.take();
    says(&stack, &ledger, "added afterwards");
    assert!(moved.is_empty() && !stack.is_closed());
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "added afterwards");
}

/// What is taken from a closed stack is empty, and open.
pub async fn move_throws_if_disposed<R: Runtime>(_: R) {
    let stack = ExitStack::new();
    assert!(stack.close(Outcome::Success).await.is_ok());
    let moved = stack.take();
    assert!(moved.is_empty() && !moved.is_closed());
    assert!(stack.is_closed());
}
