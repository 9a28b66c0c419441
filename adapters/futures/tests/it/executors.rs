//! The executors of futures are values, its handles cancel by a drop, and its `block_on` knows no set-up.

use std::future::pending;
use std::time::Duration;

use futures::channel::oneshot;
use futures::executor::{LocalPool, ThreadPool, block_on};
use futures::future::{FutureExt, RemoteHandle};
use futures::task::{LocalSpawnExt, SpawnExt};
use withal_core::{Launch, ScopeExt, Spawn, Task, Timer, acquire, timeout};
use withal_futures::{Futures, Launcher};
use withal_testing::conformance::dropping::{check_outcomes, three};
use withal_testing::{Ledger, yield_now, yield_times};

fn one_thread() -> ThreadPool {
    ThreadPool::builder().pool_size(1).create().unwrap()
}

/// Timers, tasks and timeouts work in `block_on`, in a local pool and on a thread pool that nobody has prepared.
#[test]
fn the_value_works_on_every_executor() {
    async fn program(rt: Futures) {
        let ledger = Ledger::new();
        let stuck = ledger.scope("a").using(async |_| pending::<()>().await);
        assert!(timeout(&rt, Duration::from_millis(1), stuck).await.is_err());
        ledger.check();
        assert_eq!(ledger.trace(), "+a ~a -a");
        let (answer, answered) = oneshot::channel();
        rt.spawn(Task::new(async { answer.send(7).unwrap() }));
        assert_eq!(answered.await, Ok(7));
    }
    block_on(program(Futures::new()));
    LocalPool::new().run_until(program(Futures::new()));
    let pool = one_thread();
    // Its tasks share the one thread with it.
    let handle = pool.spawn_with_handle(program(pool.clone().into()));
    block_on(handle.unwrap());
}

/// A local pool that is dropped drops its tasks, here at every step of three nested scopes.
#[test]
fn a_local_pool_that_is_dropped_at_every_step() {
    for steps in 0..40 {
        let ledger = Ledger::new();
        let mut pool = LocalPool::new();
        let task = three(ledger.clone()).map(drop);
        pool.spawner().spawn_local(task).unwrap();
        pool.run_until(yield_times(steps));
        drop(pool);
        block_on(ledger.settled());
        ledger.check();
        check_outcomes(
            &ledger,
            &["a", "b", "c"],
            "cancelled: the future was dropped",
        );
    }
}

/// The same on a thread pool, by a handle that is dropped.
#[test]
fn a_handle_that_is_dropped_at_every_step() {
    let pool = one_thread();
    for steps in 0..40 {
        let ledger = Ledger::new();
        let handle: RemoteHandle<_> = pool.spawn_with_handle(three(ledger.clone())).unwrap();
        block_on(yield_times(steps));
        drop(handle);
        // One that has not started yet never enters; by now it has started, or is gone.
        block_on(pool.spawn_with_handle(async {}).unwrap());
        block_on(ledger.settled());
        ledger.check();
        check_outcomes(
            &ledger,
            &["a", "b", "c"],
            "cancelled: the future was dropped",
        );
    }
}

/// An exit that is orphaned in plain `block_on` may use the timer: the reactor has a thread of its own.
#[test]
fn an_orphan_that_sleeps() {
    let (ledger, rt) = (Ledger::new(), Futures::new());
    let (log, timer) = (ledger.clone(), rt.clone());
    let slow = acquire(async || std::io::Result::Ok(())).release(async move |(), _| {
        timer.sleep(Duration::from_millis(2)).await;
        log.say("bye");
        Ok(())
    });
    let scope = ledger.scope("a");
    block_on(async {
        let mut body =
            Box::pin(scope.using(async |_| slow.using(async |()| pending::<()>().await).await));
        let _ = withal_testing::poll_once(&mut body).await;
        yield_now().await;
    });
    block_on(ledger.settled());
    assert_eq!(ledger.trace(), "+a bye ~a -a");
}

/// The `block_on` of futures would panic inside of its own executors; that of the launcher does not.
#[test]
fn a_launcher_inside_of_a_task() {
    let pool = one_thread();
    let ledger = Ledger::new();
    let scope = ledger.scope("a");
    let bridge = async move {
        scope
            .using(async |_| Launcher::new().block_on(async { 7 }))
            .await
    };
    let handle = pool.spawn_with_handle(bridge).unwrap();
    assert_eq!(block_on(handle), Ok(7));
    assert_eq!(block_on(async { Launcher::new().block_on(async { 7 }) }), 7);
    ledger.check();
}
