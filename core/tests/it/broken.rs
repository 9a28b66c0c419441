//! Foreign code that panics where a scope depends on it: the exit runs all the same.

use std::cell::Cell;
use std::time::Duration;

use withal_core::{Carried, Carrier, Outcome, ScopeExt, Timer, carry};
use withal_testing::{Ledger, LostErrors, block_on, hush_injected_panics};

/// A timer that has no runtime around it.
#[derive(Clone)]
struct Broken;

impl Timer for Broken {
    type Sleep = std::future::Ready<()>;

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep_until(&self, _: Duration) -> Self::Sleep {
        panic!("injected panic: no timer")
    }
}

#[test]
fn a_timer_that_panics_is_no_deadline() {
    hush_injected_panics();
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let scope = ledger.scope("a").exit_yields(3);
    let ended = block_on(
        scope
            .exit_within(&Broken, Duration::ZERO)
            .using(async |_| 7),
    );
    assert_eq!(ended.ok(), Some(7));
    assert_eq!(ledger.trace(), "+a ~a -a");
    assert_eq!(lost.containing("no timer").len(), 1);
}

thread_local! {
    static ARMED: Cell<bool> = const { Cell::new(false) };
}

struct Touchy;

impl Carrier for Touchy {
    fn pick_up(&self) -> Option<Box<dyn Carried>> {
        assert!(!ARMED.get(), "injected panic: nothing to carry");
        None
    }
}

#[test]
fn a_carrier_that_panics_carries_nothing() {
    hush_injected_panics();
    carry(Touchy);
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    ARMED.set(true);
    let ended = block_on(ledger.scope("a").using(async |_| 7));
    ARMED.set(false);
    assert_eq!(ended, Ok(7));
    assert_eq!(ledger.trace(), "+a ~a -a");
    assert_eq!(lost.containing("nothing to carry").len(), 1);
    let open = block_on(ledger.scope("b").open()).unwrap();
    block_on(open.close(Outcome::Success)).unwrap();
}
