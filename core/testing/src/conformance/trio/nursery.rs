//! Nurseries: which errors they collect, and how tasks are started in them.

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::channel::oneshot;
use futures::future::join;
use withal_core::{
    CancelHandle, Reason, Runtime, ScopeExt, StartError, TaskGroup, TaskReady, shield, task_group,
    until,
};

use crate::conformance::grouping::{errors, failed};
use crate::cut::{poll_once, yield_now, yield_times};
use crate::ledger::{Injected, Ledger, ok};

/// `main_and_task_both_crash`: both errors are there, whoever was first.
pub async fn main_and_task_both_crash<R: Runtime>(rt: R) {
    let group = task_group(&rt, async |group| {
        group.spawn(ready(failed("the task")));
        failed("main")
    });
    let mut errors = errors(&group.await.unwrap_err());
    errors.sort_unstable();
    assert_eq!(errors, ["main", "the task"]);
}

/// `two_child_crashes`: a task that was to be cancelled, and fails before it hears of it, has failed.
pub async fn two_child_crashes<R: Runtime>(rt: R) {
    let both = Arc::new(AtomicBool::new(false));
    let group = task_group(&rt, async |group| {
        for name in ["one", "two"] {
            let both = both.clone();
            group.spawn(async move {
                // In its first poll, and on its own thread, if it has one.
                while !both.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                failed(name)
            });
        }
        both.store(true, Ordering::SeqCst);
        pending::<Result<(), String>>().await
    });
    let mut errors = errors(&group.await.unwrap_err());
    errors.sort_unstable();
    assert_eq!(errors, ["one", "two"]);
}

/// A task belongs to where its nursery was opened: a canceller around the call that spawns it does not touch it.
pub async fn children_belong_to_where_the_nursery_was_opened<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let group = task_group(&rt, async |group| {
        let handle = CancelHandle::new();
        let (go, gate) = oneshot::channel::<()>();
        let scope = ledger.scope("task");
        let mut task = None;
        let inner = until(handle.cancelled(), async {
            let spawned = async move { scope.using(async move |_| gate.await.is_ok()).await };
            task = Some(group.spawn(spawned));
            handle.cancel("enough");
            yield_times(3).await;
        });
        assert!(inner.await.is_err());
        yield_times(3).await;
        assert!(go.send(()).is_ok());
        assert_eq!(task.expect("it was spawned").await, Ok(true));
        ok(())
    });
    assert!(group.await.is_ok());
    assert_eq!(ledger.outcome("task").as_deref(), Some("success"));
}

/// `nursery_start`: a child that never suspends.
pub async fn nursery_start_without_checkpoints<R: Runtime>(rt: R) {
    let group = task_group(&rt, async |group| {
        let serve = async |ready: TaskReady<u16>| {
            ready.ready(80);
            ok("served")
        };
        let (port, task) = group.start(serve).await.expect("it was ready");
        ok((port, task.await))
    });
    assert_eq!(group.await.ok(), Some((80, Ok("served"))));
}

/// `nursery_start`: a closed nursery says so at once, and never polls the child.
pub async fn nursery_start_in_a_closed_nursery<R: Runtime>(rt: R) {
    let polled = Arc::new(AtomicUsize::new(0));
    let serve = || {
        let polled = polled.clone();
        async move |ready: TaskReady<()>| {
            polled.fetch_add(1, Ordering::SeqCst);
            ready.ready(());
            ok(())
        }
    };
    let group = task_group(&rt, async |group| {
        group.cancel("enough");
        // The body is about to be cut itself, and need not fail for it.
        assert!(
            poll_once(&mut Box::pin(group.start(serve())))
                .await
                .is_pending()
        );
        ok(group.handle())
    });
    let handle = group.await.expect("its value counts");
    let refused = handle.start(serve()).await.unwrap_err();
    let reason = Reason::Requested("enough");
    assert_eq!(refused, StartError::Cancelled(reason.into()));
    assert_eq!(polled.load(Ordering::SeqCst), 0);
}

/// Counts how often it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// `nursery_start`: when `start` was cancelled, the word of a child that comes too late is dropped, and the child is cancelled.
pub async fn nursery_start_that_is_ready_too_late<R: Runtime>(rt: R) {
    let (begun, has_begun) = oneshot::channel();
    let (go, gate) = oneshot::channel::<()>();
    let dropped = Arc::new(AtomicUsize::new(0));
    let word = Counted(dropped.clone());
    let group = task_group(&rt, async |group| {
        let serve = async move |ready: TaskReady<Counted>| {
            let late = shield(async move {
                let _ = begun.send(());
                let _ = gate.await;
                ready.ready(word);
            });
            late.await;
            ok(pending::<()>().await)
        };
        let mut starting = Box::pin(group.start(serve));
        assert!(poll_once(&mut starting).await.is_pending());
        assert!(has_begun.await.is_ok());
        drop(starting);
        assert_eq!(dropped.load(Ordering::SeqCst), 0);
        assert!(go.send(()).is_ok());
        group.ended().await;
        ok(dropped.load(Ordering::SeqCst))
    });
    assert_eq!(group.await.ok(), Some(1));
}

/// `nursery_start_keeps_nursery_open`: while somebody waits for a start, from wherever, the block does not end.
pub async fn nursery_start_keeps_nursery_open<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (go, gate) = oneshot::channel::<()>();
    let (give, given) = oneshot::channel();
    let block = async {
        let group = task_group(&rt, async |group| {
            let (handle, log) = (group.handle(), ledger.clone());
            let serve = async move |ready: TaskReady<u16>| {
                let _ = gate.await;
                log.say("ready");
                ready.ready(80);
                ok(())
            };
            let mut starting = Box::pin(async move { handle.start(serve).await });
            assert!(poll_once(&mut starting).await.is_pending());
            assert!(give.send(starting).is_ok());
            ok(())
        });
        assert!(group.await.is_ok());
        ledger.say("the end");
    };
    let starter = async {
        let starting = given.await.expect("it was given");
        yield_times(5).await;
        assert!(go.send(()).is_ok());
        let (port, task) = starting.await.expect("it was ready");
        assert_eq!((port, task.await), (80, Ok(())));
    };
    join(block, starter).await;
    assert_eq!(ledger.trace(), "ready the end");
}

/// `at_most` and `start`: one that waits for its turn is started in its turn, and its starter waits for that.
pub async fn nursery_start_with_a_limit<R: Runtime>(rt: R) {
    let group = TaskGroup::<Injected>::new(&rt)
        .at_most(1)
        .run(async |group| {
            let (go, gate) = oneshot::channel::<()>();
            let first = group.spawn(async move { ok(gate.await.is_ok()) });
            let serve = async |ready: TaskReady<()>| {
                ready.ready(());
                ok(yield_now().await)
            };
            let mut starting = Box::pin(group.start(serve));
            assert!(poll_once(&mut starting).await.is_pending());
            assert!(go.send(()).is_ok());
            let ((), task) = starting.await.expect("it had its turn");
            ok((first.await, task.await))
        });
    assert_eq!(group.await.ok(), Some((Ok(true), Ok(()))));
}
