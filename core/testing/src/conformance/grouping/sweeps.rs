//! Every operation of a group and of its handles, given up after 0, 1, 2 … polls: nothing is lost by that, whether the group goes on or is dropped with it.

use std::future::pending;
use std::sync::Arc;

use futures::channel::oneshot;
use futures::future::join;
use withal_core::{
    ExitStack, Outcome, Report, Runtime, ScopeExt, TaskGroup, TaskReady, TaskStatus,
    join as abreast, task_group, with,
};

use crate::cut::{cut_after, yield_times};
use crate::faults::fault_sweep;
use crate::ledger::{Injected, Ledger, ok};

use super::drops::Aborting;
use super::{entered, holds};

/// Whoever gives up waiting for a task gets its value later.
pub async fn a_handle_that_is_given_up<R: Runtime>(rt: R) {
    for polls in 0..8 {
        let group = task_group(&rt, async |group| {
            let mut task = group.spawn(async { ok(yield_times(3).await) });
            let given = cut_after(polls, &mut task).eagerly().await;
            let value = match given {
                Some(value) => value,
                None => (&mut task).await,
            };
            ok((value, task.status()))
        });
        assert_eq!(group.await.ok(), Some((Ok(()), TaskStatus::Finished)));
    }
}

/// Whoever gives up waiting for the next value takes none with him.
pub async fn results_that_are_given_up<R: Runtime>(rt: R) {
    for polls in 0..6 {
        let group = task_group(&rt, async |group| {
            let mut results = group.results();
            for number in 0..5_usize {
                results.spawn(async move {
                    yield_times(number % 3).await;
                    ok(number)
                });
            }
            let mut values = Vec::new();
            loop {
                let given = cut_after(polls, results.next()).eagerly().await;
                let next = match given {
                    Some(next) => next,
                    None => results.next().await,
                };
                match next {
                    Some(value) => values.push(value),
                    None => break,
                }
            }
            values.sort_unstable();
            ok(values)
        });
        assert_eq!(group.await.ok(), Some(vec![0, 1, 2, 3, 4]));
    }
}

/// Whoever gives up waiting for room, or for the end, keeps nobody else from it.
pub async fn room_and_ended_that_are_given_up<R: Runtime>(rt: R) {
    for polls in 0..6 {
        let group = TaskGroup::<Injected>::new(&rt).at_most(1);
        let group = group.run(async |group| {
            let (go, gate) = oneshot::channel::<()>();
            group.spawn(async move { ok(gate.await.is_ok()) });
            let given_up = join(group.room(), group.ended());
            assert!(cut_after(polls, given_up).eagerly().await.is_none());
            let waits = join(group.room(), join(group.room(), group.ended()));
            let opens = async {
                yield_times(2).await;
                go.send(()).is_ok()
            };
            assert!(join(waits, opens).await.1);
            ok(group.is_empty())
        });
        assert_eq!(group.await.ok(), Some(true));
    }
}

/// Whoever gives up waiting for the end while he drives what dropped tasks have left behind gives it back.
pub async fn ended_that_is_given_up_with_orphans<R: Runtime>(rt: R) {
    for polls in 0..8 {
        let ledger = Ledger::new();
        let aborting = Aborting::new(rt.clone());
        let group = task_group(&aborting, async |group| {
            for name in ["a", "b"] {
                let scope = ledger.scope(name).exit_yields(4);
                group.spawn(async move { scope.with(async |_| ok(pending::<()>().await)).await });
            }
            entered(&ledger, 2).await;
            aborting.abort();
            let _ = cut_after(polls, group.ended()).eagerly().await;
            ok(())
        });
        assert!(group.await.is_ok());
        assert_eq!(ledger.live(), 0);
        ledger.check();
    }
}

/// Whoever gives up a start cancels what he has started, at whatever it is, and nothing else.
pub async fn a_start_that_is_given_up<R: Runtime>(rt: R) {
    for polls in 0.. {
        let ledger = Ledger::new();
        let group = task_group(&rt, async |group| {
            let scope = ledger.scope("a").yields(2);
            let serve = async move |ready: TaskReady<()>| {
                let body = async |_: &mut _| {
                    yield_times(1).await;
                    ready.ready(());
                    ok(yield_times(2).await)
                };
                scope.with(body).await
            };
            let other = group.spawn(async { ok(yield_times(5).await) });
            let started = cut_after(polls, group.start(serve)).eagerly().await;
            assert!(started.as_ref().is_none_or(Result::is_ok));
            assert_eq!(other.await, Ok(()));
            ok(started.is_some())
        });
        let started = group.await.expect("nothing fails");
        assert_eq!(ledger.live(), 0);
        ledger.check();
        let expected = match started {
            true => Some("success"),
            false => Some("cancelled: the future was dropped"),
        };
        // Dropped in its exit, it had a success.
        let seen = ledger.outcome("a");
        assert!(
            seen.is_none() || seen.as_deref() == expected,
            "{started} {seen:?}"
        );
        if started {
            break;
        }
    }
}

/// Drops what `program` makes after 0, 1, 2 … polls, and waits until its tasks are gone before the ledger must balance. (What is told to stop may still take a step.)
pub(super) async fn sweep<F: Future>(program: impl Fn(Ledger, Alive) -> F) {
    for polls in 0.. {
        let ledger = Ledger::new();
        let (alive, gone) = oneshot::channel::<()>();
        let program = program(ledger.clone(), Arc::new(alive));
        let completed = cut_after(polls, program).eagerly().await.is_some();
        assert!(gone.await.is_err());
        ledger.settled().await;
        ledger.check();
        if completed {
            break;
        }
    }
}

/// Is held by each task.
pub(super) type Alive = Arc<oneshot::Sender<()>>;

/// A task that holds a scope for a while.
pub(super) async fn task(ledger: Ledger, alive: Alive, name: &'static str) -> Result<(), Injected> {
    let _alive = alive;
    let scope = ledger.scope(name).yields(1);
    scope.with(async |_| ok(yield_times(3).await)).await
}

/// A group as a member of a stack, whose entries around it and in it exit in order.
pub async fn dropped_in_a_stack<R: Runtime>(rt: R) {
    sweep(|ledger, alive| {
        let rt = rt.clone();
        async move {
            let ended = ExitStack::with(async |stack| {
                let _outer = stack.enter(ledger.scope("outer").yields(1)).await?;
                let group = stack.enter(TaskGroup::<Injected>::new(&rt)).await?;
                group.spawn(task(ledger.clone(), alive.clone(), "a"));
                let _inner = stack.enter(ledger.scope("inner").yields(1)).await?;
                group.spawn(task(ledger.clone(), alive, "b"));
                yield_times(2).await;
                Ok::<_, Report>(())
            });
            assert!(ended.await.is_ok());
        }
    })
    .await;
}

/// A group as a member of a tuple, and side by side with a scope.
pub async fn dropped_in_a_composite<R: Runtime>(rt: R) {
    sweep(|ledger, alive| {
        let rt = rt.clone();
        async move {
            let members = (
                ledger.scope("outer").yields(1),
                TaskGroup::<Injected>::new(&rt),
            );
            let ended = with(members, async |(_, group)| {
                group.spawn(task(ledger.clone(), alive, "a"));
                yield_times(2).await;
                Ok::<_, Report>(())
            });
            assert!(ended.await.is_ok());
        }
    })
    .await;
    sweep(|ledger, alive| {
        let rt = rt.clone();
        async move {
            let members = abreast(
                ledger.scope("beside").yields(1),
                TaskGroup::<Injected>::new(&rt),
            );
            let ended = with(members, async |(_, group)| {
                group.spawn(task(ledger.clone(), alive, "a"));
                yield_times(2).await;
                Ok::<_, Report>(())
            });
            assert!(ended.await.is_ok());
        }
    })
    .await;
}

/// A group that is open as a value, and is closed or not.
pub async fn dropped_while_open<R: Runtime>(rt: R) {
    sweep(|ledger, alive| {
        let rt = rt.clone();
        async move {
            let group = TaskGroup::<Injected>::new(&rt)
                .open()
                .await
                .expect("it never fails");
            group.spawn(task(ledger.clone(), alive, "a"));
            yield_times(1).await;
            assert!(group.close(Outcome::Success).await.is_ok());
        }
    })
    .await;
    // Never run at all, its tasks are cancelled all the same.
    let ledger = Ledger::new();
    let group = TaskGroup::new(&rt);
    let held = group.spawn(holds(ledger.clone(), "held"));
    entered(&ledger, 1).await;
    drop(group);
    assert!(held.await.is_err());
    ledger.check();
}

/// Errors and panics at every enter, body and exit of the tasks, and each pair of them: all are found again.
pub async fn every_fault<R: Runtime>(rt: R) {
    fault_sweep(|ledger| {
        let (rt, ledger) = (rt.clone(), ledger.clone());
        async move {
            let faulty = |name: &'static str| {
                let (ledger, scope) = (ledger.clone(), ledger.scope(name).yields(1));
                async move {
                    scope
                        .with(async |_| {
                            yield_times(1).await;
                            ledger.point("task")
                        })
                        .await
                }
            };
            let group = task_group(&rt, async |group| {
                group.spawn(faulty("a"));
                group.spawn(faulty("b"));
                faulty("body").await
            });
            group.await.map_err(withal_core::GroupError::into_report)
        }
    })
    .await;
}
