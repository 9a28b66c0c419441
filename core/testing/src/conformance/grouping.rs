//! Task groups: all tasks end before the block does, cancelled gracefully and without a loss.
//!
//! Cases with `trio`, `anyio` or `asyncio` in their names are behaviors of these.

mod drops;
mod echoes;
mod handles;
mod starting;
mod stopping;
mod sweeps;
mod turns;

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::channel::oneshot;
use withal_core::{
    GroupError, Outcome, Report, Runtime, ScopeExt, TaskError, TaskGroup, acquire, task_group,
};

use crate::cut::{caught, yield_now, yield_times};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, Ledger, ok};

pub use drops::*;
pub use echoes::*;
pub use handles::*;
pub use starting::*;
pub use stopping::*;
pub use sweeps::*;
pub use turns::*;

const SOON: Duration = Duration::from_millis(5);

pub(super) fn failed(text: &'static str) -> Result<(), String> {
    Err(text.to_owned())
}

/// A task that holds a scope until it is cancelled.
pub(super) async fn holds(ledger: Ledger, name: &'static str) -> Result<(), String> {
    let scope = ledger.scope(name).yields(1);
    scope
        .with(async |_| pending().await)
        .await
        .map_err(|error: Injected| error.to_string())
}

/// Waits until so many scopes are open.
pub(super) async fn entered(ledger: &Ledger, scopes: usize) {
    while ledger.entered() < scopes {
        yield_now().await;
    }
}

pub(super) fn errors<E: withal_core::Fault + Clone>(error: &GroupError<E>) -> Vec<E> {
    error.errors().cloned().collect()
}

/// The block waits for all tasks, and gives the value of the body.
pub async fn the_block_waits<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let value = task_group(&rt, async |group| {
        for name in ["a", "b"] {
            let ledger = ledger.clone();
            group.spawn(async move {
                let scope = ledger.scope(name).yields(2);
                scope.with(async |_| ok(yield_times(3).await)).await
            });
        }
        ok(7)
    });
    assert_eq!(value.await.ok(), Some(7));
    assert_eq!((ledger.entered(), ledger.live()), (2, 0));
    ledger.check();
}

/// trio: `child_crash_basic`, `task_crash_propagation`; asyncio's groups 1–6. The others see it once, and only the failure is reported.
pub async fn trio_a_crash_cancels_the_siblings<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let error = task_group(&rt, async |group| {
        for name in ["a", "b"] {
            group.spawn(holds(ledger.clone(), name));
        }
        entered(&ledger, 2).await;
        group.spawn_named("crashes", ready(failed("it broke")));
        pending::<Result<(), String>>().await
    })
    .await
    .unwrap_err();
    assert_eq!(errors(&error), ["it broke"]);
    assert_eq!(error.failures()[0].task(), Some("crashes"));
    assert!(error.failures()[0].location().is_some());
    assert!(error.to_string().starts_with("`crashes` ("), "{error}");
    for name in ["a", "b"] {
        assert_eq!(
            ledger.outcome(name).as_deref(),
            Some("cancelled: a sibling failed")
        );
    }
    assert_eq!(ledger.live(), 0);
    ledger.check();
}

/// trio: `child_crash_wakes_parent`; anyio: `failing_child_task_cancels_host`. A body that waits for ever is cut, and what is open in it exits.
pub async fn trio_a_crash_wakes_the_body<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let error = task_group(&rt, async |group| {
        group.spawn(async { failed("it broke") });
        holds(ledger.clone(), "body").await
    })
    .await
    .unwrap_err();
    assert_eq!(errors(&error), ["it broke"]);
    assert!(matches!(
        ledger.outcome("body").as_deref(),
        None | Some("cancelled: a sibling failed")
    ));
    ledger.check();
}

/// trio: `main_and_task_both_crash`, `two_child_crashes`: all errors are there, in the order of time.
pub async fn trio_all_errors_are_kept<R: Runtime>(rt: R) {
    let error = task_group(&rt, async |group| {
        let (go, wait) = oneshot::channel::<()>();
        group.spawn(async {
            let scope = acquire(async || Ok::<_, String>(()));
            let fails = scope.release(async |(), _| Err::<(), _>("its exit, too".to_owned()));
            let ended: Result<(), String> = fails
                .with(async |()| {
                    drop(go);
                    pending().await
                })
                .await;
            ended
        });
        let _ = wait.await;
        failed("the body")
    })
    .await
    .unwrap_err();
    assert_eq!(errors(&error), ["the body"]);
    assert_eq!(error.failures()[0].task(), None);
    let exits: Vec<String> = error.exits().iter().map(ToString::to_string).collect();
    assert!(
        exits.len() == 1 && exits[0].contains("its exit, too"),
        "{exits:?}"
    );
    let report = error.into_report();
    assert_eq!(report.to_string(), "the body");
    assert_eq!(report.others().len(), 1);
}

/// With `keep_going` nothing is cancelled, and all errors are told at the end.
pub async fn keep_going<R: Runtime>(rt: R) {
    let done = Arc::new(AtomicUsize::new(0));
    let error = TaskGroup::new(&rt)
        .keep_going()
        .run(async |group| {
            for number in 0..6_usize {
                let done = done.clone();
                group.spawn(async move {
                    yield_times(number).await;
                    done.fetch_add(1, Ordering::SeqCst);
                    if number % 2 == 0 { Err(number) } else { Ok(()) }
                });
            }
            Ok(())
        })
        .await
        .unwrap_err();
    assert_eq!(done.load(Ordering::SeqCst), 6);
    let mut errors = errors(&error);
    errors.sort_unstable();
    assert_eq!(errors, [0, 2, 4]);
}

/// A panic of a task is a failure like another, with its payload; it cancels the siblings and does not reach the runtime.
pub async fn a_panic_in_a_task<R: Runtime>(rt: R) {
    hush_injected_panics();
    let ledger = Ledger::new();
    let mut handle = None;
    let error = task_group(&rt, async |group| {
        group.spawn(holds(ledger.clone(), "a"));
        entered(&ledger, 1).await;
        handle = Some(group.spawn(async {
            yield_now().await;
            if true {
                panic!("injected panic: task");
            }
            failed("not reached")
        }));
        pending::<Result<(), String>>().await
    })
    .await
    .unwrap_err();
    assert_eq!(errors(&error), [""; 0]);
    let panicked = error.failures()[0].panicked().expect("it was one");
    assert_eq!(panicked.message(), "injected panic: task");
    let payload = panicked.take_payload().expect("it is given once");
    assert_eq!(
        payload.downcast_ref::<&str>(),
        Some(&"injected panic: task")
    );
    assert_eq!(
        handle.expect("it was spawned").await,
        Err(TaskError::Panicked)
    );
    assert_eq!(
        ledger.outcome("a").as_deref(),
        Some("cancelled: a sibling failed")
    );
    ledger.check();
}

/// A panic of the body cancels the tasks, and goes on when they have ended.
pub async fn a_panic_in_the_body<R: Runtime>(rt: R) {
    hush_injected_panics();
    let ledger = Ledger::new();
    let group = task_group(&rt, async |group| {
        group.spawn(holds(ledger.clone(), "a"));
        entered(&ledger, 1).await;
        if true {
            panic!("injected panic: body");
        }
        failed("not reached")
    });
    assert_eq!(caught(group).await.unwrap_err(), "injected panic: body");
    assert_eq!(ledger.live(), 0);
    ledger.check();
}

/// An exit of a cancelled task that fails is the group's error, although the body had its value: as with any scope.
pub async fn an_exit_that_fails_after_the_value<R: Runtime>(rt: R) {
    let ended = task_group(&rt, async |group| {
        let (go, wait) = oneshot::channel::<()>();
        group.spawn(async {
            let scope = acquire(async || Ok::<_, String>(()));
            let fails = scope
                .release(async |(), _: Outcome<'_>| Err::<(), _>("after the value".to_owned()));
            fails
                .named("after.the.value")
                .with(async |()| {
                    drop(go);
                    pending::<Result<(), String>>().await
                })
                .await
        });
        let _ = wait.await;
        group.cancel("done");
        Ok::<_, String>(9)
    });
    let error = ended.await.unwrap_err();
    assert_eq!(error.failures().len(), 0);
    assert_eq!(error.cancelled(), None);
    let scopes: Vec<_> = error
        .exits()
        .iter()
        .filter_map(|exit| exit.scope())
        .collect();
    assert_eq!(scopes, ["after.the.value"]);
    assert_eq!(
        error.to_string(),
        "the group has ended, and one exit went wrong"
    );
}

/// Reports of tasks go by `?` into one report, with the names of the tasks.
pub async fn reports_become_one<R: Runtime>(rt: R) {
    async fn fails(rt: &impl Runtime) -> Result<(), Report> {
        TaskGroup::new(rt)
            .keep_going()
            .run(async |group| {
                for name in ["a", "b"] {
                    group.spawn_named(name, async move { Err::<(), _>(Report::msg(name)) });
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
    let report = fails(&rt).await.unwrap_err();
    let entries: Vec<_> = report.entries().collect();
    let mut names: Vec<_> = entries.iter().filter_map(|entry| entry.scope()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b"]);
}
