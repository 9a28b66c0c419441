//! `run` under signals, on the manual clock.

use std::future::{pending, poll_fn};
use std::task::Poll::{Pending, Ready};
use std::time::Duration;

use futures::FutureExt;
use futures::future::join4;
use withal_core::{
    Entry, Kind, Launch, Never, ScopeExt, Spawn, Task, Timer, acquire, forced, is_forced, time_left,
};
use withal_testing::{Ledger, LostErrors, Manual, poll_once, yield_times};

const SHUTDOWN: &str = "cancelled: the program is stopping";

#[test]
fn the_first_signal_cancels_gracefully() {
    for polls in 0..12 {
        let rt = Manual::new();
        let ledger = Ledger::new();
        let ended = rt.run(async {
            let waiting = ledger.scope("a").yields(2).using(async |a| {
                let inner = ledger.scope("b").inside(a).yields(2);
                inner.using(async |_| pending::<()>().await).await
            });
            let interrupt = async {
                yield_times(polls).await;
                rt.interrupt();
                pending::<()>().await;
            };
            futures::future::join(waiting, interrupt).await.0
        });
        let shutdown = ended.expect_err("nothing else ends it");
        assert_eq!(shutdown.exits().len(), ledger.entered());
        assert_eq!(ledger.live(), 0);
        ledger.check();
        for name in ["a", "b"] {
            assert!(
                ledger
                    .outcome(name)
                    .is_none_or(|outcome| outcome == SHUTDOWN)
            );
        }
    }
}

#[test]
fn the_second_signal_forces() {
    let rt = Manual::new();
    let lost = LostErrors::listen();
    let again = rt.clone();
    let hanging = acquire(async || Ok::<_, Never>(())).release(async move |(), _| {
        // In the same poll as the first exits: it is not missed.
        again.interrupt();
        Ok(pending::<()>().await)
    });
    let hanging = hanging.named("forced.exit");
    let ended = rt.run(async {
        let waiting = hanging.using(async |_| pending::<()>().await);
        let interrupt = async {
            rt.interrupt();
            pending::<()>().await;
        };
        futures::future::join(waiting, interrupt).await.0
    });
    let shutdown = ended.expect_err("it was stopped");
    assert_eq!(rt.now(), Duration::ZERO, "it does not wait for the budget");
    let kinds: Vec<_> = shutdown
        .exits()
        .iter()
        .map(withal_core::Entry::kind)
        .collect();
    assert_eq!(kinds, [Kind::Overdue]);
    assert_eq!(lost.containing("forced.exit").len(), 1);
}

#[test]
fn the_budget_bounds_the_stopping() {
    let rt = Manual::new();
    let ledger = Ledger::new();
    let lost = LostErrors::listen();
    let hanging = ledger.scope("x").exit_hangs().named("budget.exit");
    let ended = rt.run(async {
        let waiting = hanging.using(async |_| pending::<()>().await);
        let interrupt = async {
            rt.interrupt();
            pending::<()>().await;
        };
        futures::future::join(waiting, interrupt).await.0
    });
    assert!(ended.is_err());
    assert_eq!(rt.now(), rt.exit_budget());
    assert_eq!(lost.containing("budget.exit").len(), 1);
}

/// Of the exits in progress those end by one poll more that can end at once, and the others are given up.
#[test]
fn what_can_end_at_once_ends_by_force() {
    // By the second signal, and by the end of the budget.
    for signals in [2, 1] {
        let rt = Manual::new();
        let ledger = Ledger::new();
        let exit = |name: &'static str| {
            let (log, timer) = (ledger.clone(), rt.clone());
            let scope = acquire(async || Ok::<_, Never>(())).release(async move |(), _| {
                assert_eq!(time_left(), Some(timer.exit_budget()));
                match name {
                    "looks" => poll_fn(|_| if is_forced() { Ready(()) } else { Pending }).await,
                    "hangs" => pending().await,
                    _ => forced().await,
                }
                assert_eq!(time_left(), Some(Duration::ZERO));
                log.say(name);
                Ok(())
            });
            scope.named(name)
        };
        let task = rt.clone();
        rt.spawn(Task::new(async move {
            for _ in 0..signals {
                yield_times(5).await;
                task.interrupt();
            }
        }));
        let ended = rt.run(async {
            let cut = async |name| {
                let Ok(()) = exit(name).using(async |()| pending::<()>().await).await;
            };
            let adopts = ledger.scope("o").using(async |_| {
                let held = Box::pin(cut("orphan"));
                let mut held = held.fuse();
                assert!(poll_once(&mut held).await.is_pending());
                pending::<()>().await;
                drop(held);
            });
            let _ = join4(cut("looks"), cut("waits"), adopts, cut("hangs")).await;
        });
        let shutdown = ended.expect_err("it was stopped");
        let budget = rt.exit_budget();
        let took = if signals == 1 { budget } else { Duration::ZERO };
        assert_eq!(rt.now(), took);
        assert_eq!(ledger.trace(), "+o looks waits orphan ~o -o");
        let kinds: Vec<_> = shutdown.exits().iter().map(Entry::kind).collect();
        let finished = Kind::Finished;
        assert_eq!(
            kinds,
            [finished, finished, finished, finished, Kind::Overdue]
        );
    }
}
