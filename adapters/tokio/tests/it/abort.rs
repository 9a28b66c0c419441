//! tokio's own ways to drop a future: abort, `select!`, its timeout, a `JoinSet`. In plain `#[tokio::test]`s.

use std::time::Duration;

use tokio::task::JoinSet;
use withal_core::{Scope, ScopeExt};
use withal_testing::{Ledger, Traced, TracedGuard, yield_times};

const DROPPED: &str = "cancelled: the future was dropped";

/// Two nested scopes whose bodies count their steps.
async fn nested(ledger: Ledger, steps: tokio::sync::watch::Sender<usize>) {
    let step = async || {
        steps.send_modify(|steps| *steps += 1);
        yield_times(1).await;
    };
    let body = async |a: &mut TracedGuard| {
        step().await;
        let b: Traced = ledger.scope("b").inside(a).yields(1);
        b.using(async |_: &mut <Traced as Scope>::Guard| {
            step().await;
            step().await;
        })
        .await
        .unwrap();
        step().await;
    };
    ledger.scope("a").yields(1).using(body).await.unwrap();
}

async fn abort_at_every_step() {
    for at in 1..=4 {
        let ledger = Ledger::new();
        let (steps, mut reached) = tokio::sync::watch::channel(0);
        let task = tokio::spawn(nested(ledger.clone(), steps));
        reached.wait_for(|steps| *steps >= at).await.unwrap();
        task.abort();
        let _ = task.await;
        ledger.settled().await;
        ledger.check();
        assert!(ledger.entered() >= 1);
    }
}

#[tokio::test]
async fn abort_on_a_current_thread() {
    abort_at_every_step().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abort_on_several_threads() {
    abort_at_every_step().await;
}

#[tokio::test]
async fn the_loser_of_a_select() {
    let ledger = Ledger::new();
    let outer = ledger.scope("o").using(async |o| {
        let loser = ledger.scope("l").inside(o).exit_yields(3);
        tokio::select! {
            biased;
            _ = loser.using(async |_| std::future::pending::<()>().await) => {}
            () = tokio::task::yield_now() => {}
        }
        ledger.say("won");
    });
    outer.await.unwrap();
    ledger.check();
    assert_eq!(ledger.trace(), "+o +l won ~l -l ~o -o");
    assert_eq!(ledger.outcome("l").as_deref(), Some(DROPPED));
}

#[tokio::test(start_paused = true)]
async fn a_foreign_timeout() {
    let ledger = Ledger::new();
    let hanging = ledger.scope("a").exit_yields(3);
    let hanging = hanging.using(async |_| std::future::pending::<()>().await);
    assert!(
        tokio::time::timeout(Duration::from_secs(1), hanging)
            .await
            .is_err()
    );
    ledger.settled().await;
    assert_eq!(ledger.trace(), "+a ~a -a");
}

#[tokio::test(start_paused = true)]
async fn our_timeout_on_a_paused_clock() {
    let ledger = Ledger::new();
    let start = tokio::time::Instant::now();
    let hanging = ledger.scope("a").exit_yields(3);
    let hanging = hanging.using(async |_| std::future::pending::<()>().await);
    let limit = Duration::from_secs(2);
    let ended = withal_core::timeout(&withal_tokio::Tokio, limit, hanging).await;
    assert!(ended.is_err());
    assert_eq!(ledger.trace(), "+a ~a -a");
    let took = start.elapsed();
    assert!(
        took >= limit && took < limit + Duration::from_millis(10),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_join_set_that_is_dropped() {
    let ledger = Ledger::new();
    let mut set = JoinSet::new();
    let (steps, mut reached) = tokio::sync::watch::channel(0);
    for _ in 0..10 {
        set.spawn(nested(ledger.clone(), steps.clone()));
    }
    reached.wait_for(|steps| *steps >= 10).await.unwrap();
    drop(set);
    // The tasks are dropped when the runtime comes to it.
    while ledger.live() > 0 {
        tokio::task::yield_now().await;
    }
    ledger.check();
}

/// tokio's budget is used up by a body that always has something to do; its orphans get their turn all the same.
#[tokio::test]
async fn a_body_that_uses_up_the_budget() {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    for n in 0..100_000 {
        sender.send(n).unwrap();
    }
    drop(sender);
    let ledger = Ledger::new();
    let server = ledger.scope("server").using(async |_| {
        let log = ledger.clone();
        let orphan = withal_core::acquire(async || Ok::<_, String>(()));
        let orphan = orphan.release(async move |(), _| {
            for _ in 0..3 {
                tokio::task::consume_budget().await;
                tokio::task::yield_now().await;
            }
            log.say("released");
            Ok(())
        });
        let parked = orphan.using(async |()| std::future::pending::<()>().await);
        let _ = withal_testing::cut_after(1, parked).await;
        let mut received = 0;
        let mut released_at = None;
        while receiver.recv().await.is_some() {
            received += 1;
            if released_at.is_none() && ledger.trace().contains("released") {
                released_at = Some(received);
            }
        }
        released_at
    });
    let released_at = server.await.unwrap();
    assert!(released_at.is_some_and(|at| at < 10_000), "{released_at:?}");
}

/// Nor does such a body keep a timeout from striking, the deadline of an exit, or a grace.
#[tokio::test]
async fn a_body_that_uses_up_the_budget_under_a_timeout() {
    async fn busy() {
        loop {
            tokio::task::consume_budget().await;
        }
    }
    let soon = Duration::from_millis(5);
    let rt = &withal_tokio::Tokio;
    assert!(withal_core::timeout(rt, soon, busy()).await.is_err());
    let scope = withal_core::acquire(async || std::io::Result::Ok(()));
    let scope = scope.release(async |(), _| std::io::Result::Ok(busy().await));
    let ended = scope
        .exit_within(rt, soon)
        .with_report(async |()| std::io::Result::Ok(()))
        .await;
    assert!(ended.is_err());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move { stop.send(()) });
    let signal = async {
        let _ = stopped.await;
        withal_core::Reason::Requested("enough")
    };
    assert!(withal_core::until(signal, busy()).await.is_err());
}
