//! Handles, limits and results: what is known of the tasks of a group.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::channel::oneshot;
use withal_core::{GroupHandle, Reason, Runtime, TaskError, TaskGroup, TaskStatus, task_group};

use crate::cut::{yield_now, yield_times};
use crate::ledger::{Injected, Ledger, ok};

use super::{entered, errors, holds};

/// A dropped handle lets its task go on; an awaited one gives its value once.
pub async fn a_handle_that_is_dropped<R: Runtime>(rt: R) {
    let done = Arc::new(AtomicUsize::new(0));
    task_group(&rt, async |group| {
        for _ in 0..3 {
            let done = done.clone();
            drop(group.spawn(async move {
                yield_times(4).await;
                done.fetch_add(1, Ordering::SeqCst);
                ok(())
            }));
        }
        let mut handle = group.spawn(async { ok("value") });
        assert_eq!((&mut handle).await, Ok("value"));
        assert_eq!(handle.status(), TaskStatus::Finished);
        assert_eq!(handle.await, Err(TaskError::Taken));
        ok(())
    })
    .await
    .expect("nothing fails");
    assert_eq!(done.load(Ordering::SeqCst), 3);
}

/// asyncio's group 3: one task that is cancelled by hand is no error, and its siblings go on.
pub async fn asyncio_one_that_is_cancelled<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let value = task_group(&rt, async |group| {
        let one = group.spawn_named("one", holds(ledger.clone(), "a"));
        let other = group.spawn(async {
            yield_times(10).await;
            Ok(3)
        });
        entered(&ledger, 1).await;
        assert_eq!((one.status(), one.name()), (TaskStatus::Running, "one"));
        one.cancel("enough");
        let Err(TaskError::Cancelled(cancelled)) = one.await else {
            panic!("it was cancelled");
        };
        assert_eq!(cancelled.reason, Reason::Requested("enough"));
        other.await.map_err(|error| error.to_string())
    })
    .await;
    assert_eq!(value.ok(), Some(3));
    assert_eq!(ledger.outcome("a").as_deref(), Some("cancelled: enough"));
}

/// A group that is cancelled after the body had its value: the value counts.
pub async fn cancelled_after_the_value<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let value = task_group(&rt, async |group| {
        group.spawn(holds(ledger.clone(), "a"));
        entered(&ledger, 1).await;
        group.cancel("done");
        Ok::<_, String>(5)
    });
    assert_eq!(value.await.ok(), Some(5));
    assert_eq!(ledger.outcome("a").as_deref(), Some("cancelled: done"));
    ledger.check();
}

/// The same before: the body is cut, and the error says why.
pub async fn cancelled_before_the_value<R: Runtime>(rt: R) {
    let error = task_group(&rt, async |group| {
        let handle = group.handle();
        group.spawn(async move {
            yield_now().await;
            handle.cancel("enough");
            Ok::<_, String>(())
        });
        pending::<Result<(), String>>().await
    })
    .await
    .unwrap_err();
    let cancelled = error.cancelled().expect("nothing has failed");
    assert_eq!(cancelled.reason, Reason::Requested("enough"));
    assert!(error.failures().is_empty());
    assert_eq!(error.to_string(), "cancelled: enough");
}

/// anyio: `start_soon_after_error`, asyncio: a group that shuts down takes no task: its future is dropped unpolled.
pub async fn anyio_no_task_is_let_in_while_it_closes<R: Runtime>(rt: R) {
    let polled = Arc::new(AtomicUsize::new(0));
    let mut late = None;
    let value = task_group(&rt, async |group| {
        group.cancel("done");
        let polled = polled.clone();
        late = Some(group.spawn(async move {
            polled.fetch_add(1, Ordering::SeqCst);
            ok(())
        }));
        assert!(group.closing().is_some());
        ok(())
    });
    assert!(value.await.is_ok());
    let late = late.expect("it was refused");
    assert_eq!(late.status(), TaskStatus::Cancelled);
    assert!(matches!(late.await, Err(TaskError::Cancelled(_))));
    assert_eq!(polled.load(Ordering::SeqCst), 0);
}

/// A handle that outlives its group adds nothing to it.
pub async fn a_handle_after_the_end<R: Runtime>(rt: R) {
    let handle = using_group(&rt).await;
    let task = handle.spawn(async { ok(()) });
    assert_eq!(task.status(), TaskStatus::Cancelled);
    assert!(handle.is_empty());
}

async fn using_group<R: Runtime>(rt: &R) -> GroupHandle<Injected> {
    task_group(rt, async |group| ok(group.handle()))
        .await
        .expect("nothing fails")
}

/// Tasks add tasks to their own group, and the block waits for those, too.
pub async fn tasks_that_spawn<R: Runtime>(rt: R) {
    fn grow(group: &GroupHandle<Injected>, depth: usize, count: &Arc<AtomicUsize>) {
        let (handle, count) = (group.clone(), count.clone());
        group.spawn(async move {
            count.fetch_add(1, Ordering::SeqCst);
            yield_now().await;
            for _ in 0..if depth > 0 { 2 } else { 0 } {
                grow(&handle, depth - 1, &count);
            }
            ok(())
        });
    }
    let count = Arc::new(AtomicUsize::new(0));
    task_group(&rt, async |group| {
        grow(&group.handle(), 5, &count);
        ok(())
    })
    .await
    .expect("nothing fails");
    assert_eq!(count.load(Ordering::SeqCst), 63);
}

/// At most so many run at once, in the order in which they were spawned, and all of them run.
pub async fn at_most<R: Runtime>(rt: R) {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let ended = Arc::new(AtomicUsize::new(0));
    TaskGroup::new(&rt)
        .at_most(3)
        .run(async |group| {
            for number in 0..50_usize {
                let (running, most, ended) = (running.clone(), most.clone(), ended.clone());
                group.spawn(async move {
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    yield_times(number % 4).await;
                    running.fetch_sub(1, Ordering::SeqCst);
                    ended.fetch_add(1, Ordering::SeqCst);
                    ok(())
                });
            }
            group.room().await;
            assert!(group.len() <= 50);
            ok(())
        })
        .await
        .expect("nothing fails");
    assert_eq!(ended.load(Ordering::SeqCst), 50);
    assert!(most.load(Ordering::SeqCst) <= 3);
}

/// Tasks that wait for their turn when the group is cancelled never begin.
pub async fn cancelled_in_the_queue<R: Runtime>(rt: R) {
    let begun = Arc::new(AtomicUsize::new(0));
    let mut waiting = Vec::new();
    let value = TaskGroup::new(&rt).at_most(1).run(async |group| {
        let (go, wait) = oneshot::channel::<()>();
        group.spawn(async move {
            drop(go);
            pending::<Result<(), String>>().await
        });
        for _ in 0..1000 {
            let begun = begun.clone();
            waiting.push(group.spawn(async move {
                begun.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }));
        }
        let _ = wait.await;
        assert_eq!(waiting[0].status(), TaskStatus::Waiting);
        group.cancel("done");
        Ok(())
    });
    assert!(value.await.is_ok());
    assert_eq!(begun.load(Ordering::SeqCst), 0);
    assert!(
        waiting
            .iter()
            .all(|task| task.status() == TaskStatus::Cancelled)
    );
}

/// Values come in the order in which their tasks end, and a failure cuts who waits for them.
pub async fn results_as_they_come<R: Runtime>(rt: R) {
    let sums = task_group(&rt, async |group| {
        let mut results = group.results();
        let mut order = Vec::new();
        for number in 0..10_u32 {
            results.spawn(async move {
                yield_times(number as usize % 3).await;
                ok(number)
            });
        }
        assert_eq!(results.len(), 10);
        while let Some(number) = results.next().await {
            order.push(number);
        }
        assert!(results.is_empty() && results.next().await.is_none());
        order.sort_unstable();
        ok(order)
    });
    assert_eq!(
        sums.await.expect("nothing fails"),
        (0..10).collect::<Vec<_>>()
    );
    let error = task_group(&rt, async |group| {
        let mut results = group.results();
        results.spawn(pending::<Result<u32, String>>());
        results.spawn(async { Err("it broke".to_owned()) });
        let _ = results.next().await;
        pending::<Result<(), String>>().await
    });
    assert_eq!(errors(&error.await.unwrap_err()), ["it broke"]);
}
