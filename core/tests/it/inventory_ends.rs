//! A scope is in the inventory until its exit has ended, and no longer.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use withal_core::inspect::{OpenScope, inventory};
use withal_core::{Never, Phase, Reason, ScopeExt, drained, null, until, with_local};
use withal_testing::{Injected, Ledger, block_on, cut_after, drop_sweep, poll_once, yield_now};

use crate::child::{is_child, stderr_of};
use crate::inventory::{outline, phase};
use crate::sample::Sample;

#[test]
fn whatever_ends_a_scope_ends_its_entry() {
    block_on(async {
        let failed = Sample::new(1).enter_fails(Injected("enter".to_owned()));
        assert!(failed.named("ends").using(async |_| ()).await.is_err());
        let fails = Sample::new(1).exit_fails(Injected("exit".to_owned()));
        let failed = fails
            .named("ends")
            .with(async |_| Err::<(), _>(Injected("body".to_owned())));
        assert!(failed.await.is_err());
        let panics = null(()).named("ends").using(async |()| panic!("injected"));
        assert!(withal_testing::caught(panics).await.is_err());
        let cut = until(async { Reason::Timeout }, async {
            let Ok(()) = null(())
                .named("ends")
                .using(async |()| pending().await)
                .await;
        });
        assert!(cut.await.is_err());
        let local = with_local(Sample::<Never>::new(1), async |_| {
            let at = |scope: &OpenScope<'_>| scope.location().line() == line!() - 1;
            Ok::<_, Infallible>(inventory().scopes().any(|scope| at(&scope)))
        });
        local.await.unwrap();
        assert_eq!(outline("ends"), "");
    });
}

#[test]
fn orphans_stay_with_their_tree_until_their_exits_have_ended() {
    let ledger = Ledger::new();
    block_on(async {
        let tree = ledger
            .scope("outer")
            .yields(1)
            .named("lost")
            .using(async |_| {
                let inner = ledger.scope("inner").yields(2).named("inner");
                inner.using(async |_| pending::<()>().await).await
            });
        let none = cut_after(5, tree).eagerly().await;
        assert!(none.is_none());
        // The home of this executor has both, and has not started on them.
        assert_eq!(outline("lost"), "lost(inner)");
        let open = inventory();
        for scope in open
            .scopes()
            .filter(|scope| ["lost", "inner"].contains(&scope.name()))
        {
            assert!(scope.is_orphan());
            assert_eq!(scope.phase(), Phase::Exit);
            assert!(scope.to_string().ends_with(", orphaned"), "{scope}");
        }
        ledger.settled().await;
    });
    assert_eq!(outline("lost"), "");
    ledger.check();
}

#[test]
fn an_adopted_orphan_stays_inside_of_its_adopter() {
    let ledger = Ledger::new();
    block_on(async {
        let around = null(()).named("adopts").using(async |()| {
            let lost = ledger.scope("lost").exit_yields(3).named("adopted");
            let lost = lost.using(async |_| pending::<()>().await);
            assert!(cut_after(1, lost).await.is_none());
            yield_now().await;
            assert_eq!(outline("adopts"), "adopts(adopted)");
            assert_eq!(phase("adopted"), Some(Phase::Exit));
        });
        let Ok(()) = around.await;
    });
    assert_eq!(phase("adopted"), None);
    ledger.check();
}

#[test]
fn an_enter_that_is_rescued_has_an_entry() {
    let ledger = Ledger::new();
    block_on(async {
        let scope = ledger.scope("begin").enter_yields(2).exit_yields(1);
        let begin = scope.named("rescued").protected();
        let begin = begin.using(async |_| ());
        assert!(cut_after(1, begin).await.is_none());
        assert_eq!(phase("rescued"), Some(Phase::Exit));
        ledger.settled().await;
    });
    assert_eq!(phase("rescued"), None);
    ledger.check();
}

#[test]
fn what_a_cut_composite_has_entered_has_an_entry() {
    let ledger = Ledger::new();
    block_on(async {
        let first = ledger.scope("first").exit_yields(2).named("first");
        let second = ledger.scope("second").enter_yields(9).named("second");
        let both = (first, second).using(async |_| ());
        assert!(cut_after(2, both).await.is_none());
        assert_eq!(phase("(first, second)"), Some(Phase::Exit));
        ledger.settled().await;
    });
    assert_eq!(phase("(first, second)"), None);
    ledger.check();
}

#[test]
fn a_forgotten_future_stays_with_its_age() {
    block_on(async {
        let Ok(()) = null(())
            .named("around the forgotten")
            .using(async |()| {
                // Not a root: those are waited for by every drain, and so for ever.
                let scope = null(()).named("forgotten");
                let mut future = Box::pin(scope.using(async |()| pending::<()>().await));
                assert!(poll_once(&mut future).await.is_pending());
                std::mem::forget(future);
            })
            .await;
    });
    let open = inventory();
    let mut old = open.older_than(Duration::ZERO);
    let forgotten = old.find(|scope| scope.name() == "forgotten").unwrap();
    assert_eq!(forgotten.phase(), Phase::Body);
    assert!(forgotten.parent().is_none());
    assert_eq!(forgotten.location().file(), file!());
}

#[test]
fn wherever_a_future_is_dropped_nothing_stays_behind() {
    block_on(drop_sweep(|ledger| {
        let ledger = ledger.clone();
        async move {
            let outer = ledger.scope("a").yields(1).named("swept");
            outer
                .with(async |a| {
                    let inner = ledger.scope("b").inside(a).yields(1).protected();
                    let inner = inner.named("swept").using(async |_| yield_now().await);
                    inner.await
                })
                .await
        }
    }));
    assert_eq!(outline("swept"), "");
}

#[test]
fn after_a_drain_the_inventory_is_empty() {
    if is_child() {
        block_on(async {
            let ledger = Ledger::new();
            let lost = ledger
                .scope("a")
                .yields(3)
                .using(async |_| pending::<()>().await);
            assert!(cut_after(4, lost).eagerly().await.is_none());
            assert_eq!(inventory().len(), 1);
            drained().await;
        });
        assert!(inventory().is_empty());
        eprintln!("{}", inventory());
        return;
    }
    let said = stderr_of("inventory_ends::after_a_drain_the_inventory_is_empty");
    assert!(said.contains("no scope is open"), "{said}");
}
