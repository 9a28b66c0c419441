//! Shields: what has begun is run to its end, and whoever cancels waits for it.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{join, select};
use futures::stream::{FuturesUnordered, StreamExt};
use withal_core::{
    CancelHandle, Entry, Kind, Open, Outcome, Reason, Runtime, ScopeExt, Shield, acquire,
    cancellable, shield, timeout, unfinished, until,
};

use crate::conformance::dropping::{check_outcomes, three};
use crate::cut::{caught, cut_after, poll_once, spawn_abortable, yield_times};
use crate::drop_sweep::{drop_sweep, drop_sweep_and};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, Ledger, Traced, ok};
use crate::lost::LostErrors;

const SOON: Duration = Duration::from_millis(1);
const FOREVER: Duration = Duration::from_secs(1 << 30);
const ABC: [&str; 3] = ["a", "b", "c"];

async fn after(polls: usize) -> Reason {
    yield_times(polls).await;
    Reason::Requested("enough")
}

/// A shield that waits for `gate`.
fn gated(ledger: &Ledger, gate: oneshot::Receiver<()>) -> Shield<u32> {
    let ledger = ledger.clone();
    shield(async move {
        ledger.say("begun");
        let _ = gate.await;
        ledger.say("ended");
        7
    })
}

/// trio's `cancel_shielding`: whoever cancels waits for it, at every poll; it sees nothing of that, and the next await is cut.
pub async fn a_canceller_waits<R: Runtime>(_: R) {
    for polls in 0..30 {
        let ledger = Ledger::new();
        let ended = until(after(polls), async {
            let value = shield(three(ledger.clone())).await;
            ledger.say("after");
            pending::<()>().await;
            value
        });
        let interrupted = ended.await.expect_err("it never ends by itself");
        assert_eq!(interrupted.cancelled().to_string(), "cancelled: enough");
        assert!(
            ledger.trace().ends_with("a. ~a -a after"),
            "{}",
            ledger.trace()
        );
        check_outcomes(&ledger, &ABC, "none of them is cut");
        ledger.check();
    }
}

/// If the body ends with it, its value counts.
pub async fn its_value_counts<R: Runtime>(_: R) {
    for polls in 0..6 {
        let body = async { shield(async { yield_times(3).await }).await };
        assert_eq!(until(after(polls), body).await.ok(), Some(()));
        let lent = &mut shield(async {
            yield_times(3).await;
            7
        });
        assert_eq!(until(after(polls), lent).await.ok(), Some(7));
    }
}

/// Nothing begins while a canceller is closing, and nothing happens before the first poll.
pub async fn only_what_has_begun<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    drop(shield(three(ledger.clone())));
    let late = shield(three(ledger.clone()));
    let ended = until(after(1), async {
        let scope = ledger.scope("x").exit_yields(4);
        assert_eq!(scope.with(async |_| ok(())).await, Ok(()));
        late.await
    });
    assert!(ended.await.is_err());
    assert_eq!(ledger.trace(), "+x ~x -x");
}

/// Dropped hard at every poll, wherever it is: what has begun is run to its end.
pub async fn dropped_at_every_poll<R: Runtime>(rt: R) {
    let check = |ledger: &Ledger, _: bool| {
        let trace = ledger.trace();
        check_outcomes(ledger, &ABC, "none of them is cut");
        assert_eq!(
            trace.contains("begun"),
            trace.contains("a. ~a -a"),
            "{trace}"
        );
    };
    let begun = |ledger: &Ledger| {
        let ledger = ledger.clone();
        shield(async move {
            ledger.say("begun");
            three(ledger).await
        })
    };
    drop_sweep_and(begun, check).await;
    drop_sweep_and(|ledger| timeout(&rt, FOREVER, begun(ledger)), check).await;
    drop_sweep_and(|ledger| shield(begun(ledger)), check).await;
    let losing = |ledger: &Ledger| {
        let (loser, scope) = (begun(ledger), ledger.scope("o").yields(1));
        scope.using(async move |_| {
            select(loser, Box::pin(yield_times(3))).await;
        })
    };
    drop_sweep_and(losing, check).await;
    for polls in 0..8 {
        drop_sweep_and(|ledger| until(after(polls), begun(ledger)), check).await;
    }
}

/// The scope around it waits for it before its own exit.
pub async fn adopted_by_the_scope_around_it<R: Runtime>(_: R) {
    drop_sweep(|ledger| {
        let (ledger, outer) = (ledger.clone(), ledger.scope("o").yields(1));
        async move {
            outer
                .using(async |outer| {
                    let inside = ledger.scope("i").inside(outer).yields(2);
                    let loser =
                        shield(async move { inside.using(async |_| yield_times(2).await).await });
                    drop(cut_after(2, loser).await);
                    ledger.say("lost");
                    yield_times(1).await;
                })
                .await
        }
    })
    .await;
}

/// Its value, which nobody gets any more, is dropped inside of it: what that has open is released before it ends.
pub async fn its_value_is_dropped<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ledger.scope("o").using(async |outer| {
        let inside = ledger.scope("v").inside(outer).yields(2);
        let opening = shield(async move {
            let open: Result<Open<Traced>, Injected> = inside.open().await;
            open
        });
        drop(cut_after(2, opening).await);
    });
    assert_eq!(ended.await, Ok(()));
    assert_eq!(ledger.trace(), "+o +v ~v -v ~o -o");
    ledger.check();
}

/// A panic goes to its waiter, whether or not somebody cancels; without one, to the hook, and stops nobody.
pub async fn a_panic<R: Runtime>(_: R) {
    hush_injected_panics();
    let panicking = |name: &'static str| {
        let body = async move {
            yield_times(3).await;
            panic!("injected panic: {name}")
        };
        shield(body).named(name)
    };
    let expected = Err::<(), _>("injected panic: shield 1".to_owned());
    assert_eq!(caught(panicking("shield 1")).await, expected);
    let cancelled = until(after(1), panicking("shield 1"));
    assert_eq!(caught(cancelled).await.map(drop), expected);
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let around = ledger.scope("o").using(async |_| {
        let _ = cut_after(2, panicking("shield 2")).await;
        1
    });
    assert_eq!(around.await, Ok(1));
    let told = lost.containing("injected panic: shield 2");
    assert!(
        !told.is_empty() && told[0].contains("shielding.rs"),
        "{told:?}"
    );
}

/// When the grace of a canceller is over, it is named, and moves on to its end.
pub async fn a_grace<R: Runtime>(rt: R) {
    let (go, gate) = oneshot::channel();
    let ledger = Ledger::new();
    let body = gated(&ledger, gate).named("slow step");
    let elapsed = timeout(&rt, SOON, body).grace(SOON).await.unwrap_err();
    let overdue: Vec<_> = elapsed.overdue().filter_map(Entry::scope).collect();
    assert_eq!(overdue, ["slow step"]);
    assert_eq!(ledger.trace(), "begun");
    assert!(go.send(()).is_ok());
    while !ledger.trace().contains("ended") {
        rt.sleep(SOON).await;
    }
}

/// The deadline of an exit around it is the one thing that stops it, and that is told.
pub async fn a_deadline_of_an_exit<R: Runtime>(rt: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let inner = ledger.clone();
    let scope = acquire(async || ok(())).release(async move |(), _| {
        let hanging = inner.scope("in").exit_hangs();
        let hanging = shield(async move { hanging.with(async |_| ok(())).await });
        hanging.named("hanging.shield").await
    });
    let ended = scope.exit_within(&rt, SOON).with_report(async |()| ok(()));
    assert!(ended.await.is_err());
    assert_eq!(ledger.trace(), "+in ~in !in");
    assert!(!lost.containing("hanging.shield").is_empty());
    // One that ends in time is left alone.
    let scope = acquire(async || ok(()))
        .release(async |(), _| shield(async { ok(yield_times(3).await) }).await);
    let ended = scope
        .exit_within(&rt, FOREVER)
        .with_report(async |()| ok(7));
    assert_eq!(ended.await.ok(), Some(7));
}

/// trio's "even if shielded": a deadline inside of it strikes.
pub async fn a_deadline_inside_of_it<R: Runtime>(rt: R) {
    let timer = rt.clone();
    let ended = until(after(1), async {
        let inner = shield(async move { timeout(&timer, SOON, pending::<()>()).await.is_err() });
        inner.await
    });
    assert_eq!(ended.await.ok(), Some(true));
}

/// trio's `cancel_from_shielded_scope`: by a handle from inside of it, which does not touch it, but what comes after.
pub async fn cancelled_from_inside_of_it<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = cancellable(async |handle: CancelHandle| {
        let log = ledger.clone();
        let inner = shield(async move {
            handle.cancel("enough");
            log.scope("a")
                .yields(2)
                .using(async |_| yield_times(2).await)
                .await
        });
        assert_eq!(inner.await, Ok(()));
        ledger.say("after");
        yield_times(1).await;
    });
    assert!(ended.await.is_err());
    assert_eq!(ledger.trace(), "+a ~a -a after");
}

/// anyio's `cancel_shielding_start`: in a task that is aborted, whoever has started it.
pub async fn in_a_task_that_is_aborted<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (begun, has_begun) = oneshot::channel();
    let (go, gate) = oneshot::channel::<()>();
    let log = ledger.clone();
    let task = spawn_abortable(&rt, async move {
        let step = shield(async move {
            let scope = log.scope("a").exit_yields(2);
            let ended = scope.using(async move |_| {
                let _ = begun.send(());
                gate.await.is_ok()
            });
            log.say(format!("{:?}", ended.await));
        });
        step.await;
    });
    assert!(has_begun.await.is_ok());
    task.abort();
    yield_times(3).await;
    assert!(go.send(()).is_ok());
    ledger.settled().await;
    while !ledger.trace().ends_with("Ok(true)") {
        rt.sleep(SOON).await;
    }
}

/// anyio's `no_spin_on_done_task`: while a canceller waits for it, nothing is polled that was not woken.
pub async fn nobody_spins<R: Runtime>(_: R) {
    let (go, mut gate) = oneshot::channel::<()>();
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    let shielded = shield(poll_fn(move |cx| {
        counted.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut gate).poll(cx).map(drop)
    }));
    let mut whole = Box::pin(until(after(0), async {
        shielded.await;
        pending::<()>().await;
    }));
    let around = AtomicUsize::new(0);
    let whole = poll_fn(|cx| {
        around.fetch_add(1, Ordering::Relaxed);
        whole.as_mut().poll(cx)
    });
    // A set polls only who was woken, however often it is polled itself.
    let mut set: FuturesUnordered<_> = [whole].into_iter().collect();
    let opened = async {
        yield_times(50).await;
        go.send(()).is_ok()
    };
    let (ended, opened) = join(set.next(), opened).await;
    assert!(opened && ended.is_some_and(|ended| ended.is_err()));
    assert!(around.load(Ordering::Relaxed) <= 3, "{around:?}");
    assert!(polls.load(Ordering::Relaxed) <= 4, "{polls:?}");
}

/// In a set that polls only those that are woken it is dropped, goes on all the same, and is told.
pub async fn in_futures_unordered<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let set: FuturesUnordered<_> = (0..3)
        .map(|_| shield(three(ledger.clone())).named("one of three"))
        .collect();
    let body = async {
        set.count().await;
        pending::<()>().await;
    };
    let interrupted = until(after(4), body).await.unwrap_err();
    ledger.check();
    assert_eq!((ledger.entered(), ledger.live()), (9, 0));
    let told = interrupted.exits().iter();
    let told = told.filter(|exit| exit.scope() == Some("one of three"));
    assert!(told.clone().all(|exit| exit.kind() == Kind::Finished));
    assert!(told.count() <= 3);
}

/// One that was begun elsewhere: lent, it is left alone; moved in, it has ended when the canceller returns.
pub async fn begun_elsewhere<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let (go, gate) = oneshot::channel();
    let mut lent = gated(&ledger, gate);
    assert!(poll_once(&mut lent).await.is_pending());
    assert!(until(after(2), &mut lent).await.is_err());
    assert!(go.send(()).is_ok());
    assert_eq!(lent.await, 7);
    let ledger = Ledger::new();
    let mut moved = shield(three(ledger.clone()));
    assert!(poll_once(&mut moved).await.is_pending());
    let ended = until(after(2), async {
        moved.await?;
        ok(pending::<()>().await)
    });
    assert!(ended.await.is_err());
    assert!(ledger.trace().ends_with("a. ~a -a"), "{}", ledger.trace());
}

/// At the root, its home finishes it, and knows its name and line meanwhile.
pub async fn at_the_root<R: Runtime>(rt: R) {
    let (go, gate) = oneshot::channel();
    let ledger = Ledger::new();
    let step = gated(&ledger, gate).named(format!("root.shield.{}", R::NAME));
    let _ = cut_after(1, step).await;
    let named = |entry: &Entry| {
        let name = entry.scope().unwrap_or("");
        let place = entry.location().map_or("", |place| place.file());
        name.starts_with("root.shield") && place.ends_with("shielding.rs")
    };
    assert!(unfinished().iter().any(named));
    assert!(go.send(()).is_ok());
    while !ledger.trace().contains("ended") {
        rt.sleep(SOON).await;
    }
}

/// An orphan that waits for another shield, inside of an exit, inside of a scope: all in order.
pub async fn inside_of_an_exit<R: Runtime>(_: R) {
    drop_sweep(|ledger| {
        let (log, scope) = (ledger.clone(), ledger.scope("o").yields(1));
        async move {
            scope
                .using(async |_| {
                    let inner = log.clone();
                    let scope =
                        acquire(async || ok(())).release(async move |(), _: Outcome<'_>| {
                            let step = inner.scope("s").yields(2);
                            let step =
                                shield(
                                    async move { step.using(async |_| yield_times(2).await).await },
                                );
                            step.await
                        });
                    scope.with(async |()| ok(())).await
                })
                .await
        }
    })
    .await;
}
