//! Who awaits a task of a closing group: its body and its tasks are cut, and do not fail for it.

use std::future::pending;

use futures::channel::oneshot;
use withal_core::{
    CancelHandle, GroupError, Reason, Report, Runtime, ScopeExt, StartError, TaskError, TaskGroup,
    TaskReady, acquire, cancellable, task_group, timeout,
};

use crate::cut::{yield_now, yield_times};
use crate::ledger::ok;

use super::{SOON, entered, holds};

/// So often, for it is about what other threads do meanwhile.
const ROUNDS: usize = 200;

fn texts(error: &GroupError<Report>) -> Vec<String> {
    error.errors().map(ToString::to_string).collect()
}

/// The body awaits a task that fails: the task's error is the only one.
pub async fn a_task_that_fails_is_awaited_by_the_body<R: Runtime>(rt: R) {
    for round in 0..ROUNDS {
        let error = task_group(&rt, async |group| {
            let task = group.spawn(async move {
                yield_times(round % 3).await;
                Err::<i32, _>(Report::msg("disk full"))
            });
            Ok(task.await?)
        });
        assert_eq!(texts(&error.await.unwrap_err()), ["disk full"]);
    }
}

/// The body awaits a task, and another one fails, or panics.
pub async fn a_sibling_fails<R: Runtime>(rt: R) {
    crate::faults::hush_injected_panics();
    for round in 0..ROUNDS {
        let panics = round % 2 == 0;
        let error = task_group(&rt, async |group| {
            let waits = group.spawn(async { Ok(pending::<i32>().await) });
            group.spawn(async move {
                yield_times(round % 3).await;
                if panics {
                    panic!("injected panic: a task");
                }
                Err::<(), _>(Report::msg("disk full"))
            });
            Ok(waits.await?)
        });
        let error = error.await.unwrap_err();
        assert_eq!(error.failures().len(), 1, "{error}");
        assert_eq!(error.failures()[0].panicked().is_some(), panics);
    }
}

/// A task awaits another one, which fails.
pub async fn a_task_that_fails_is_awaited_by_another<R: Runtime>(rt: R) {
    for round in 0..ROUNDS {
        let error = task_group(&rt, async |group| {
            let fails = group.spawn(async move {
                yield_times(round % 3).await;
                Err::<i32, _>(Report::msg("disk full"))
            });
            group.spawn(async move { Ok(fails.await?) });
            Ok(())
        });
        assert_eq!(texts(&error.await.unwrap_err()), ["disk full"]);
    }
}

/// The group is cancelled while the body awaits a task, a start or results: that is what the group tells.
pub async fn cancelled_while_the_body_awaits<R: Runtime>(rt: R) {
    for round in 0..ROUNDS {
        let error = task_group(&rt, async |group| {
            let waits = group.spawn(pending::<Result<i32, Report>>());
            let handle = group.handle();
            let mut results = group.results();
            results.spawn(pending::<Result<i32, Report>>());
            group.spawn(async move {
                yield_times(round / 3 % 3).await;
                handle.cancel("enough");
                Ok(())
            });
            match round % 3 {
                0 => Ok(waits.await?),
                1 => Err(match results.next().await {
                    Some(_) => Report::msg("it gives none"),
                    None => Report::msg("it is not complete"),
                }),
                _ => {
                    let serve = async |_ready: TaskReady<()>| Ok(pending::<i32>().await);
                    let (_, task) = group.start(serve).await?;
                    Ok(task.await?)
                }
            }
        });
        let error = error.await.unwrap_err();
        let cancelled = error.cancelled().map(|cancelled| cancelled.reason);
        let reason = Some(Reason::Requested("enough"));
        assert_eq!(cancelled, reason, "round {round}: {error}");
    }
}

/// An exit gets its answer, for it is not cut; so does who is outside of the group.
pub async fn an_exit_gets_its_answer<R: Runtime>(rt: R) {
    let (asks, answer) = oneshot::channel();
    let error = task_group(&rt, async |group| {
        let fails = group.spawn_named("fails", async {
            yield_now().await;
            Err::<i32, _>(Report::msg("disk full"))
        });
        let mut outside = group.spawn(pending::<Result<(), Report>>());
        let canceller = outside.canceller();
        let asks_at_its_end = acquire(async || Ok::<_, Report>((fails, asks))).release(
            async |(fails, asks): (_, oneshot::Sender<_>), _| {
                let _ = asks.send(fails.await);
                Ok::<(), Report>(())
            },
        );
        let body = async |_: &mut _| -> Result<(), Report> {
            let _ = (&mut outside).await;
            Err(Report::msg("not reached"))
        };
        asks_at_its_end.with(body).await?;
        drop(canceller);
        Ok(())
    });
    assert_eq!(texts(&error.await.unwrap_err()), ["disk full"]);
    assert_eq!(answer.await, Ok(Err(TaskError::Failed)));
}

/// In the same poll as a timeout or a handle around it: whoever is further out tells, and the group's errors are told.
pub async fn beside_a_canceller<R: Runtime>(rt: R) {
    for round in 0..ROUNDS {
        let ledger = crate::Ledger::new();
        let outer = CancelHandle::new();
        let other = outer.clone();
        let group = async {
            let group = task_group(&rt, async |group| {
                let held = group.spawn(holds(ledger.clone(), "held"));
                entered(&ledger, 1).await;
                let inner = group.handle();
                group.spawn(async move {
                    yield_times(round % 2).await;
                    // Both are seen in the same poll at the earliest.
                    inner.cancel("inner");
                    other.cancel("outer");
                    Ok::<_, String>(())
                });
                held.await.map_err(|error| error.to_string())
            });
            group.await.map_err(|error| {
                let cancelled = error.cancelled().expect("nothing has failed");
                assert_eq!(cancelled.reason, Reason::Requested("inner"));
            })
        };
        match withal_core::until(outer.cancelled(), group).await {
            Err(interrupted) => {
                assert_eq!(interrupted.cancelled().reason, Reason::Requested("outer"));
            }
            // The group had ended before it was heard of.
            Ok(told) => assert_eq!(told, Err(())),
        }
        assert_eq!(ledger.live(), 0);
        let seen = ledger.outcome("held").expect("it was open");
        assert!(
            seen == "cancelled: inner" || seen == "cancelled: outer",
            "{seen}"
        );
        ledger.check();
    }
    let slow = TaskGroup::<String>::new(&rt).run(async |group| {
        group
            .spawn(pending::<Result<(), String>>())
            .await
            .map_err(|error| error.to_string())
    });
    let elapsed = timeout(&rt, SOON, slow).await;
    assert!(elapsed.is_err(), "not the group's error");
}

/// A start in a group that closes says for what reason, to who is not in it.
pub async fn a_start_that_is_refused<R: Runtime>(rt: R) {
    let handle = task_group(&rt, async |group| {
        group.cancel("enough");
        ok(group.handle())
    });
    let handle = handle.await.expect("its value counts");
    let serve = async |ready: TaskReady<()>| {
        ready.ready(());
        ok(())
    };
    let refused = handle.start_named("server", serve).await.unwrap_err();
    let reason = Reason::Requested("enough");
    assert_eq!(refused, StartError::Cancelled(reason.into()));
    assert_eq!(refused.to_string(), "the task was cancelled: enough");
}

/// A body that cancels goes on to where it next waits, and no further.
pub async fn a_body_that_cancels<R: Runtime>(rt: R) {
    let ended = task_group(&rt, async |group| {
        group.cancel("enough");
        ok(1)
    });
    assert_eq!(ended.await.ok(), Some(1));
    let ended = task_group(&rt, async |group| {
        group.cancel("enough");
        pending::<()>().await;
        ok(2)
    });
    assert!(ended.await.unwrap_err().cancelled().is_some());
    let ended = cancellable(async |handle| {
        handle.cancel("enough");
        pending::<()>().await;
    });
    assert!(ended.await.is_err());
}
