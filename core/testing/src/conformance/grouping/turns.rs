//! Limits: tasks that wait for their turn, and those who wait for room.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use futures::channel::oneshot;
use withal_core::{Runtime, ScopeExt, TaskCanceller, TaskGroup, TaskReady, TaskStatus, timeout};

use crate::cut::{cut_after, yield_now, yield_times};
use crate::ledger::{Injected, Ledger, ok};

use super::sweeps::{sweep, task};
use super::{SOON, entered};

/// Nobody jumps the queue, also not in the moment in which a seat is free.
pub async fn turns_are_kept<R: Runtime>(rt: R) {
    for round in 0..50 {
        let order = Arc::new(Mutex::new(Vec::new()));
        let group = TaskGroup::<Injected>::new(&rt).at_most(1);
        let group = group.run(async |group| {
            for number in 0..20_usize {
                let order = order.clone();
                group.spawn(async move {
                    order.lock().expect("no panic").push(number);
                    ok(yield_times((number + round) % 2).await)
                });
                yield_times(number % 3 / 2).await;
            }
            ok(())
        });
        assert!(group.await.is_ok());
        let order = order.lock().expect("no panic");
        assert!(order.is_sorted() && order.len() == 20, "{order:?}");
    }
}

/// A starter that is gone takes its task out of the queue.
pub async fn a_start_that_is_given_up_in_the_queue<R: Runtime>(rt: R) {
    for polls in 1..4 {
        let group = TaskGroup::<Injected>::new(&rt).at_most(1);
        let group = group.run(async |group| {
            let (go, gate) = oneshot::channel::<()>();
            group.spawn(async move { ok(gate.await.is_ok()) });
            let serve = async |ready: TaskReady<()>| {
                ready.ready(());
                Err(Injected("its starter is gone".to_owned()))
            };
            let started = cut_after(polls, group.start::<_, (), _>(serve))
                .eagerly()
                .await;
            assert!(started.is_none());
            assert_eq!(group.len(), 1);
            ok(go.send(()).is_ok())
        });
        assert_eq!(group.await.ok(), Some(true));
    }
}

/// Who waits in vain for one that is cancelled in the queue does not wait.
pub async fn a_handle_of_one_in_the_queue<R: Runtime>(rt: R) {
    let group = TaskGroup::<Injected>::new(&rt).at_most(1);
    let group = group.run(async |group| {
        let (go, gate) = oneshot::channel::<()>();
        let first = group.spawn(async move { ok(gate.await.is_ok()) });
        let second = group.spawn(async { ok(pending::<()>().await) });
        let canceller = second.canceller();
        assert_eq!(canceller.status(), TaskStatus::Waiting);
        let given = futures::join!(second, async {
            yield_now().await;
            canceller.cancel("not needed");
        });
        assert!(given.0.is_err());
        assert_eq!(canceller.status(), TaskStatus::Cancelled);
        assert!(go.send(()).is_ok());
        ok(first.await)
    });
    assert_eq!(group.await.ok(), Some(Ok(true)));
}

/// A group with a limit, or one that keeps going, dropped at any poll, with tasks that wait for their turn.
pub async fn a_full_group_that_is_dropped<R: Runtime>(rt: R) {
    for keeps_going in [false, true] {
        sweep(|ledger, alive| {
            let rt = rt.clone();
            async move {
                let mut group = TaskGroup::<Injected>::new(&rt).at_most(2);
                if keeps_going {
                    group = group.keep_going();
                }
                let group = group.run(async |group| {
                    for name in ["a", "b", "c", "d"] {
                        group.spawn(task(ledger.clone(), alive.clone(), name));
                    }
                    let fifth = group.spawn(task(ledger.clone(), alive, "e"));
                    fifth.cancel("not needed");
                    group.room().await;
                    ok(())
                });
                assert!(group.await.is_ok());
            }
        })
        .await;
    }
}

/// Tasks in the queue of a group that is cancelled, or of which one fails, never begin.
pub async fn a_full_group_that_fails<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let group = TaskGroup::<Injected>::new(&rt).at_most(2);
    let error = group.run(async |group| {
        let (go, gate) = oneshot::channel::<()>();
        group.spawn(async move {
            let _ = gate.await;
            Err::<(), _>(Injected("it broke".to_owned()))
        });
        for name in ["a", "b", "c"] {
            let scope = ledger.scope(name).yields(1);
            group.spawn(async move { scope.with(async |_| ok(pending::<()>().await)).await });
        }
        entered(&ledger, 1).await;
        assert!(go.send(()).is_ok());
        ok(pending::<()>().await)
    });
    assert_eq!(error.await.unwrap_err().failures().len(), 1);
    assert_eq!((ledger.entered(), ledger.live()), (1, 0));
    ledger.check();
}

/// A waker that is only counted.
struct Counted;

impl Wake for Counted {
    fn wake(self: Arc<Self>) {}
}

/// Who waits no more is forgotten.
pub async fn who_waits_no_more_is_forgotten<R: Runtime>(rt: R) {
    let group = TaskGroup::<Injected>::new(&rt).at_most(1);
    let group = group.run(async |group| {
        let task = group.spawn(pending::<Result<(), Injected>>());
        let kept: Vec<_> = (0..100)
            .map(|_| {
                let counted = Arc::new(Counted);
                let kept = Arc::downgrade(&counted);
                let waker = Waker::from(counted);
                let mut cx = Context::from_waker(&waker);
                assert!(Box::pin(group.room()).as_mut().poll(&mut cx).is_pending());
                assert!(Box::pin(group.ended()).as_mut().poll(&mut cx).is_pending());
                kept
            })
            .collect();
        assert!(kept.iter().all(|kept| kept.strong_count() == 0));
        ok(task.cancel("enough"))
    });
    assert!(group.await.is_ok());
}

/// Values that nobody takes any more are dropped, those to come included.
pub async fn results_that_are_dropped<R: Runtime>(rt: R) {
    let value = Arc::new(());
    let group = TaskGroup::<Injected>::new(&rt);
    let group = group.run(async |group| {
        let (go, gate) = oneshot::channel::<()>();
        let mut results = group.results();
        for number in 0..10 {
            let value = value.clone();
            results.spawn(async move {
                yield_times(number).await;
                ok(value)
            });
        }
        results.spawn({
            let value = value.clone();
            async move {
                let _ = gate.await;
                ok(value)
            }
        });
        assert!(results.next().await.is_some());
        drop(results);
        while Arc::strong_count(&value) > 2 {
            rt.sleep(SOON).await;
        }
        ok(go.send(()).is_ok())
    });
    assert_eq!(group.await.ok(), Some(true));
    assert_eq!(Arc::strong_count(&value), 1);
}

/// A task by its name, and what is said of it while it runs.
pub async fn a_canceller_of_a_result<R: Runtime>(rt: R) {
    let group = TaskGroup::<Injected>::new(&rt).run(async |group| {
        let mut results = group.results();
        let (begun, is_begun) = oneshot::channel::<()>();
        let slow = results.spawn_named("slow", async move {
            let _ = begun.send(());
            ok(pending::<i32>().await)
        });
        results.spawn(async { ok(1) });
        assert_eq!(slow.name(), "slow");
        let _ = is_begun.await;
        assert_eq!(slow.status(), TaskStatus::Running);
        assert_eq!(results.next().await, Some(1));
        slow.cancel("not needed");
        assert_eq!(results.next().await, None);
        ok(slow.status())
    });
    assert_eq!(group.await.ok(), Some(TaskStatus::Cancelled));
    let group = TaskGroup::<Injected>::new(&rt)
        .at_most(1)
        .run(async |group| {
            group.spawn(pending::<Result<(), _>>());
            timeout(&rt, SOON, group.room())
                .await
                .map_err(|_| Injected("no room".to_owned()))
        });
    assert_eq!(
        group.await.unwrap_err().to_string(),
        "injected error: no room"
    );
}

/// Who has the value of the last task finds its group empty.
pub async fn who_was_answered_has_left<R: Runtime>(rt: R) {
    let group = TaskGroup::<Injected>::new(&rt).run(async |group| {
        for round in 0..200 {
            let given = group.spawn(async move { ok(yield_times(round % 2).await) });
            assert_eq!(given.await, Ok(()));
            assert!(group.is_empty(), "round {round}");
        }
        ok(())
    });
    assert!(group.await.is_ok());
}

/// What a task says of itself while it runs.
pub async fn a_task_that_looks_at_itself<R: Runtime>(rt: R) {
    let group = TaskGroup::<Injected>::new(&rt).run(async |group| {
        let (tell, told) = oneshot::channel::<TaskCanceller>();
        let task = group.spawn(async move {
            let me = told.await.expect("it is told");
            let before = me.status();
            me.cancel("enough");
            assert_eq!(
                (before, me.status()),
                (TaskStatus::Running, TaskStatus::Cancelling)
            );
            pending::<Result<(), Injected>>().await
        });
        assert!(tell.send(task.canceller()).is_ok());
        ok(task.await.is_err())
    });
    assert_eq!(group.await.ok(), Some(true));
}
