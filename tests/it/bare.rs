//! With no feature: everything of core is at the root, and runs on any executor.

use std::time::Duration;

use withal::{Launch, ScopeExt, Timer, null, timeout};
use withal_testing::{Ledger, Manual};

use crate::program;

#[test]
fn the_program_is_the_same_on_the_manual_runtime() {
    program::check(&Manual::new());
}

#[test]
fn scopes_run_on_an_executor_of_any_kind() {
    let ledger = Ledger::new();
    let ended = futures::executor::block_on(ledger.scope("a").yields(2).using(async |_| 7));
    assert_eq!(ended, Ok(7));
    ledger.check();
}

#[test]
fn functions_and_methods_are_at_the_root() {
    let rt = Manual::new();
    rt.block_on(async {
        let Ok(doubled) = withal::using(null(21), async |n| *n * 2).await;
        assert_eq!(doubled, 42);
        assert_eq!(
            timeout(&rt, Duration::from_secs(1), async { 1 }).await.ok(),
            Some(1)
        );
        assert_eq!(rt.now(), Duration::ZERO);
    });
}
