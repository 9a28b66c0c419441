//! Cancelling gracefully: what was open inside has been released when the canceller returns.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{join, join3};
use futures::stream::FuturesUnordered;
use withal_core::{
    Entry, Kind, Or, Outcome, Reason, Runtime, ScopeError, ScopeExt, acquire, move_on_after, sync,
    timeout, timeout_at, until,
};

use crate::conformance::dropping::{check_outcomes, three};
use crate::cut::{cut_after, poll_once, yield_times};
use crate::drop_sweep::drop_sweep;
use crate::ledger::{Injected, Ledger, ok};
use crate::lost::LostErrors;

const SOON: Duration = Duration::from_millis(1);
const LATER: Duration = Duration::from_millis(8);
const FOREVER: Duration = Duration::from_secs(1 << 30);
const REQUESTED: &str = "cancelled: enough";

/// A signal that comes after so many polls.
async fn after(polls: usize) -> Reason {
    yield_times(polls).await;
    Reason::Requested("enough")
}

/// The signal comes at every poll; nothing is open when `until` returns, and every exit knows the reason.
pub async fn at_every_poll<R: Runtime>(_: R) {
    for polls in 0.. {
        let ledger = Ledger::new();
        let ended = until(after(polls), three(ledger.clone())).await;
        assert_eq!(ledger.live(), 0, "{}", ledger.trace());
        ledger.check();
        check_outcomes(&ledger, &["a", "b", "c"], REQUESTED);
        if let Ok(value) = ended {
            assert_eq!(value, Ok(()));
            if !ledger.trace().contains('~') || polls > 30 {
                break;
            }
        }
    }
}

/// The same inside of a scope, beside others, and in a set that is not polled as a whole.
pub async fn in_company<R: Runtime>(_: R) {
    for polls in 0..25 {
        let ledger = Ledger::new();
        let set: FuturesUnordered<_> = (0..3).map(|_| three(ledger.clone())).collect();
        let body = ledger.scope("o").using(async |_| {
            let pair = join(three(ledger.clone()), three(ledger.clone()));
            join3(pair, set.count(), pending::<()>()).await
        });
        assert!(until(after(polls), body).await.is_err());
        assert_eq!(ledger.live(), 0, "{}", ledger.trace());
        ledger.check();
        assert_eq!(ledger.outcome("o").as_deref(), Some(REQUESTED));
    }
}

/// A cancelled program is itself dropped hard at every poll, also while it is closing.
pub async fn dropped_while_closing<R: Runtime>(rt: R) {
    for polls in 0..12 {
        drop_sweep(|ledger| until(after(polls), three(ledger.clone()))).await;
        drop_sweep(|ledger| {
            let body = until(after(polls), three(ledger.clone()));
            let outer = ledger.scope("o").yields(1);
            let whole = async move { outer.using(async move |_| body.await.is_ok()).await };
            timeout(&rt, FOREVER, whole)
        })
        .await;
    }
}

/// A commit that the deadline overtakes returns its value.
pub async fn a_commit_that_the_deadline_overtakes<R: Runtime>(rt: R) {
    let timer = rt.clone();
    let commit = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
        timer.sleep(LATER).await;
        ok(())
    });
    let ended = timeout(&rt, SOON, commit.with(async |()| ok(42))).await;
    assert_eq!(ended.unwrap(), Ok(42));
}

/// … and after it, the body is cut at its next await, and no scope is entered any more.
pub async fn after_the_commit_the_body_is_cut<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let ended = until(after(1), async {
        ledger
            .scope("one")
            .exit_yields(4)
            .with(async |_| ok(()))
            .await?;
        ledger.say("committed");
        ledger.scope("two").with(async |_| ok(())).await
    })
    .await;
    assert!(ended.is_err());
    assert_eq!(ledger.trace(), "+one ~one -one committed");
    let ledger = Ledger::new();
    let ended = timeout(&rt, SOON, async {
        let timer = rt.clone();
        let slow = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
            timer.sleep(LATER).await;
            ok(())
        });
        slow.with(async |()| ok(())).await?;
        ledger.say("committed");
        rt.sleep(FOREVER).await;
        Ok::<_, Injected>(())
    })
    .await;
    assert!(ended.is_err());
    assert_eq!(ledger.trace(), "committed");
}

/// A commit beside something that never ends does not keep the deadline.
pub async fn a_commit_beside_an_endless_future<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let commit = ledger.scope("commit").exit_yields(5).with(async |_| ok(1));
    let ended = until(after(1), join(commit, pending::<()>())).await;
    let exits: Vec<_> = ended.unwrap_err().exits().iter().map(Entry::kind).collect();
    assert_eq!(ledger.trace(), "+commit ~commit -commit");
    assert!(exits.iter().all(|kind| *kind == Kind::Finished));
}

/// A busy server: many scopes in flight, new ones all the time. The deadline ends it all the same.
pub async fn a_busy_server<R: Runtime>(rt: R) {
    let ledger = Ledger::quiet();
    let request = || {
        let timer = rt.clone();
        let scope = ledger.scope("r").exit_yields(7);
        scope.using(async move |_| timer.sleep(SOON).await)
    };
    let ended = timeout(&rt, LATER, async {
        let mut set: FuturesUnordered<_> = (0..50).map(|_| request()).collect();
        while set.next().await.is_some() {
            set.push(request());
        }
    })
    .await;
    assert!(ended.is_err());
    assert_eq!(ledger.live(), 0);
    ledger.check();
    assert!(ledger.entered() >= 50);
}

/// A hanging exit: after the grace, what is left is named and moves on; it is not lost.
pub async fn grace<R: Runtime>(rt: R) {
    let (go, gate) = futures::channel::oneshot::channel::<()>();
    let ledger = Ledger::new();
    let inner = ledger.clone();
    let hanging = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
        inner.say("~hanging");
        let _ = gate.await;
        inner.say("-hanging");
        ok(())
    });
    let body = ledger.scope("outer").with(async |_| {
        let hanging = hanging.named("hanging");
        hanging.with(async |()| ok(pending::<()>().await)).await
    });
    let elapsed = timeout(&rt, SOON, body).grace(SOON).await.unwrap_err();
    let overdue: Vec<_> = elapsed.overdue().filter_map(Entry::scope).collect();
    assert_eq!(overdue, ["hanging", "Traced"]);
    assert_eq!(ledger.trace(), "+outer ~hanging");
    assert!(go.send(()).is_ok());
    ledger.settled().await;
    assert_eq!(ledger.trace(), "+outer ~hanging -hanging ~outer -outer");
}

/// What the grace has left belongs to the enclosing scope, if there is one.
pub async fn grace_inside_of_a_scope<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let ended = ledger
        .scope("o")
        .with(async |o| {
            let (go, gate) = futures::channel::oneshot::channel::<()>();
            let inner = ledger.scope("x").inside(o);
            let slow = acquire(async || inner.open().await).release(async move |open, _| {
                let _ = gate.await;
                open.close(Outcome::Success).await.map(drop)
            });
            let body = slow.with(async |_| ok(pending::<()>().await));
            assert!(timeout(&rt, SOON, body).grace(SOON).await.is_err());
            ledger.say("returned");
            assert!(go.send(()).is_ok());
            ok(())
        })
        .await;
    assert_eq!(ended, Ok(()));
    assert_eq!(ledger.trace(), "+o +x returned ~x -x ~o -o");
    ledger.check();
}

/// A zero timeout polls the body once; the clock starts at the first poll; deadlines that have passed are over.
pub async fn when_the_clock_starts<R: Runtime>(rt: R) {
    assert_eq!(
        timeout(&rt, Duration::ZERO, async { 1 }).await.ok(),
        Some(1)
    );
    assert!(
        timeout(&rt, Duration::ZERO, yield_times(1 << 20))
            .await
            .is_err()
    );
    assert!(timeout_at(&rt, rt.now(), pending::<()>()).await.is_err());
    let late = timeout(&rt, LATER, async { 2 });
    rt.sleep(LATER + SOON).await;
    assert_eq!(late.await.ok(), Some(2));
    assert!(timeout(&rt, Duration::MAX, async { 3 }).await.is_ok());
}

/// Nested timeouts: the outer one is never hidden by the inner, and each error is told to its own caller.
pub async fn nested_timeouts<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let outer_first = timeout(&rt, SOON, async {
        let inner = ledger.scope("a").using(async |_| pending::<()>().await);
        let ended = timeout(&rt, FOREVER, inner).await;
        ledger.say("unreachable");
        ended.is_ok()
    });
    assert!(outer_first.await.is_err());
    assert_eq!(ledger.trace(), "+a ~a -a");
    let ledger = Ledger::new();
    let inner_first = timeout(&rt, FOREVER, async {
        let inner = ledger.scope("a").using(async |_| pending::<()>().await);
        timeout(&rt, SOON, inner).await.is_err()
    });
    assert!(inner_first.await.expect("the outer has time"));
    for polls in 0..6 {
        // Both at once: the inner one may still tell its caller, and the next await is cut by the outer.
        let both = until(after(polls), async {
            let _ = until(after(polls), pending::<()>()).await;
            pending::<()>().await;
        });
        let reason = both.await.unwrap_err().cancelled().reason;
        assert_eq!(reason, Reason::Requested("enough"));
    }
}

/// `move_on_after` gives an `Option`, and the errors of the exits go to the hook.
pub async fn moving_on<R: Runtime>(rt: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let failing = ledger.scope("moving_on").exit_fails();
    let body = failing.with(async |_| Ok::<_, Injected>(pending::<()>().await));
    assert_eq!(move_on_after(&rt, SOON, body).await, None);
    assert_eq!(ledger.live(), 0);
    assert!(!lost.containing("exit moving_on").is_empty());
    assert_eq!(move_on_after(&rt, FOREVER, async { 1 }).await, Some(1));
}

/// Orphans of a body that has ended are finished before `until` returns.
pub async fn orphans_of_a_body_that_has_ended<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = until(pending(), async {
        let loser = ledger
            .scope("x")
            .exit_yields(5)
            .using(async |_| pending::<()>().await);
        drop(cut_after(2, loser).eagerly().await);
        7
    })
    .await;
    assert_eq!(ended.ok(), Some(7));
    assert_eq!(ledger.trace(), "+x ~x -x");
}

/// An exit with a deadline is dropped when that is over, and says so; also what was started inside of it.
pub async fn an_exit_with_a_deadline<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let inside = ledger.clone();
    let hanging = || {
        let inside = inside.clone();
        let release = async move |(), _: Outcome<'_>| {
            inside.scope("in").exit_hangs().with(async |_| ok(())).await
        };
        acquire(async || Ok::<_, Injected>(())).release(release)
    };
    let scope = hanging().exit_within(&rt, SOON);
    let ended = scope.with_report(async |()| ok(1)).await;
    assert!(
        matches!(ended, Err(ScopeError::Exit(Or::B(_)))),
        "{ended:?}"
    );
    assert_eq!(ledger.trace(), "+in ~in !in");
    let lost = LostErrors::listen();
    let scope = hanging().named("orphaned.exit").exit_within(&rt, SOON);
    let hung = scope.using(async |()| pending::<()>().await);
    drop(cut_after(1, hung).await);
    while lost.containing("orphaned.exit").is_empty() {
        rt.sleep(SOON).await;
    }
    let quick = ledger.scope("q").yields(2).exit_within(&rt, FOREVER);
    assert!(
        quick
            .with(async |_| Ok::<_, Box<dyn std::error::Error + Send + Sync>>(()))
            .await
            .is_ok()
    );
}

/// An exit that needs what the body around the timeout holds: the grace ends the deadlock.
pub async fn an_exit_that_needs_what_the_body_holds<R: Runtime>(rt: R) {
    let lock = Arc::new(futures::lock::Mutex::new(()));
    let ledger = Ledger::new();
    let held = lock.clone();
    let ended = ledger
        .scope("o")
        .using(async |_| {
            let mine = held.lock().await;
            let (theirs, log) = (lock.clone(), ledger.clone());
            let scope = acquire(async || ok(())).release(async move |(), _| {
                drop(theirs.lock().await);
                log.say("released");
                ok(())
            });
            let scope = scope.named("needs the lock");
            let body = scope.using(async |()| pending::<()>().await);
            let elapsed = timeout(&rt, SOON, body).grace(SOON).await.unwrap_err();
            assert_eq!(elapsed.overdue().count(), 1);
            drop(mine);
        })
        .await;
    assert_eq!(ended, Ok(()));
    // It has moved to the enclosing scope, which waited for it.
    assert_eq!(ledger.trace(), "+o released ~o -o");
}

/// A guard whose drop orphans something, under an exit with a deadline.
pub async fn a_deadline_over_a_drop<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let ended = {
        let inner = ledger.scope("in").exit_yields(3);
        let mut guard = Box::pin(inner.using(async |_| pending::<()>().await));
        let body = async |guard: &mut std::pin::Pin<Box<_>>| {
            let _ = poll_once(guard).await;
        };
        let _ = poll_once(&mut guard).await;
        sync(guard).exit_within(&rt, FOREVER).using(body).await
    };
    assert!(ended.is_ok());
    ledger.settled().await;
    assert_eq!(ledger.trace(), "+in ~in -in");
}
