//! Who waits until a generation has ended or another one's enter has failed, and goes on then.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::{join, join3};
use futures::stream::{FuturesUnordered, StreamExt};
use withal_core::{Or, Outcome, Reason, Runtime, ScopeExt, acquire, shared, until};

use crate::cut::{caught, cut_after, poll_once, yield_times};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, Ledger, ok};

use super::{database, use_for};

const SOON: Duration = Duration::from_millis(1);

async fn after(polls: usize) -> Reason {
    yield_times(polls).await;
    Reason::Requested("enough")
}

/// Who comes while the last one exits waits until that has ended, with all that the exit has opened.
pub async fn who_comes_during_the_exit_waits<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let database = shared({
        let ledger = ledger.clone();
        move || {
            let (enters, left) = (ledger.clone(), ledger.scope("left").exit_yields(4));
            acquire(async move || {
                enters.say("enter");
                ok(())
            })
            .release(async move |(), _: Outcome<'_>| {
                let _ = cut_after(1, left.using(async |_| pending::<()>().await)).await;
                ok(())
            })
        }
    });
    let late = async {
        yield_times(1).await;
        assert!(!database.is_entered(), "it exits");
        database.clone().using(async |_| ()).await
    };
    let ended = join(database.clone().using(async |_| ()), late).await;
    assert_eq!(ended, (Ok(()), Ok(())));
    let once = "enter +left ~left -left";
    assert_eq!(ledger.trace(), format!("{once} {once}"));
}

/// An enter that fails is the matter of the one who enters: the next one tries.
pub async fn an_enter_that_fails<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let database = database(&ledger, |number, scope| match number {
        1 | 2 => scope.yields(2).enter_fails(),
        _ => scope.yields(2),
    });
    let users = || use_for(&database, 1);
    let (a, b, c) = join3(users(), users(), users()).await;
    let refused = |number| Err(Injected(format!("enter db{number}")));
    assert_eq!((a, b, c), (refused(1), refused(2), Ok("db3".to_owned())));
    assert_eq!(ledger.trace(), "+db3 ~db3 -db3");
}

/// So is one that panics, and one whose scope cannot even be made.
pub async fn an_enter_that_panics<R: Runtime>(_: R) {
    hush_injected_panics();
    let ledger = Ledger::new();
    let database = database(&ledger, |number, scope| match number {
        1 => scope.yields(2).enter_panics(),
        2 => panic!("injected panic: make"),
        _ => scope,
    });
    let users = || caught(use_for(&database, 1));
    let (a, b, c) = join3(users(), users(), users()).await;
    assert_eq!(a.unwrap_err(), "injected panic: enter db1");
    assert_eq!(b.unwrap_err(), "injected panic: make");
    assert_eq!(c.unwrap().unwrap(), "db3");
}

/// So is one that is cut.
pub async fn an_enter_that_is_cut<R: Runtime>(_: R) {
    for polls in 1..4 {
        let ledger = Ledger::new();
        let database = database(&ledger, |_, scope| scope.yields(4));
        let cut = cut_after(polls, use_for(&database, 1)).eagerly();
        let (cut, next) = join(cut, use_for(&database, 1)).await;
        assert_eq!((cut, next.unwrap()), (None, "db2".to_owned()));
        let cancelled = until(after(polls), use_for(&database, 1));
        let (cancelled, next) = join(cancelled, use_for(&database, 1)).await;
        assert_eq!(
            (cancelled.is_err(), next.unwrap()),
            (true, "db4".to_owned())
        );
        assert_eq!(ledger.trace(), "+db2 ~db2 -db2 +db4 ~db4 -db4");
    }
}

/// What a cut or failed enter has left behind is released before the next one tries, whoever does it.
pub async fn a_cut_enter_is_cleaned_up_first<R: Runtime>(_: R) {
    for polls in 3..6 {
        let ledger = Ledger::new();
        let pair = shared({
            let ledger = ledger.clone();
            move || {
                let slow = ledger.scope("b").enter_yields(9);
                (ledger.scope("a").yields(2), slow)
            }
        });
        let user = || pair.clone().using(async |_| ());
        let once = "+a ~a -a +a +b ~b -b ~a -a";
        // Its orphans go home.
        let (cut, next) = join(cut_after(polls, user()).eagerly(), user()).await;
        assert_eq!((cut, next), (None, Ok(())));
        assert_eq!(ledger.trace(), once);
        // They are adopted.
        let (outer, next) = join(
            ledger.scope("o").using(async |_| {
                assert_eq!(cut_after(polls, user()).eagerly().await, None);
                ledger.say("cut");
            }),
            async {
                yield_times(1).await;
                user().await
            },
        )
        .await;
        assert_eq!((outer, next), (Ok(()), Ok(())));
        let trace = ledger.trace().replace(" cut", "").replace(" ~o -o", "");
        assert_eq!(trace, format!("{once} +o {once}"));
        // They are released in place.
        let (cancelled, next) = join(until(after(polls), user()), user()).await;
        assert!(cancelled.is_err() && next.is_ok());
        assert!(ledger.trace().ends_with(once));
        ledger.check();
    }
}

/// The same for an enter that is not cut half-way: it is driven to its end, and exited, before the next one tries.
pub async fn a_protected_enter_is_finished_first<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let scope = shared({
        let ledger = ledger.clone();
        move || ledger.scope("p").yields(5).protected()
    });
    let user = || scope.clone().using(async |_| ());
    let (cut, next) = join(cut_after(2, user()).eagerly(), user()).await;
    assert_eq!((cut, next), (None, Ok(())));
    let (cancelled, next) = join(until(after(2), user()), user()).await;
    assert!(cancelled.is_err() && next.is_ok());
    assert_eq!(ledger.trace(), ["+p ~p -p"; 4].join(" "));
}

/// The last one is dropped: whoever finishes its exit, those who wait go on afterwards.
pub async fn an_exit_that_is_orphaned<R: Runtime>(_: R) {
    for polls in 1..8 {
        let ledger = Ledger::new();
        let database = database(&ledger, |_, scope| scope.exit_yields(4));
        let dropped = cut_after(polls, use_for(&database, 2)).eagerly();
        let late = async {
            yield_times(polls).await;
            use_for(&database, 1).await
        };
        let (_, late) = join(dropped, late).await;
        assert!(late.is_ok());
        let ended = ledger.scope("o").using(async |_| {
            let dropped = cut_after(polls, use_for(&database, 2)).eagerly().await;
            assert_eq!(dropped.is_some(), polls > 6);
            // The body waits for what is driven beside it.
            use_for(&database, 1).await
        });
        assert!(ended.await.unwrap().is_ok());
        ledger.settled().await;
        ledger.check();
        let trace = ledger.trace();
        let mut marks = trace.split(' ').filter(|mark| !mark.ends_with('o'));
        while let Some(entered) = marks.next() {
            let name = &entered[1..];
            assert_eq!(entered, format!("+{name}"), "{trace}");
            assert_eq!(marks.next(), Some(&*format!("~{name}")), "{trace}");
            assert_eq!(marks.next(), Some(&*format!("-{name}")), "{trace}");
        }
    }
}

/// The deadline of the last exit strikes: nobody waits for it any longer.
pub async fn an_exit_that_is_overdue<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let database = database(&ledger, |number, scope| match number {
        1 => scope.exit_hangs(),
        _ => scope,
    });
    let last = database.clone().exit_within(&rt, SOON).using(async |_| ());
    let late = async {
        yield_times(1).await;
        use_for(&database, 1).await
    };
    let (overdue, late) = join(last, late).await;
    assert!(matches!(overdue, Err(Or::B(_))));
    assert_eq!(late.unwrap(), "db2");
    assert_eq!(ledger.trace(), "+db1 ~db1 !db1 +db2 ~db2 -db2");
}

/// One who waits is woken, and then dropped, or not polled any more: the others go on without it, and none of them is forgotten.
pub async fn a_waiter_that_does_not_come<R: Runtime>(_: R) {
    for is_dropped in [true, false] {
        let ledger = Ledger::new();
        let database = database(&ledger, |number, scope| match number {
            1 => scope.yields(3).enter_fails(),
            _ => scope.yields(1),
        });
        let mut first = Box::pin(use_for(&database, 0));
        let mut woken = Box::pin(use_for(&database, 0));
        assert!(poll_once(&mut first).await.is_pending());
        assert!(poll_once(&mut woken).await.is_pending());
        // The set polls only those that are woken.
        let mut others: FuturesUnordered<_> = (0..3).map(|_| use_for(&database, 1)).collect();
        assert!(poll_once(&mut others.next()).await.is_pending());
        assert!(first.await.is_err(), "and so the others are woken");
        let kept = (!is_dropped).then_some(woken);
        while let Some(name) = others.next().await {
            assert_eq!(name.unwrap(), "db2");
        }
        assert_eq!(ledger.trace(), "+db2 ~db2 -db2");
        drop(kept);
    }
}

/// One who waits under a canceller is cut: nobody is let in while it closes.
pub async fn nobody_is_let_in_while_closing<R: Runtime>(_: R) {
    let mut entered = 0;
    for polls in 0..20 {
        let ledger = Ledger::new();
        // The signal is looked at before the body in every other poll.
        let database = database(&ledger, move |_, scope| scope.exit_yields(3 + polls / 10));
        let signal = async {
            let reason = after(polls % 10).await;
            ledger.say("closing");
            reason
        };
        // It comes while the other one exits.
        let waits = until(signal, async {
            yield_times(1).await;
            use_for(&database, 9).await
        });
        let (used, cut) = join(use_for(&database, 0), waits).await;
        assert!(used.is_ok() && cut.is_err());
        let trace = ledger.trace();
        assert!(!trace.contains("closing +db2"), "{trace}");
        entered += usize::from(trace.contains("+db2"));
        assert!(use_for(&database, 1).await.is_ok());
        ledger.check();
    }
    assert!((1..20).contains(&entered), "{entered}");
}

/// A canceller is closing, and an exit inside needs what is just being entered there: the enter gives its turn back at once.
pub async fn an_exit_that_needs_the_turn<R: Runtime>(_: R) {
    let count = Arc::new(AtomicUsize::new(0));
    let database = shared(move || {
        let is_first = count.fetch_add(1, Ordering::Relaxed) == 0;
        acquire(async move || match is_first {
            true => pending().await,
            false => ok(7),
        })
        .release(async |_, _| ok(()))
    });
    let needs = acquire(async || ok(database.clone())).release(async |database, _| {
        let seven = database.using(async |n: &mut _| **n).await?;
        assert_eq!(seven, 7);
        ok(())
    });
    let body = join(
        needs.using(async |_| pending::<()>().await),
        database.clone().using(async |_| ()),
    );
    let stopped = until(after(3), body).await.unwrap_err();
    assert!(stopped.exits().iter().all(|exit| !exit.is_loss()));
}
