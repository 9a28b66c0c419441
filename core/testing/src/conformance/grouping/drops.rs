//! Groups, and tasks of groups, that are dropped; and ten thousand tasks at once.

use std::future::pending;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::channel::oneshot;
use futures::future::AbortHandle;
use withal_core::{
    Reason, Runtime, ScopeExt, Spawn, Task, TaskError, TaskGroup, TaskReady, TaskStatus, acquire,
    task_group,
};

use crate::cut::{caught, poll_once, spawn_abortable, yield_now, yield_times};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, Ledger, TracedHandle, ok};
use crate::lost::LostErrors;

use super::sweeps::{sweep, task};
use super::{entered, errors, holds};

/// Dropped at any poll, the tasks are cancelled and their scopes exit, whoever waits for it.
pub async fn dropped_at_every_poll<R: Runtime>(rt: R) {
    sweep(|ledger, alive| {
        let rt = rt.clone();
        async move {
            let group = task_group(&rt, async |group| {
                for name in ["a", "b"] {
                    group.spawn(task(ledger.clone(), alive.clone(), name));
                }
                let scope = ledger.scope("c").yields(1);
                let serve = async move |ready: TaskReady<()>| {
                    let body = async |_: &mut _| {
                        ready.ready(());
                        ok(yield_times(1).await)
                    };
                    let ended = scope.with(body).await;
                    drop(alive);
                    ended
                };
                if let Ok((_, task)) = group.start(serve).await {
                    let _ = task.await;
                }
                let mut results = group.results();
                results.spawn(async { ok(()) });
                results.next().await;
                ok(())
            });
            assert!(group.await.is_ok());
        }
    })
    .await;
}

/// The same inside of a scope: that waits for the group, with everything in it.
pub async fn dropped_inside_of_a_scope<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let outer = ledger.scope("outer").with(async |outer| {
        let mut group = Box::pin(task_group(&rt, async |group| {
            let (ledger, inside) = (ledger.clone(), TracedHandle::of(outer));
            group.spawn(async move {
                let scope = inside.inside(ledger.scope("task")).yields(2);
                scope
                    .with(async |_| pending::<Result<(), Injected>>().await)
                    .await
            });
            pending::<Result<(), Injected>>().await
        }));
        assert!(poll_once(&mut group).await.is_pending());
        entered(&ledger, 2).await;
        drop(group);
        ok(())
    });
    outer.await.expect("nothing fails");
    assert_eq!(
        ledger.outcome("task").as_deref(),
        Some("cancelled: the future was dropped")
    );
    ledger.check();
}

/// A runtime that can drop its tasks, as one that is closing does.
#[derive(Clone)]
pub(super) struct Aborting<R> {
    rt: R,
    tasks: Arc<Mutex<Vec<AbortHandle>>>,
}

impl<R> Aborting<R> {
    pub(super) fn new(rt: R) -> Self {
        let tasks = Arc::default();
        Self { rt, tasks }
    }

    /// Drops all tasks.
    pub(super) fn abort(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().expect("no panic"));
        tasks.iter().for_each(AbortHandle::abort);
    }
}

impl<R: Spawn> Spawn for Aborting<R> {
    fn spawn(&self, task: Task) {
        let handle = spawn_abortable(&self.rt, task);
        self.tasks.lock().expect("no panic").push(handle);
    }
}

/// A task that its runtime drops: what was open in it is finished by the group, which does not end before.
pub async fn a_task_that_its_runtime_drops<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let aborting = Aborting::new(rt);
    let value = task_group(&aborting, async |group| {
        let handles = ["a", "b", "c"].map(|name| group.spawn(holds(ledger.clone(), name)));
        entered(&ledger, 3).await;
        aborting.abort();
        group.ended().await;
        assert_eq!(ledger.live(), 0);
        for handle in handles {
            let Err(TaskError::Cancelled(cancelled)) = handle.await else {
                panic!("it was dropped");
            };
            assert_eq!(cancelled.reason, Reason::Dropped);
        }
        Ok::<_, String>(4)
    });
    assert_eq!(value.await.ok(), Some(4));
    for name in ["a", "b", "c"] {
        assert_eq!(
            ledger.outcome(name).as_deref(),
            Some("cancelled: the future was dropped")
        );
    }
    ledger.check();
}

/// A runtime that is gone: it drops every task at once.
#[derive(Clone)]
struct Gone;

impl Spawn for Gone {
    fn spawn(&self, task: Task) {
        drop(task);
    }
}

/// A runtime that takes no task any more: they are cancelled, however many wait for their turn.
pub async fn a_runtime_that_takes_no_task<R: Runtime>(_: R) {
    let group = TaskGroup::new(&Gone).at_most(1);
    let handles = group
        .run(async |group| {
            let spawn = |_| group.spawn(pending::<Result<(), String>>());
            Ok((0..10_000).map(spawn).collect::<Vec<_>>())
        })
        .await
        .expect("nothing has failed");
    for handle in handles {
        assert_eq!(handle.status(), TaskStatus::Cancelled);
    }
}

/// A runtime that has ended: it panics when it is given a task.
#[derive(Clone)]
struct Ended<R> {
    rt: R,
    left: Arc<AtomicUsize>,
}

impl<R: Spawn> Spawn for Ended<R> {
    fn spawn(&self, task: Task) {
        let takes = |left: usize| left.checked_sub(1);
        let taken = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, takes);
        assert!(taken.is_ok(), "injected panic: no runtime");
        self.rt.spawn(task);
    }
}

/// A runtime that panics: whoever spawns hears of it; and those that wait for their turn are cancelled, for their turn comes in a drop.
pub async fn a_runtime_that_panics<R: Runtime>(rt: R) {
    hush_injected_panics();
    let _hushed = LostErrors::listen();
    let ended = Ended {
        rt,
        left: Arc::new(AtomicUsize::new(1)),
    };
    let (go, gate) = oneshot::channel::<()>();
    let group = TaskGroup::new(&ended).at_most(1).run(async |group| {
        let first = group.spawn(async move { ok(gate.await.is_ok()) });
        let waiting = [(); 3].map(|()| group.spawn(async { ok(()) }));
        assert!(go.send(()).is_ok());
        assert_eq!(first.await, Ok(true));
        for task in waiting {
            assert!(matches!(task.await, Err(TaskError::Cancelled(_))));
        }
        group.ended().await;
        ok(group.spawn(async { ok(()) }).await)
    });
    let message = caught(group).await.map(drop).unwrap_err();
    assert_eq!(message, "injected panic: no runtime");
}

/// Ten thousand tasks, each in three nested scopes, of which one fails at a random moment.
pub async fn ten_thousand_tasks<R: Runtime>(rt: R) {
    groups_that_fail(&rt, 0..3).await;
}

/// Runs a group of ten thousand tasks for each seed: each task is in three nested scopes, and one fails at a random moment.
///
/// # Panics
///
/// If a scope has not exited exactly once and inside out by the time its group returns.
///
/// # Cancel safety
///
/// Dropped, the tasks are cancelled.
pub async fn groups_that_fail<R: Runtime>(rt: &R, seeds: Range<u64>) {
    const TASKS: usize = 10_000;
    for seed in seeds {
        let mut random = fastrand::Rng::with_seed(seed);
        let (ledger, ended) = (Ledger::quiet(), Arc::new(AtomicUsize::new(0)));
        let (fails, after) = (random.usize(..TASKS), random.usize(..8));
        let error = task_group(rt, async |group| {
            for number in 0..TASKS {
                let (ledger, ended) = (ledger.clone(), ended.clone());
                let polls = random.usize(1..12);
                group.spawn(async move {
                    let nest = in_three(&ledger, polls, (number == fails).then_some(after));
                    let given = nest.await;
                    if given.is_ok() {
                        ended.fetch_add(1, Ordering::SeqCst);
                    }
                    given
                });
                if number % 64 == 0 {
                    yield_now().await;
                }
            }
            ok(())
        })
        .await;
        // At its return, not later.
        assert_eq!(ledger.live(), 0, "seed {seed}");
        assert_eq!(ledger.violations(), [""; 0], "seed {seed}");
        match error {
            Ok(()) => panic!("seed {seed}: one has failed"),
            Err(error) => assert_eq!(errors(&error).len(), 1, "seed {seed}: {error}"),
        }
        assert!(ended.load(Ordering::SeqCst) < TASKS);
    }
}

/// Three nested scopes around a body that suspends, and that fails after so many polls if it is to fail.
async fn in_three(ledger: &Ledger, polls: usize, fails: Option<usize>) -> Result<(), Injected> {
    let scope = || ledger.scope("").exit_yields(polls % 3);
    scope()
        .with(async |a| {
            let b = scope().inside(a);
            b.with(async |b| {
                let c = scope().inside(b);
                c.with(async |_| {
                    yield_times(fails.unwrap_or(polls)).await;
                    match fails {
                        Some(_) => Err(Injected("it broke".to_owned())),
                        None => Ok(()),
                    }
                })
                .await
            })
            .await
        })
        .await
}

/// What a dropped task has open ends while the body runs, and whoever else waits for the end does not hold it up.
pub async fn a_body_that_waits_for_the_exit_of_a_dropped_task<R: Runtime>(rt: R) {
    let aborting = Aborting::new(rt.clone());
    let (exited, is_exited) = oneshot::channel::<()>();
    let value = task_group(&aborting, async |group| {
        let (begun, is_begun) = oneshot::channel::<()>();
        group.spawn(async move {
            let scope = acquire(async || Ok::<_, String>(exited)).release(
                async |exited: oneshot::Sender<()>, _| {
                    yield_times(3).await;
                    exited.send(()).map_err(|()| "nobody waits".to_owned())
                },
            );
            scope
                .with(async |_| {
                    let _ = begun.send(());
                    pending::<Result<(), String>>().await
                })
                .await
        });
        assert!(is_begun.await.is_ok());
        aborting.abort();
        let handle = group.handle();
        let mut parked = Box::pin(handle.ended());
        let has_ended = poll_once(&mut parked).await.is_ready();
        let has_exited = is_exited.await.is_ok();
        if !has_ended {
            parked.await;
        }
        Ok::<_, String>(has_exited)
    });
    assert_eq!(value.await.ok(), Some(true));
}
