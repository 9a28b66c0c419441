//! The entries of a stack are in the inventory, and a stack that is dropped unclosed is a leak.

use withal_core::inspect::{Leak, leaks};
use withal_core::{ExitStack, Outcome, Phase, Report, ScopeExt, drained, null};
use withal_testing::{Ledger, block_on};

use crate::inventory::{outline, phase};

/// How often something that the source line made was left unclosed.
fn leaked(line: u32) -> u64 {
    let here = |leak: &Leak| leak.location().file() == file!() && leak.location().line() == line;
    leaks()
        .iter()
        .find(|leak| here(leak))
        .map_or(0, Leak::count)
}

#[test]
fn entries_are_inside_of_where_they_were_entered() {
    let closed = block_on(null(()).named("filled").using(async |()| {
        let stack = ExitStack::new();
        let Ok(_) = stack.enter(null(()).named("entry one")).await;
        let Ok(two) = stack.enter(null(()).named("entry two")).await;
        let _ = stack.push(3, async |_, _| {
            assert_eq!(phase("entry one"), Some(Phase::Body));
        });
        assert_eq!(outline("filled"), "filled(entry one entry two push)");
        two.close().await?;
        assert_eq!(outline("filled"), "filled(entry one push)");
        let taken = stack.take();
        drop(stack);
        assert_eq!(outline("filled"), "filled(entry one push)");
        taken.close(Outcome::Success).await?;
        assert_eq!(outline("filled"), "filled");
        Ok::<_, Report>(())
    }));
    let Ok(closed) = closed;
    closed.unwrap();
}

#[test]
fn an_entry_is_there_until_its_exit_has_ended() {
    let ledger = Ledger::new();
    block_on(async {
        let stack = ExitStack::new();
        let slow = ledger.scope("a").exit_yields(1).named("slow entry");
        assert!(stack.enter(slow).await.is_ok());
        let mut closing = Box::pin(stack.close(Outcome::Success));
        assert!(withal_testing::poll_once(&mut closing).await.is_pending());
        assert_eq!(phase("slow entry"), Some(Phase::Exit));
        drop(closing);
        assert_eq!(phase("slow entry"), Some(Phase::Exit));
        ledger.settled().await;
    });
    assert_eq!(phase("slow entry"), None);
    ledger.check();
}

#[test]
fn a_stack_that_is_dropped_unclosed_names_its_line() {
    let mut line = 0;
    block_on(async {
        for filled in [true, false, true] {
            line = line!() + 1;
            let stack = ExitStack::new();
            if filled {
                stack.callback(|| ());
            }
            drop(stack);
        }
        let closed = ExitStack::with(async |stack| {
            stack.callback(|| ());
            Ok::<_, Report>(())
        });
        closed.await.unwrap();
        drained().await;
    });
    assert_eq!(leaked(line), 2);
}

#[test]
fn a_lease_that_is_forgotten_names_its_line() {
    let mut line = 0;
    let failed = block_on(ExitStack::with(async |stack| {
        line = line!() + 1;
        let Ok(lease) = stack.enter(null(1).named("forgotten lease")).await;
        std::mem::forget(lease);
        Ok::<_, Report>(())
    }));
    assert!(failed.is_err());
    assert_eq!(leaked(line), 1);
}
