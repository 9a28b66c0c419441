//! Handles of tasks.

use std::future::pending;

use futures::channel::oneshot;
use withal_core::{
    Reason, Runtime, ScopeExt, TaskError, TaskGroup, TaskStatus, acquire, task_group,
};

use crate::conformance::grouping::failed;
use crate::cut::{yield_now, yield_times};
use crate::ledger::{Injected, Ledger, ok};

/// `create_task`: the status of a task from its place in the queue to its end.
pub async fn task_handle_status<R: Runtime>(rt: R) {
    let (go, gate) = oneshot::channel::<()>();
    let (begun, has_begun) = oneshot::channel();
    let scope = acquire(async || Ok::<_, String>(())).release(async move |(), _| {
        let _ = gate.await;
        Ok(())
    });
    let group = TaskGroup::new(&rt).at_most(1).keep_going();
    let group = group.run(async |group| {
        let first = group.spawn(async move {
            scope
                .with(async |()| {
                    // It is running when its first poll is over.
                    yield_now().await;
                    let _ = begun.send(());
                    pending::<Result<(), String>>().await
                })
                .await
        });
        let second = group.spawn(async { failed("it broke") });
        assert!(has_begun.await.is_ok());
        assert_eq!(first.status(), TaskStatus::Running);
        assert_eq!(second.status(), TaskStatus::Waiting);
        first.cancel("enough");
        assert_eq!(first.status(), TaskStatus::Cancelling);
        assert!(go.send(()).is_ok());
        let mut first = first;
        let Err(TaskError::Cancelled(cancelled)) = (&mut first).await else {
            panic!("it was cancelled");
        };
        assert_eq!(cancelled.reason, Reason::Requested("enough"));
        assert_eq!(first.status(), TaskStatus::Cancelled);
        let mut second = second;
        assert_eq!((&mut second).await, Err(TaskError::Failed));
        assert_eq!(second.status(), TaskStatus::Failed);
        // What has ended stays as it is.
        second.cancel("too late");
        assert_eq!(second.status(), TaskStatus::Failed);
        Ok(())
    });
    let error = group.await.unwrap_err();
    assert_eq!(error.errors().collect::<Vec<_>>(), ["it broke"]);
}

/// `create_task`: one that is cancelled while it waits for its turn never begins, and its handle says so at once.
pub async fn task_handle_cancelled_before_it_began<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let group = TaskGroup::<Injected>::new(&rt).at_most(1);
    let group = group.run(async |group| {
        let (go, gate) = oneshot::channel::<()>();
        let first = group.spawn(async move { ok(gate.await.is_ok()) });
        let mut waiting = Vec::new();
        for name in ["a", "b", "c", "d", "e"] {
            let log = ledger.clone();
            waiting.push(group.spawn(async move { ok(log.say(name)) }));
        }
        // The first, the last, and one between others.
        for place in [0, 4, 2] {
            waiting[place].cancel("enough");
            assert_eq!(waiting[place].status(), TaskStatus::Cancelled);
            let cancelled = (&mut waiting[place]).await.unwrap_err();
            let reason = Reason::Requested("enough");
            assert_eq!(cancelled, TaskError::Cancelled(reason.into()));
        }
        assert_eq!(group.len(), 3);
        assert!(go.send(()).is_ok());
        assert_eq!(first.await, Ok(true));
        group.ended().await;
        // There is room again for the next.
        assert_eq!(group.spawn(async { ok(6) }).await, Ok(6));
        ok(())
    });
    assert!(group.await.is_ok());
    assert_eq!(ledger.trace(), "b d");
}

/// `return_value`: the handle may be awaited by another task, and after the group has ended.
pub async fn task_handle_elsewhere<R: Runtime>(rt: R) {
    let group = task_group(&rt, async |group| {
        let one = group.spawn(async { ok(yield_now().await) });
        let other = group.spawn(async move { ok(one.await) });
        ok((other, group.spawn(async { ok(yield_times(5).await) })))
    });
    let (other, late) = group.await.expect("nothing fails");
    assert_eq!(late.status(), TaskStatus::Finished);
    assert_eq!((other.await, late.await), (Ok(Ok(())), Ok(())));
}
