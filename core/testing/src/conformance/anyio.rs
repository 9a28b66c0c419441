//! The behavior of anyio's task groups and cancel scopes that no other area has a case for, each named for the test of anyio that it is made after.
//!
//! `docs/cancellation.md` has the table, with what is decided by types and what is different.

mod handles;
mod shields;

use std::future::pending;

use futures::channel::oneshot;
use withal_core::{
    CancelHandle, Reason, Runtime, ScopeExt, TaskReady, acquire, cancellable, shield, task_group,
    until,
};

use crate::conformance::grouping::{entered, errors, failed, holds};
use crate::cut::{poll_once, yield_now, yield_times};
use crate::ledger::{Ledger, ok};

pub use handles::*;
pub use shields::*;

/// `failing_host_task_cancels_children`: what is open in the tasks exits, and the error is the host's.
pub async fn failing_host_task_cancels_children<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let group = task_group(&rt, async |group| {
        for name in ["a", "b"] {
            group.spawn(holds(ledger.clone(), name));
        }
        entered(&ledger, 2).await;
        failed("the host")
    });
    let error = group.await.unwrap_err();
    assert_eq!(errors(&error), ["the host"]);
    assert_eq!(error.failures()[0].task(), None);
    for name in ["a", "b"] {
        let seen = ledger.outcome(name);
        assert_eq!(seen.as_deref(), Some("cancelled: a sibling failed"));
    }
    ledger.check();
}

/// `exception_group_children`, `exception_group_host`: what goes wrong in the clean-up of those that are cancelled is collected, of all of them.
pub async fn exception_group_children_and_host<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let goes_wrong = |name: &'static str| {
        let scope = ledger.scope(name).yields(1).exit_fails();
        async move {
            let ended = scope.with(async |_| ok(pending::<()>().await)).await;
            ended.map_err(|error| error.to_string())
        }
    };
    let group = task_group(&rt, async |group| {
        for name in ["one", "two"] {
            group.spawn(goes_wrong(name));
        }
        let crashes = ledger.clone();
        group.spawn(async move {
            entered(&crashes, 3).await;
            failed("it broke")
        });
        goes_wrong("host").await
    });
    let error = group.await.unwrap_err();
    assert_eq!(errors(&error), ["it broke"]);
    let mut exits: Vec<String> = error.exits().iter().map(ToString::to_string).collect();
    exits.sort_unstable();
    for (exit, name) in exits.iter().zip(["host", "one", "two"]) {
        assert!(exit.contains(&format!("exit {name}")), "{exits:?}");
    }
    assert_eq!(exits.len(), 3);
    assert_eq!(
        error.to_string().split_once(": ").map(|(_, what)| what),
        Some("it broke, and 3 exits went wrong")
    );
}

/// `cancel_twice`: the first reason counts, for all tasks and for those who ask.
pub async fn cancel_twice<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let group = task_group(&rt, async |group| {
        group.spawn(holds(ledger.clone(), "a"));
        entered(&ledger, 1).await;
        group.cancel("one");
        group.handle().cancel("two");
        assert_eq!(
            group.closing().map(|cancelled| cancelled.reason),
            Some(Reason::Requested("one"))
        );
        pending::<Result<(), String>>().await
    });
    let error = group.await.unwrap_err();
    assert_eq!(error.to_string(), "cancelled: one");
    assert_eq!(ledger.outcome("a").as_deref(), Some("cancelled: one"));
}

/// `start_cancels_parent_scope`: neither a canceller inside of a started task, nor one around its start, cancels the group.
pub async fn start_cancels_parent_scope<R: Runtime>(rt: R) {
    let group = task_group(&rt, async |group| {
        let serve = async |ready: TaskReady<()>| {
            let inner = cancellable(async |handle| {
                ready.ready(());
                handle.cancel("the inner one");
                pending::<()>().await;
            });
            assert!(inner.await.is_err());
            yield_times(3).await;
            ok("went on")
        };
        let ((), task) = group.start(serve).await.expect("it was ready");
        let handle = CancelHandle::new();
        let never = async |ready: TaskReady<()>| {
            let _ready = ready;
            ok(pending::<()>().await)
        };
        let starting = async {
            handle.cancel("the starter");
            group.start(never).await.is_ok()
        };
        assert!(until(handle.cancelled(), starting).await.is_err());
        assert!(group.closing().is_none());
        ok(task.await)
    });
    assert_eq!(group.await.ok(), Some(Ok("went on")));
}

/// `cancel_shielding_start`: a shield in a started task holds although its starter is cancelled.
pub async fn cancel_shielding_start<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (begun, has_begun) = oneshot::channel();
    let (go, gate) = oneshot::channel::<()>();
    let log = ledger.clone();
    let group = task_group(&rt, async |group| {
        let handle = CancelHandle::new();
        let serve = async move |ready: TaskReady<()>| {
            let inside = log.clone();
            let step = shield(async move {
                let _ = begun.send(());
                let _ = gate.await;
                yield_times(2).await;
                inside.say("the step");
            });
            step.await;
            yield_times(3).await;
            log.say("too much");
            ready.ready(());
            ok(())
        };
        let mut starting = Box::pin(until(handle.cancelled(), group.start(serve)));
        assert!(poll_once(&mut starting).await.is_pending());
        assert!(has_begun.await.is_ok());
        handle.cancel("enough");
        assert!(starting.await.is_err());
        assert!(go.send(()).is_ok());
        group.ended().await;
        ok(7)
    });
    assert_eq!(group.await.ok(), Some(7));
    assert_eq!(ledger.trace(), "the step");
}

/// `start_cancel_after_error`: a task has failed, and its starter is dropped before it hears of that: the error is the group's.
pub async fn start_cancel_after_error<R: Runtime>(rt: R) {
    let group = task_group(&rt, async |group| {
        let (go, gate) = oneshot::channel::<()>();
        let fails = async move |ready: TaskReady<()>| {
            let _ready = (ready, gate.await);
            failed("no port")
        };
        let mut starting = Box::pin(group.start(fails));
        assert!(poll_once(&mut starting).await.is_pending());
        assert!(go.send(()).is_ok());
        while !group.is_empty() {
            yield_now().await;
        }
        drop(starting);
        pending::<Result<(), String>>().await
    });
    assert_eq!(errors(&group.await.unwrap_err()), ["no port"]);
}

/// `cancel_before_entering_task_group`, and an exit of the host that waits for a task which is cancelled with it.
pub async fn cancel_before_entering_task_group<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let handle = CancelHandle::new();
    handle.cancel("enough");
    let group = task_group(&rt, async |group| {
        group.spawn(holds(ledger.clone(), "a"));
        let task = group.spawn(pending::<Result<(), String>>());
        let waits = acquire(async || Ok::<_, String>(task)).release(async |task, _| {
            let ended = task.await;
            ended.is_err().then_some(()).ok_or_else(String::new)
        });
        waits
            .with(async |_| pending::<Result<(), String>>().await)
            .await
    });
    let interrupted = until(handle.cancelled(), group)
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(interrupted.to_string(), "cancelled: enough");
    ledger.check();
}
