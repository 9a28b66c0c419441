//! Groups that are cancelled from outside, that nest, and that are scopes of others.

use futures::channel::oneshot;
use withal_core::{
    GroupError, Reason, Runtime, ScopeExt, TaskGroup, task_group, timeout, until, using, with,
};

use crate::cut::yield_times;
use crate::ledger::{Injected, Ledger, ok};

use super::{SOON, entered, errors, failed, holds};

/// A timeout around a group: the tasks are told, and have ended when it returns.
pub async fn under_a_timeout<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let group = task_group(&rt, async |group| {
        group.spawn(holds(ledger.clone(), "task"));
        entered(&ledger, 1).await;
        holds(ledger.clone(), "body").await
    });
    assert!(timeout(&rt, SOON, group).await.is_err());
    assert_eq!(ledger.live(), 0);
    for name in ["task", "body"] {
        if let Some(outcome) = ledger.outcome(name) {
            assert_eq!(outcome, "cancelled: the time was up", "{name}");
        }
    }
    ledger.check();
}

/// anyio: `cancel_exiting_task_group`: one that comes while the block waits for its tasks cancels them, and goes on waiting.
pub async fn anyio_cancelled_while_it_waits<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (stop, stopped) = oneshot::channel::<()>();
    let group = task_group(&rt, async |group| {
        group.spawn(holds(ledger.clone(), "task"));
        entered(&ledger, 1).await;
        drop(stop);
        Ok::<_, String>(())
    });
    let signal = async {
        let _ = stopped.await;
        Reason::Requested("enough")
    };
    let interrupted = until(signal, group).await;
    assert!(interrupted.is_err());
    assert_eq!(ledger.live(), 0);
    assert_eq!(ledger.outcome("task").as_deref(), Some("cancelled: enough"));
    ledger.check();
}

/// asyncio: nested groups; trio: `cancel_inheritance`. A failure of the outer one goes down to the leaves; that of an inner one goes up as its error.
pub async fn trio_nested_groups<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let error = task_group(&rt, async |outer| {
        let (inner_rt, inner_ledger) = (rt.clone(), ledger.clone());
        outer.spawn(async move {
            let inner = task_group(&inner_rt, async |inner| {
                for name in ["a", "b"] {
                    inner.spawn(holds(inner_ledger.clone(), name));
                }
                Ok(())
            });
            inner.await.map_err(|error| error.to_string())
        });
        entered(&ledger, 2).await;
        failed("outer")
    })
    .await
    .unwrap_err();
    assert_eq!(errors(&error), ["outer"]);
    assert_eq!(ledger.live(), 0);
    for name in ["a", "b"] {
        assert_eq!(
            ledger.outcome(name).as_deref(),
            Some("cancelled: a sibling failed")
        );
    }
    ledger.check();
}

/// A group as a scope: its exit waits for the tasks after a success, cancels them after anything else, and tells of what has failed.
pub async fn as_a_scope<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let waited = with(TaskGroup::<String>::new(&rt), async |group| {
        let ledger = ledger.clone();
        group.spawn(async move {
            let scope = ledger.scope("a").yields(1);
            let ended: Result<(), Injected> = scope.with(async |_| ok(yield_times(3).await)).await;
            ended.map_err(|error| error.to_string())
        });
        Ok::<_, GroupError<String>>(1)
    });
    assert_eq!(waited.await.expect("nothing fails"), 1);
    assert_eq!(ledger.outcome("a").as_deref(), Some("success"));

    let failing = using(TaskGroup::<String>::new(&rt), async |group| {
        group.spawn(holds(ledger.clone(), "b"));
        entered(&ledger, 2).await;
        group.spawn(async { failed("it broke") });
    });
    assert_eq!(errors(&failing.await.unwrap_err()), ["it broke"]);
    assert_eq!(
        ledger.outcome("b").as_deref(),
        Some("cancelled: a sibling failed")
    );
    ledger.check();
}
