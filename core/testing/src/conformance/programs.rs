//! Whole programs: launching, running, and the end of the runtime.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::channel::oneshot;
use withal_core::{Launch, Report, ScopeExt, Spawn, Task, acquire, drain, task_group};

use crate::conformance::dropping::{check_outcomes, three};
use crate::cut::{cut_after, poll_once, yield_times};
use crate::ledger::{Injected, Ledger, ok};

const ABC: [&str; 3] = ["a", "b", "c"];
const DROPPED: &str = "cancelled: the future was dropped";

/// `run` gives the value of its main.
pub fn run_gives_the_value<L: Launch>(launcher: impl Fn() -> L) {
    assert_eq!(launcher().run(async { 7 }).ok(), Some(7));
}

/// `run` drains: a task that has scopes open is waited for, although main has ended.
pub fn run_drains<L: Launch>(launcher: impl Fn() -> L) {
    for polls in 0..12 {
        let ledger = Ledger::new();
        let launcher = launcher();
        let rt = launcher.runtime();
        let task = three(ledger.clone());
        let ended = launcher.run(async {
            rt.spawn(Task::new(async move {
                let _ = task.await;
            }));
            // From its first suspension on, a root scope is known.
            while !ledger.trace().contains("+b") {
                yield_times(1).await;
            }
            yield_times(polls).await;
        });
        assert!(ended.is_ok());
        ledger.check();
    }
}

/// Without `run`, a runtime that ends drops its tasks, and what they had open is finished all the same.
pub fn the_end_of_the_runtime<L: Launch>(launcher: impl Fn() -> L) {
    for polls in 0..20 {
        let ledger = Ledger::new();
        let (alive, is_gone) = oneshot::channel::<()>();
        {
            let launcher = launcher();
            let rt = launcher.runtime();
            let task = three(ledger.clone());
            launcher.block_on(async {
                rt.spawn(Task::new(async move {
                    let _alive = alive;
                    let _ = task.await;
                }));
                yield_times(polls).await;
            });
        }
        // Anybody may wait: another runtime, or none.
        futures::executor::block_on(async {
            // A runtime that never ends may not have come to the task yet.
            assert!(is_gone.await.is_err());
            ledger.settled().await;
        });
        ledger.check();
        check_outcomes(&ledger, &ABC, DROPPED);
    }
}

/// The same when the clean-up is pending at home: a runtime that ends drops that, too, and it goes on elsewhere.
pub fn the_end_of_the_runtime_of_orphans<L: Launch>(launcher: impl Fn() -> L) {
    for polls in 1..20 {
        let ledger = Ledger::new();
        let completed = {
            let launcher = launcher();
            let program = cut_after(polls, three(ledger.clone())).eagerly();
            launcher.block_on(program).is_some()
        };
        futures::executor::block_on(ledger.settled());
        ledger.check();
        check_outcomes(&ledger, &ABC, DROPPED);
        assert!(!completed || polls > 15);
    }
}

/// The same with a group whose tasks are dropped before it, after it, or on other threads meanwhile.
pub fn the_end_of_the_runtime_of_a_group<L: Launch>(launcher: impl Fn() -> L) {
    for polls in 0..20 {
        let ledger = Ledger::new();
        let (alive, is_gone) = oneshot::channel::<()>();
        let alive = Arc::new(alive);
        {
            let launcher = launcher();
            let rt = launcher.runtime();
            let (log, group_rt) = (ledger.clone(), rt.clone());
            let group = async move {
                let group = task_group(&group_rt, async |group| {
                    for _ in 0..3 {
                        let (alive, task) = (alive.clone(), three(log.clone()));
                        group.spawn(async move {
                            let _alive = alive;
                            task.await
                        });
                    }
                    drop(alive);
                    ok(())
                });
                let _ = group.await;
            };
            launcher.block_on(async {
                rt.spawn(Task::new(group));
                yield_times(polls).await;
            });
        }
        futures::executor::block_on(async {
            assert!(is_gone.await.is_err());
            ledger.settled().await;
        });
        ledger.check();
    }
}

/// A group in a `block_on` inside of a body, run to its end and dropped: its tasks end although the body is blocked.
pub fn a_group_in_a_block_on_inside_of_a_body<L: Launch>(launcher: impl Fn() -> L) {
    let inner = launcher();
    let rt = inner.runtime();
    let ledger = Ledger::new();
    let ended = ledger.scope("a").with(async |_| {
        inner.block_on(async {
            let mut dropped = Box::pin(task_group(&rt, async |group| {
                let scope = ledger.scope("task").yields(2);
                group.spawn(async move { scope.with(async |_| ok(pending::<()>().await)).await });
                ok(())
            }));
            while ledger.entered() < 2 {
                let _ = poll_once(&mut dropped).await;
                yield_times(1).await;
            }
            drop(dropped);
            while ledger.live() > 1 {
                yield_times(1).await;
            }
            let group = task_group(&rt, async |group| ok(group.spawn(async { ok(7) }).await));
            assert_eq!(group.await.ok(), Some(Ok(7)));
        });
        ok(())
    });
    assert_eq!(futures::executor::block_on(ended), Ok(()));
    assert_eq!(ledger.trace(), "+a +task ~task -task ~a -a");
}

/// A main future that is dropped with its runtime: what it had open is finished.
pub fn a_body_of_main_that_is_dropped<L: Launch>(launcher: impl Fn() -> L) {
    let ledger = Ledger::new();
    let launcher = launcher();
    let mut body = Box::pin(three(ledger.clone()));
    launcher.block_on(async {
        for _ in 0..8 {
            let _ = poll_once(&mut body).await;
        }
    });
    drop(launcher);
    drop(body);
    futures::executor::block_on(ledger.settled());
    ledger.check();
    assert!(ledger.entered() > 0);
}

/// `block_on` inside of a body, on another runtime: what is orphaned inside is finished although the body is blocked.
pub fn block_on_inside_of_a_body<L: Launch>(launcher: impl Fn() -> L) {
    let inner = launcher();
    futures::executor::block_on(async {
        let ledger = Ledger::new();
        let ended = ledger.scope("a").with(async |_| {
            inner.block_on(async {
                let (released, is_released) = oneshot::channel();
                let scope = acquire(async || Ok::<_, Injected>(released))
                    .release(async move |released, _| ok(released.send(()).unwrap_or(())));
                let permit = scope.using(async |_| pending::<()>().await);
                drop(cut_after(1, permit).await);
                assert!(is_released.await.is_ok());
            });
            ok(())
        });
        assert_eq!(ended.await, Ok(()));
        ledger.check();
    });
}

/// A drain inside of a scope, of its body or of its exit, does not wait for that scope.
pub fn a_drain_inside_of_a_scope<L: Launch>(launcher: impl Fn() -> L) {
    let launcher = launcher();
    let rt = launcher.runtime();
    let timer = rt.clone();
    let drained = launcher.block_on(async {
        let line = Arc::new(Mutex::new(Vec::new()));
        let told = line.clone();
        let here = |report: &Report| {
            report
                .entries()
                .any(|entry| format!("{entry}").contains("drains"))
        };
        let scope = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
            yield_times(1).await;
            let left = drain(&timer, Duration::from_millis(5)).await;
            told.lock()
                .unwrap()
                .push(left.is_err_and(|left| here(&left)));
            Ok(())
        });
        let ended = scope.named("drains").using(async |()| {
            yield_times(1).await;
            let left = drain(&rt, Duration::from_millis(5)).await;
            line.lock()
                .unwrap()
                .push(left.is_err_and(|left| here(&left)));
        });
        assert_eq!(ended.await, Ok(()));
        line.lock().unwrap().clone()
    });
    assert_eq!(drained, [false, false]);
}

/// A main that panics: the panic goes on after the drain.
pub fn a_main_that_panics<L: Launch>(launcher: impl Fn() -> L) {
    crate::faults::hush_injected_panics();
    let ledger = Ledger::new();
    let launcher = launcher();
    let run = || {
        let _ = launcher.run(async {
            let orphan = ledger.scope("a").exit_yields(20);
            let _ = cut_after(1, orphan.using(async |_| pending::<()>().await)).await;
            panic!("injected panic: main");
        });
    };
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    assert!(panic.is_err());
    assert_eq!(ledger.trace(), "+a ~a -a");
}
