//! Users that are dropped, cancelled, and that fail, at every point.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::channel::oneshot;
use futures::future::{join, join3};
use withal_core::{Reason, Report, Runtime, ScopeExt, Shared, Task, acquire, shared, until};

use crate::cut::{caught, cut_after, yield_times};
use crate::drop_sweep::{drop_sweep, drop_sweep_and};
use crate::faults::fault_sweep;
use crate::ledger::{Ledger, Traced, ok};

use super::database;

/// A pair whose generations have different names.
fn pairs(ledger: &Ledger) -> Shared<(Shared<Traced>, Traced)> {
    let (ledger, database) = (ledger.clone(), database(ledger, |_, scope| scope.yields(1)));
    shared(move || (database.clone(), ledger.scope("session").yields(1)))
}

/// Checks that no generation begins before the one before has ended.
fn check(ledger: &Ledger) {
    ledger.check();
    let trace = ledger.trace();
    let mut open = Vec::new();
    for mark in trace.split(' ').filter(|mark| !mark.is_empty()) {
        let (sign, name) = mark.split_at(1);
        match sign {
            "+" if name == "session" => open.push(name),
            "+" => {
                assert!(open.is_empty(), "{trace}");
                open.push(name);
            }
            "-" | "!" => assert_eq!(open.pop(), Some(name), "{trace}"),
            _ => {}
        }
    }
}

/// Three users side by side, who come and go at different times.
async fn three(ledger: Ledger) -> Result<(), Report> {
    let pairs = pairs(&ledger);
    let user = |before, inside| {
        let (pairs, ledger) = (pairs.clone(), &ledger);
        caught(async move {
            yield_times(before).await;
            pairs
                .with(async |_| {
                    yield_times(inside).await;
                    ledger.point("body")?;
                    yield_times(1).await;
                    Ok::<_, Report>(())
                })
                .await
        })
    };
    let (a, b, c) = join3(user(0, 2), user(1, 1), user(9, 1)).await;
    let mut failed = [a, b, c].into_iter().filter_map(|ended| match ended {
        Ok(Ok(())) => None,
        Ok(Err(report)) => Some(format!("{report:?}")),
        Err(panic) => Some(panic),
    });
    match failed.next() {
        None => Ok(()),
        Some(first) => Err(Report::msg(
            failed.fold(first, |all, next| all + " " + &next),
        )),
    }
}

/// All users are dropped at every poll.
pub async fn users_dropped_at_every_poll<R: Runtime>(_: R) {
    let polls = drop_sweep_and(|ledger| three(ledger.clone()), |ledger, _| check(ledger)).await;
    assert!(polls > 15, "every phase suspends: {polls}");
}

/// One of two users is dropped at every poll: the other one does not notice, also if it has to enter itself.
pub async fn one_user_dropped_at_every_poll<R: Runtime>(_: R) {
    for order in [true, false] {
        for polls in 0..24 {
            let ledger = Ledger::new();
            let pairs = pairs(&ledger);
            let user = || pairs.clone().using(async |_| yield_times(3).await);
            let cut = cut_after(polls, user()).eagerly();
            let ended = if order {
                join(cut, user()).await
            } else {
                let (ended, cut) = join(user(), cut).await;
                (cut, ended)
            };
            assert!(ended.1.is_ok());
            ledger.settled().await;
            check(&ledger);
            let (cancelled, ended) = join(until(after(polls), user()), user()).await;
            assert!(ended.is_ok());
            assert!(cancelled.is_ok() || polls < 20);
            check(&ledger);
        }
    }
}

async fn after(polls: usize) -> Reason {
    yield_times(polls).await;
    Reason::Requested("enough")
}

/// All users are cancelled at every poll, and released in place.
pub async fn users_cancelled_at_every_poll<R: Runtime>(_: R) {
    for polls in 0.. {
        let ledger = Ledger::new();
        let ended = until(after(polls), three(ledger.clone())).await;
        assert_eq!(ledger.live(), 0, "{}", ledger.trace());
        check(&ledger);
        if ended.is_ok() {
            return;
        }
    }
}

/// The same, dropped at every poll while closing.
pub async fn users_dropped_while_closing<R: Runtime>(_: R) {
    for polls in 0..20 {
        let program = |ledger: &Ledger| until(after(polls), three(ledger.clone()));
        drop_sweep_and(program, |ledger, _| check(ledger)).await;
    }
}

/// Errors and panics at each enter, body and exit, and at each pair of them: each is found, and nobody waits for ever.
pub async fn every_fault_of_users<R: Runtime>(_: R) {
    // In boxes: the three of them are large, and a thread of a test has little stack.
    let program = |ledger: &Ledger| Box::pin(three(ledger.clone()));
    let runs = Box::pin(fault_sweep(program)).await;
    assert!(runs > 100, "{runs}");
}

/// The scope around the users waits for all that they have left behind.
pub async fn users_inside_of_a_scope<R: Runtime>(_: R) {
    let program = |ledger: &Ledger| {
        let (outer, ledger) = (ledger.scope("o"), ledger.clone());
        async move {
            let inside = async |_: &mut _| {
                let users = three(ledger.clone());
                let _ = cut_after(7, users).eagerly().await;
                yield_times(1).await;
            };
            outer.using(inside).await.unwrap();
            assert!(ledger.trace().ends_with("~o -o"), "{}", ledger.trace());
        }
    };
    drop_sweep(program).await;
}

/// Many users in tasks, some of them dropped: never two generations at once, and as many exits as enters.
pub async fn many_tasks<R: Runtime>(rt: R) {
    const TASKS: usize = 8;
    const USES: usize = 50;
    let ledger = Ledger::quiet();
    let database = shared({
        let (ledger, live) = (ledger.clone(), Arc::new(AtomicUsize::new(0)));
        move || {
            let (enters, exits) = (live.clone(), live.clone());
            let alone = acquire(async move || {
                assert_eq!(enters.fetch_add(1, Ordering::SeqCst), 0);
                ok(AtomicBool::new(true))
            });
            let alone = alone.release(async move |is_alive: AtomicBool, _| {
                is_alive.store(false, Ordering::SeqCst);
                yield_times(1).await;
                exits.fetch_sub(1, Ordering::SeqCst);
                ok(())
            });
            (ledger.scope("").yields(1), alone)
        }
    });
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (database, (done, is_done)) = (database.clone(), oneshot::channel());
            rt.spawn(Task::new(async move {
                for turn in 0..USES {
                    let is_cut = turn % 7 == 0;
                    let used = database.clone().using(async move |guard| {
                        for _ in 0..turn % 3 {
                            assert!(guard.1.load(Ordering::SeqCst), "it is not released");
                            yield_times(1).await;
                        }
                        if is_cut {
                            pending::<()>().await;
                        }
                    });
                    let polls = if is_cut {
                        1 + (turn + task) % 5
                    } else {
                        usize::MAX
                    };
                    let ended = cut_after(polls, used).eagerly().await;
                    assert!(matches!(ended, None | Some(Ok(()))));
                }
                let _ = done.send(());
            }));
            is_done
        })
        .collect();
    for is_done in tasks {
        assert!(is_done.await.is_ok());
    }
    ledger.settled().await;
    ledger.check();
    assert!(ledger.entered() > 0);
}
