//! Stacks inside of stacks: forks, groups, and who closes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join;
use withal_core::{ExitStack, Outcome, Report, Runtime};

use crate::conformance::entries::{error, raises, says, seen, sees, texts, waits};
use crate::cut::{poll_once, yield_times};
use crate::ledger::Ledger;

/// A child that is closed by hand leaves its parent; else the parent closes it in its turn, also if it was dropped.
pub async fn fork<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let parent = ExitStack::new();
    says(&parent, &ledger, "1");
    let (by_hand, kept, dropped) = (parent.fork(), parent.fork(), parent.fork());
    says(&parent, &ledger, "5");
    says(&kept, &ledger, "3");
    says(&dropped, &ledger, "4");
    says(&by_hand, &ledger, "by hand");
    drop(dropped);
    assert_eq!(parent.len(), 5);
    assert!(by_hand.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "by hand");
    assert_eq!(parent.len(), 4);
    assert!(parent.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "by hand 5 4 3 1");
    assert!(kept.is_closed());
}

/// The errors of a child are the parent's; its outcome is what is current.
pub async fn a_child_that_fails<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        sees(stack, &ledger, "outer");
        let child = stack.fork();
        raises(&child, "child 1");
        raises(&child, "child 2");
        sees(&child, &ledger, "child");
        raises(stack, "parent");
        Ok::<_, Report>(())
    });
    let all = texts(&ended.await.unwrap_err());
    assert_eq!(all, ["parent", "child 2", "child 1"]);
    assert_eq!(ledger.trace(), "child:parent outer:child 1");
}

/// The entries of a group exit at once, at most so many; the group keeps its place.
pub async fn group<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let stack = ExitStack::new();
    sees(&stack, &ledger, "before");
    let group = stack.group(3);
    for number in 0..8 {
        let (running, most, log) = (running.clone(), most.clone(), ledger.clone());
        group.push(number, async move |number, outcome: Outcome<'_>| {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            yield_times(2).await;
            running.fetch_sub(1, Ordering::SeqCst);
            if number % 4 == 0 {
                return Err(error(&format!("group {number}")));
            }
            assert_eq!(seen("", &outcome), ":ok", "all see the same");
            log.say("member");
            Ok(())
        });
    }
    says(&stack, &ledger, "after");
    let failed = stack.close(Outcome::Success).await.unwrap_err();
    let mut all = texts(&failed);
    all.sort();
    assert_eq!(all, ["group 0", "group 4"]);
    assert_eq!(most.load(Ordering::SeqCst), 3);
    let trace = ledger.trace();
    assert!(
        trace.starts_with("after member") && trace.contains("member before:group"),
        "{trace}"
    );
    assert_eq!(trace.matches("member").count(), 6);
}

/// The child of a closed parent is closed.
pub async fn a_child_of_a_closed_parent<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let parent = ExitStack::new();
    assert!(parent.close(Outcome::Success).await.is_ok());
    for child in [parent.fork(), parent.group(2)] {
        assert!(child.is_closed());
        let log = ledger.clone();
        child.callback(move || log.say("at once"));
        assert!(child.close(Outcome::Success).await.is_ok());
    }
    assert_eq!(ledger.trace(), "at once at once");
}

/// The parent comes to a child that is being closed by hand: it waits; the errors are told to who closes the child.
pub async fn a_parent_closes_while_a_child_closes_by_hand<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let parent = ExitStack::new();
    sees(&parent, &ledger, "outer");
    let child = parent.fork();
    says(&child, &ledger, "child 1");
    raises(&child, "error");
    let go = waits(&child, &ledger, "child 2");
    let mut by_hand = Box::pin(child.close(Outcome::Success));
    assert!(poll_once(&mut by_hand).await.is_pending());
    let mut by_parent = Box::pin(parent.close(Outcome::Success));
    assert!(poll_once(&mut by_parent).await.is_pending());
    assert_eq!(go.send(()), Ok(()));
    let (by_hand, parent) = join(by_hand, by_parent).await;
    assert_eq!(texts(&by_hand.unwrap_err()), ["error"]);
    assert!(parent.is_ok());
    assert_eq!(ledger.trace(), "child 2 child 1 outer:ok");
}

/// What is taken out of a child is no longer the parent's.
pub async fn taken_out_of_a_child<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let parent = ExitStack::new();
    let child = parent.fork();
    says(&child, &ledger, "taken");
    let taken = child.take();
    assert!(parent.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "");
    assert!(taken.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "taken");
}
