//! The guarantees of asyncio's timeouts and task groups that no other area has a case for, each named for the test of CPython that it is made after.
//!
//! `docs/cancellation.md` has the table, with what is decided by types and what is different.

use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::join;
use withal_core::{
    CancelHandle, Entry, GroupError, Kind, Runtime, ScopeExt, shield, task_group, timeout, until,
};

use crate::conformance::grouping::{entered, errors, failed, holds};
use crate::cut::{poll_once, yield_times};
use crate::ledger::{Injected, Ledger, ok};
use crate::lost::LostErrors;

const SOON: Duration = Duration::from_millis(5);
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// A text that no other test has: they share the lost-error hook.
fn unique(text: &str) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    format!("{text} #{}.", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// `foreign_exception_passes`: what the body gives while it has time is passed on as it is.
pub async fn foreign_exception_passes<R: Runtime>(rt: R) {
    let ended = timeout(&rt, FOREVER, async { failed("mine") }).await;
    assert_eq!(ended.ok(), Some(failed("mine")));
}

/// `foreign_exception_on_timeout`: an error of the clean-up does not hide that the time was up, and is not hidden by it.
pub async fn foreign_exception_on_timeout<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let failing = ledger.scope("a").yields(1).exit_fails();
    let body = failing.with(async |_| ok(pending::<()>().await));
    let elapsed = timeout(&rt, SOON, body).await.unwrap_err();
    assert_eq!(
        elapsed.to_string(),
        "the time of 5ms was up, and one exit went wrong"
    );
    let error = elapsed.exits()[0].downcast_ref::<Injected>();
    assert_eq!(error, Some(&Injected("exit a".to_owned())));
}

/// `timeout_taskgroup`: the same in the task of a group. It is told by the timeout, once, with the name of its scope.
pub async fn timeout_taskgroup<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let group = task_group(&rt, async |group| {
        let failing = ledger.scope("a").yields(1).exit_fails();
        group.spawn(async move {
            let failing = failing.named("failing");
            failing.with(async |_| ok(pending::<()>().await)).await
        });
        entered(&ledger, 1).await;
        ok(())
    });
    let elapsed = timeout(&rt, SOON, group).await.map(drop).unwrap_err();
    let failed: Vec<_> = elapsed
        .exits()
        .iter()
        .filter(|exit| exit.is_loss())
        .collect();
    // It may strike before the scope was entered, on a slow machine.
    assert_eq!(failed.len(), ledger.entered(), "{elapsed:?}");
    for exit in failed {
        assert_eq!(exit.scope(), Some("failing"));
        let error = exit.downcast_ref::<Injected>();
        assert_eq!(error, Some(&Injected("exit a".to_owned())));
    }
    ledger.check();
}

/// `taskgroup_07`–`12`, `error_and_cancel`: real errors beat the cancellation of the group, also when that was first, and when the body had its value.
pub async fn real_errors_beat_cancellation<R: Runtime>(rt: R) {
    for has_value in [false, true] {
        let group = task_group(&rt, async |group| {
            group.spawn(ready(failed("it broke")));
            group.cancel("enough");
            match has_value {
                true => Ok(()),
                false => pending().await,
            }
        });
        let error = group.await.unwrap_err();
        assert_eq!(errors(&error), ["it broke"]);
        assert!(error.cancelled().is_none());
    }
}

/// A task that fails when it is cancelled: what it does is shielded until it may go on.
async fn fails_late(
    begun: oneshot::Sender<()>,
    gate: oneshot::Receiver<()>,
    text: String,
) -> Result<(), String> {
    let step = shield(async move {
        let _ = begun.send(());
        let _ = gate.await;
    });
    step.await;
    Err(text)
}

/// The same from outside of the group: the canceller tells its caller, and what has failed meanwhile is in its error.
pub async fn real_errors_under_a_canceller<R: Runtime>(rt: R) {
    let (begun, has_begun) = oneshot::channel();
    let (go, gate) = oneshot::channel();
    let handle = CancelHandle::new();
    let text = unique("it broke");
    let group = task_group(&rt, async |group| {
        group.spawn_named("late", fails_late(begun, gate, text.clone()));
        pending::<Result<(), String>>().await
    });
    let outside = async {
        assert!(has_begun.await.is_ok());
        handle.cancel("enough");
        yield_times(5).await;
        go.send(()).is_ok()
    };
    let (ended, opened) = join(until(handle.cancelled(), group), outside).await;
    assert!(opened);
    let interrupted = ended.map(drop).unwrap_err();
    let told: Vec<&Entry> = interrupted
        .exits()
        .iter()
        .filter(|exit| exit.is_loss())
        .collect();
    assert_eq!(told.len(), 1, "{interrupted:?}");
    assert_eq!(
        (told[0].kind(), told[0].scope()),
        (Kind::Failed, Some("late"))
    );
    assert!(told[0].to_string().contains(&text));
}

/// … and of a group that is dropped, the hook hears of it: of a task, and of the body that had failed before.
pub async fn real_errors_of_a_dropped_group<R: Runtime>(rt: R) {
    let lost = LostErrors::listen();
    let (begun, has_begun) = oneshot::channel();
    let (go, gate) = oneshot::channel();
    let (task, body) = (unique("the task"), unique("the body"));
    let ledger = Ledger::new();
    let mut group = Box::pin(task_group(&rt, async |group| {
        group.spawn(fails_late(begun, gate, task.clone()));
        assert!(has_begun.await.is_ok());
        ledger.say("failed");
        Err::<(), _>(body.clone())
    }));
    while ledger.trace().is_empty() {
        assert!(poll_once(&mut group).await.is_pending());
        yield_times(1).await;
    }
    drop(group);
    assert!(go.send(()).is_ok());
    for text in [task, body] {
        while lost.containing(&text).is_empty() {
            rt.sleep(SOON).await;
        }
        assert_eq!(lost.containing(&text).len(), 1);
    }
}

/// `cancellation_does_not_leak_out_of_tg`: that the body of a group was cut does not touch what comes after the group.
pub async fn cancellation_does_not_leak_out_of_tg<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let handle = CancelHandle::new();
    let around = until(handle.cancelled(), async {
        let group = task_group(&rt, async |group| {
            group.spawn(async { failed("it broke") });
            pending::<Result<(), String>>().await
        });
        assert!(group.await.is_err());
        let after = ledger.scope("after").yields(2);
        after.using(async |_| yield_times(3).await).await
    });
    assert_eq!(around.await.ok(), Some(Ok(())));
    assert_eq!(ledger.outcome("after").as_deref(), Some("success"));
}

/// An outside cancellation while the group aborts does not interrupt its waiting, and its errors count.
pub async fn cancelled_while_aborting<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (go, gate) = oneshot::channel::<()>();
    let handle = CancelHandle::new();
    let log = ledger.clone();
    let group = task_group(&rt, async |group| {
        let slow =
            withal_core::acquire(async || Ok::<_, String>(())).release(async move |(), _| {
                log.say("~slow");
                let _ = gate.await;
                log.say("-slow");
                Ok(())
            });
        let (begun, has_begun) = oneshot::channel();
        group.spawn(async move {
            slow.with(async |()| {
                let _ = begun.send(());
                pending::<Result<(), String>>().await
            })
            .await
        });
        assert!(has_begun.await.is_ok());
        failed("it broke")
    });
    let outside = async {
        while ledger.trace().is_empty() {
            yield_times(1).await;
        }
        handle.cancel("enough");
        yield_times(5).await;
        ledger.say("go");
        go.send(()).is_ok()
    };
    let (ended, opened) = join(until(handle.cancelled(), group), outside).await;
    assert!(opened);
    assert_eq!(ledger.trace(), "~slow go -slow");
    let error = ended.expect("its exit was in progress").unwrap_err();
    assert_eq!(errors(&error), ["it broke"]);
}

/// `taskgroup_05`: nested groups give nested groups.
pub async fn nested_groups_give_nested_groups<R: Runtime>(rt: R) {
    let outer = task_group(&rt, async |outer| {
        let inner_rt = rt.clone();
        outer.spawn(async move {
            let inner = task_group(&inner_rt, async |inner| {
                inner.spawn(async { failed("the leaf") });
                pending::<Result<(), String>>().await
            });
            inner.await
        });
        pending::<Result<(), GroupError<String>>>().await
    });
    let error = outer.await.unwrap_err();
    let inner: Vec<_> = error.errors().map(errors).collect();
    assert_eq!(inner, [["the leaf"]]);
}

/// `taskgroup_20`: a panic of the body goes on bare, and what has failed in the tasks is told all the same.
pub async fn a_panic_beside_a_failure<R: Runtime>(rt: R) {
    crate::faults::hush_injected_panics();
    let lost = LostErrors::listen();
    let text = unique("beside a panic");
    let ledger = Ledger::new();
    let group = task_group(&rt, async |group| {
        group.spawn(holds(ledger.clone(), "a"));
        entered(&ledger, 1).await;
        group.spawn(ready(Err::<(), _>(text.clone())));
        if true {
            panic!("injected panic: body");
        }
        Ok::<_, String>(())
    });
    let message = crate::cut::caught(group).await.map(drop).unwrap_err();
    assert_eq!(message, "injected panic: body");
    assert_eq!(lost.containing(&text).len(), 1);
    ledger.check();
}

/// A commit of the body that a cancellation from outside overtakes counts, if no task was cut; if one was, the canceller tells its caller, although the body has its value.
pub async fn a_commit_in_the_body_of_a_group<R: Runtime>(rt: R) {
    for with_a_task in [false, true] {
        let ledger = Ledger::new();
        let handle = CancelHandle::new();
        let group = task_group(&rt, async |group| {
            if with_a_task {
                group.spawn(holds(ledger.clone(), "task"));
                entered(&ledger, 1).await;
            }
            let commit = ledger.scope("commit").exit_yields(6);
            let committed = commit.with(async |_| {
                handle.cancel("enough");
                ok(7)
            });
            committed.await.map_err(|error| error.to_string())
        });
        let ended = until(handle.cancelled(), group).await;
        assert_eq!(ledger.outcome("commit").as_deref(), Some("success"));
        match ended {
            Ok(value) => assert_eq!((value.ok(), with_a_task), (Some(7), false)),
            Err(_) => assert!(with_a_task),
        }
        ledger.check();
    }
}
