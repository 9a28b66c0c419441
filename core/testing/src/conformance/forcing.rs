//! Exits that are forced, because their time is over or by hand.

use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::select;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use withal_core::{
    Backoff, Entry, ExitStack, Kind, Or, Outcome, Reason, Report, Runtime, ScopeError, ScopeExt,
    forced, forcefully, is_forced, releasing, time_left, timeout, until,
};

use crate::conformance::budgets::exiting;
use crate::conformance::dropping::three;
use crate::cut::{cut_after, yield_now, yield_times};
use crate::drop_sweep::drop_sweep;
use crate::ledger::{Injected, Ledger, ok};
use crate::lost::LostErrors;

const SOON: Duration = Duration::from_millis(1);
const LATER: Duration = Duration::from_millis(8);
const LONG: Duration = Duration::from_secs(1 << 20);
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// A signal that comes after so many polls.
async fn after(polls: usize) -> Reason {
    yield_times(polls).await;
    Reason::Requested("enough")
}

/// An exit that waits until it is forced ends just in time, whatever has bounded it and wherever it waits.
pub async fn in_time_by_force<R: Runtime>(rt: R) {
    let waits = || async {
        forced().await;
        assert!(is_forced());
        assert_eq!(time_left(), Some(Duration::ZERO));
    };
    let in_a_set = move || async move {
        let never = async { pending::<()>().await };
        let mut set = FuturesUnordered::new();
        set.push(futures::future::Either::Left(waits()));
        set.push(futures::future::Either::Right(never));
        set.next().await;
    };
    let nested = move || async move {
        let ended = exiting(in_a_set).using(async |()| ()).await;
        assert_eq!(ended, Ok(()));
    };
    let orphaned = move || async move {
        let orphan = exiting(waits).using(async |()| pending::<()>().await);
        drop(cut_after(1, orphan).await);
    };
    let scope = exiting(nested).exit_within(&rt, SOON);
    assert!(scope.using(async |()| ()).await.is_ok());
    let scope = exiting(orphaned).exit_within(&rt, SOON);
    assert!(scope.using(async |()| ()).await.is_ok());
    for stack in [
        ExitStack::new().each_within(&rt, SOON),
        ExitStack::new().each_within(&rt, SOON).concurrent(3),
        ExitStack::new().within(&rt, SOON).concurrent(3),
    ] {
        let filled = stack.with(async |stack| {
            stack.defer(nested);
            Ok::<_, Report>(drop(stack.enter(exiting(in_a_set)).await?))
        });
        assert!(filled.await.is_ok());
    }
    let stack = ExitStack::new().within(&rt, SOON);
    // The budget is spent by the first to exit, and the other one is forced from the start.
    stack.defer(|| async { assert!(is_forced()) });
    stack.defer(nested);
    assert!(stack.close(Outcome::Success).await.is_ok());
    let step = releasing(&rt, (), async move |(), _| ok(nested().await)).within(SOON);
    assert!(step.using(async |()| ()).await.is_ok());
    let body = || exiting(nested).using(async |()| pending::<()>().await);
    let elapsed = timeout(&rt, SOON, body()).grace(SOON).await.unwrap_err();
    assert_eq!(elapsed.overdue().count(), 0);
    assert_eq!(elapsed.exits()[0].kind(), Kind::Finished);
    // A grace of which nobody knows how long it is.
    let cut = until(after(2), body()).grace(yield_times(5)).await;
    let kinds: Vec<_> = cut.unwrap_err().exits().iter().map(Entry::kind).collect();
    assert_eq!(kinds, [Kind::Finished]);
    // An orphan that a body has left to the canceller.
    let body = async {
        let orphan = exiting(waits).using(async |()| pending::<()>().await);
        drop(cut_after(1, orphan).eagerly().await);
        1
    };
    assert_eq!(timeout(&rt, SOON, body).grace(SOON).await.ok(), Some(1));
}

/// It also learns of it that has begun to wait before there was any budget.
pub async fn waiting_since_before<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let log = ledger.clone();
    let body = async {
        let outer = ledger.scope("o").using(async |_| {
            let inner = exiting(move || async move {
                assert_eq!(time_left(), None);
                let mut set = FuturesUnordered::from_iter([forced()]);
                set.next().await;
                log.say("forced");
            });
            // It is adopted by the scope, and only polled when it is woken.
            drop(cut_after(1, inner.using(async |()| pending::<()>().await)).await);
            pending::<()>().await;
        });
        outer.await
    };
    let elapsed = timeout(&rt, LATER, body).grace(SOON).await.unwrap_err();
    assert_eq!(elapsed.overdue().count(), 0);
    assert_eq!(ledger.trace(), "+o forced ~o -o");
}

/// One that does not end by that is polled once more, and given up as overdue.
pub async fn given_up<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let polls = Arc::new(AtomicUsize::new(0));
    let (go, gate) = oneshot::channel::<()>();
    let gate = gate.shared();
    let hangs = || {
        let (counted, mut gate) = (polls.clone(), gate.clone());
        exiting(move || {
            std::future::poll_fn(move |cx| {
                if is_forced() {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
                gate.poll_unpin(cx).map(drop)
            })
        })
    };
    let forced_polls = || polls.swap(0, Ordering::Relaxed);
    let scope = hangs().exit_within(&rt, SOON);
    let ended = scope.with_report(async |()| ok(())).await;
    assert!(matches!(ended, Err(ScopeError::Exit(Or::B(_)))));
    assert_eq!(forced_polls(), 1);
    let stack = ExitStack::new().within(&rt, SOON);
    let ended = stack.with(async |stack| {
        for _ in 0..3 {
            drop(stack.enter(hangs()).await?);
        }
        Ok::<_, Report>(())
    });
    let report = ended.await.unwrap_err();
    assert!(report.entries().all(|entry| entry.kind() == Kind::Overdue));
    // Those that had not begun are forced from the start.
    assert_eq!((report.len(), forced_polls()), (3, 3));
    let ended = ledger.scope("o").using(async |_| {
        let body = hangs().using(async |()| pending::<()>().await);
        let elapsed = timeout(&rt, SOON, body).grace(SOON).await.unwrap_err();
        assert_eq!(elapsed.overdue().count(), 1);
        assert_eq!(forced_polls(), 1);
        assert!(go.send(()).is_ok());
    });
    assert_eq!(ended.await, Ok(()));
}

/// What has moved on after a grace stays forced, wherever it goes.
pub async fn moved_on<R: Runtime>(rt: R) {
    for at_home in [false, true] {
        let ledger = Ledger::new();
        let (go, gate) = oneshot::channel::<()>();
        let log = ledger.clone();
        let slow = || {
            exiting(move || async move {
                let _ = gate.await;
                log.say(if is_forced() { "forced" } else { "in peace" });
                log.scope("inside").using(async |_| ()).await.unwrap_or(());
                log.say(if is_forced() { "forced" } else { "in peace" });
            })
        };
        let timed = async {
            let body = slow().using(async |()| pending::<()>().await);
            assert!(timeout(&rt, SOON, body).grace(SOON).await.is_err());
            assert!(!is_forced());
            assert!(go.send(()).is_ok());
        };
        if at_home {
            timed.await;
            while !ledger.trace().contains("-inside forced") {
                rt.sleep(SOON).await;
            }
        } else {
            let ended = ledger.scope("o").using(async |_| timed.await).await;
            assert_eq!(ended, Ok(()));
        }
        let trace = ledger.trace();
        assert!(
            trace.contains("forced +inside ~inside -inside forced"),
            "{trace}"
        );
    }
}

/// `forcefully` forces from the start, for exits and for what is closed by hand; what it leaves behind stays forced.
pub async fn from_the_start<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let open = async || {
        let log = ledger.clone();
        let scope = exiting(move || async move {
            log.say(if is_forced() { "forced" } else { "in peace" });
            yield_now().await;
            log.say(if is_forced() { "forced" } else { "in peace" });
        });
        scope.open().await.expect("nothing can fail")
    };
    let mut seen = 0;
    let mut news = || {
        let trace = ledger.trace();
        let new = trace[seen..].trim().to_owned();
        seen = trace.len();
        new
    };
    let first = open().await;
    assert!(first.close(Outcome::Success).await.is_ok());
    assert_eq!(news(), "in peace in peace");
    let second = open().await;
    assert!(forcefully(second.close(Outcome::Success)).await.is_ok());
    assert_eq!(news(), "forced forced");
    assert!(!is_forced());
    assert!(forcefully(async { is_forced() }).await);
    for polls in 0..2 {
        let outer = ledger.scope("o").using(async |_| {
            let third = open().await;
            let close = forcefully(third.close(Outcome::Success));
            drop(cut_after(polls, close).await);
        });
        assert_eq!(outer.await, Ok(()));
        assert_eq!(news(), "+o forced forced ~o -o");
    }
}

/// A release that is tried again comes to the point when it is forced: the harder way, and no waiting before it.
pub async fn the_harder_way<R: Runtime>(rt: R) {
    let _lost = LostErrors::listen();
    // The softer way hangs; or it fails, and waits before it is tried again.
    for hangs in [true, false] {
        let ledger = Ledger::new();
        let (soft, hard) = (ledger.clone(), ledger.clone());
        let scope = releasing(&rt, (), async move |(), _| {
            soft.say("soft");
            if hangs {
                pending::<()>().await;
            }
            Err::<(), _>(Injected("soft".to_owned()))
        });
        let scope =
            scope
                .retry(Backoff::times(9).starting_at(FOREVER))
                .or_else(async move |(), _| {
                    hard.say(if is_forced() { "hard" } else { "patient" });
                    yield_times(usize::from(!is_forced())).await;
                    ok(())
                });
        let body = scope.using(async |()| pending::<()>().await);
        let elapsed = timeout(&rt, SOON, body).grace(SOON).await.unwrap_err();
        assert_eq!(elapsed.overdue().count(), usize::from(hangs));
        assert_eq!(ledger.trace(), "soft hard");
    }
}

/// Exits that wait to be forced, dropped and cancelled at every poll.
pub async fn dropped_at_every_poll<R: Runtime>(rt: R) {
    drop_sweep(|ledger| forcefully(three(ledger.clone()))).await;
    for by_time in [false, true] {
        drop_sweep(|ledger| {
            let (ledger, timer) = (ledger.clone(), rt.clone());
            let inner = ledger.clone();
            let waits = move || async move {
                let both = async {
                    select(pin!(forced()), pin!(three(inner))).await;
                };
                both.await;
            };
            let limit = if by_time { SOON } else { LONG };
            async move {
                let scope = exiting(waits).exit_within(&timer, limit);
                let outer = ledger.scope("o").yields(1);
                let body =
                    async |_: &mut _| scope.using(async |()| yield_now().await).await.is_ok();
                until(after(4), outer.using(body))
                    .grace(ready(()))
                    .await
                    .is_ok()
            }
        })
        .await;
    }
}
