//! The harness bites: a broken way to run a scope makes it fail.

use std::time::Duration;

use withal_core::{Launch, ScopeExt, Timer};
use withal_testing::{
    Ledger, Manual, block_on, caught, drop_sweep, fault_sweep, with_leaky, yield_times,
};

#[test]
fn the_drop_sweep_finds_a_lost_exit() {
    let message = block_on(caught(drop_sweep(|ledger| {
        let scope = ledger.scope("leaky").yields(1);
        async move { with_leaky(scope, async |_| yield_times(2).await).await }
    })))
    .expect_err("the sweep must fail");
    assert!(
        message.contains("I1: 1 of 1 scopes were not exited"),
        "{message}"
    );
}

#[test]
fn the_ledger_finds_a_wrong_order() {
    let ledger = Ledger::new();
    block_on(async {
        let outer = ledger.scope("outer").open().await.unwrap();
        let inner = ledger.scope("inner").inside(&outer).open().await.unwrap();
        outer.close(withal_core::Outcome::Success).await.unwrap();
        inner.close(withal_core::Outcome::Success).await.unwrap();
    });
    assert_eq!(
        ledger.violations(),
        ["I2: outer exits before 1 that it has inside"]
    );
}

#[test]
fn the_fault_sweep_finds_a_swallowed_error() {
    let message = block_on(caught(fault_sweep(|ledger| {
        let scope = ledger.scope("a");
        async move {
            let _swallowed = scope.using(async |_| ()).await;
            Ok(())
        }
    })))
    .expect_err("the sweep must fail");
    assert!(message.contains("was swallowed"), "{message}");
}

#[test]
fn the_manual_clock_moves_only_when_all_wait() {
    let rt = Manual::new();
    rt.block_on(async {
        yield_times(1000).await;
        assert_eq!(rt.now(), Duration::ZERO);
        rt.sleep(Duration::from_secs(3600)).await;
        assert_eq!(rt.now(), Duration::from_secs(3600));
        rt.advance(Duration::from_secs(1));
        assert_eq!(rt.now(), Duration::from_secs(3601));
    });
}

#[test]
fn the_manual_clock_ends_sleeps_in_order() {
    let manual = Manual::new();
    let rt = manual.runtime();
    let order = std::sync::Mutex::new(Vec::new());
    let sleep = |ms| {
        let (rt, order) = (rt.clone(), &order);
        async move {
            rt.sleep(Duration::from_millis(ms)).await;
            order.lock().unwrap().push(ms);
        }
    };
    manual.block_on(async {
        futures::join!(sleep(30), sleep(10), sleep(20));
    });
    assert_eq!(*order.lock().unwrap(), [10, 20, 30]);
}
