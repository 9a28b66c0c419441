//! `run` under signals, on the manual clock.

use std::future::pending;
use std::time::Duration;

use withal_core::{Kind, Launch, Never, ScopeExt, Timer, acquire};
use withal_testing::{Ledger, LostErrors, Manual, yield_times};

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
