//! Decorated scopes that are dropped, cancelled and that fail at every poll: before, at and after the yield.
//!
//! In a process of its own, for a fault sweep takes the lost-error hook.

use std::time::Duration;

use withal::{Open, Reason, ScopeExt, scope, timeout, until, with_local};
use withal_testing::{
    Injected, Ledger, LostErrors, Manual, Traced, block_on, caught, cut_after, drop_sweep,
    drop_sweep_and, fault_sweep, hush_injected_panics, run, yield_now, yield_times,
};

/// Opens `scope` and yields it, and suspends wherever it can.
#[scope(yields = Open<Traced>)]
async fn traced(ledger: Ledger, scope: Traced) -> Result<(), Injected> {
    yield_now().await;
    let open = scope.open().await?;
    yield_now().await;
    ledger.say("<");
    let outcome = yield_!(open);
    yield_now().await;
    ledger.say(">");
    open.close(&outcome).await?;
    Ok(())
}

/// How the inner body ends.
#[derive(Clone, Copy)]
enum End {
    Well,
    Fails,
    Panics,
}

async fn nested(ledger: Ledger, end: End) -> Result<(), Injected> {
    let a = ledger.scope("a").yields(1);
    let outer = traced(ledger.clone(), a).with(async |a| {
        yield_now().await;
        let b = ledger.scope("b").inside(a).yields(1);
        let inner = traced(ledger.clone(), b).with(async |_| {
            yield_times(2).await;
            match end {
                End::Well => Ok(()),
                End::Fails => Err(Injected("on purpose".to_owned())),
                End::Panics => panic!("injected panic"),
            }
        });
        inner.await
    });
    outer.await
}

/// Each that has got to its yield went on from there.
fn check(ledger: &Ledger) {
    let trace = ledger.trace();
    let count = |mark| trace.split(' ').filter(|word| *word == mark).count();
    assert_eq!(count("<"), count(">"), "{trace}");
}

#[test]
fn dropped_at_every_poll() {
    hush_injected_panics();
    for end in [End::Well, End::Fails, End::Panics] {
        let polls = block_on(drop_sweep_and(
            |ledger| caught(nested(ledger.clone(), end)),
            |ledger, _| check(ledger),
        ));
        assert!(polls > 12, "{polls}");
    }
    run(|rt: Manual| async move {
        drop_sweep(|ledger| {
            timeout(
                &rt,
                Duration::from_secs(9),
                nested(ledger.clone(), End::Well),
            )
        })
        .await;
    });
}

#[test]
fn cancelled_at_every_poll() {
    for polls in 0..30 {
        let ledger = Ledger::new();
        let signal = async {
            yield_times(polls).await;
            Reason::Requested("enough")
        };
        let _ = block_on(until(signal, nested(ledger.clone(), End::Well)));
        assert_eq!(ledger.live(), 0, "{}", ledger.trace());
        ledger.check();
        check(&ledger);
    }
}

/// Meets a fault before and after its yield.
#[scope]
async fn faulty(ledger: Ledger, name: &'static str) -> Result<(), Injected> {
    ledger.point(&format!("before {name}"))?;
    yield_now().await;
    let outcome = yield_!();
    yield_now().await;
    let ended = ledger.point(&format!("after {name}"));
    ledger.say(format!("{name} after {outcome}"));
    ended
}

#[test]
fn every_fault_is_found_again() {
    let runs = block_on(fault_sweep(|ledger| {
        let ledger = ledger.clone();
        async move {
            let outer = faulty(ledger.clone(), "a").with(async |()| {
                let inner = faulty(ledger.clone(), "b");
                let inner = inner.with(async |()| Ok::<_, withal::Report>(ledger.point("body")?));
                inner.await
            });
            outer.await
        }
    }));
    assert!(runs > 20, "{runs}");
}

/// Borrows, and is run where it is.
#[scope(yields = Open<Traced>, local)]
async fn borrowing(ledger: &Ledger) -> Result<(), Injected> {
    yield_now().await;
    let open = ledger.scope("a").yields(1).open().await?;
    ledger.say("<");
    let outcome = yield_!(open);
    yield_now().await;
    ledger.say(">");
    open.close(&outcome).await?;
    Ok(())
}

#[test]
fn a_local_one_is_cancelled_at_every_poll() {
    let mut ended = 0;
    for polls in 0..20 {
        let ledger = Ledger::new();
        let signal = async {
            yield_times(polls).await;
            Reason::Requested("enough")
        };
        let body = async |_: &mut _| Ok::<_, Injected>(yield_times(2).await);
        let run = block_on(until(signal, with_local(borrowing(&ledger), body)));
        ended += usize::from(run.is_ok());
        ledger.check();
        check(&ledger);
    }
    assert!((1..18).contains(&ended), "{ended}");
}

#[scope(yields = u8, local)]
async fn local() -> Result<(), Injected> {
    yield_!(1);
    Ok(())
}

/// A hard drop of a local one skips its exit, and names the function.
#[test]
fn a_local_one_is_named_when_it_is_skipped() {
    let lost = LostErrors::listen();
    let run = with_local(local(), async |_| {
        Ok::<(), Injected>(std::future::pending().await)
    });
    assert!(block_on(cut_after(1, run)).is_none());
    let told = lost.containing("exit of `local`");
    assert_eq!(told.len(), 1, "{told:?}");
}
