//! Scopes that are entered when they are first used.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use withal_core::{Reason, ScopeExt, lazy, until};
use withal_testing::{Injected, Ledger, block_on, cut_after, drop_sweep, yield_times};

#[test]
fn entered_once_and_exited_at_the_end() {
    let ledger = Ledger::new();
    let made = ledger.clone();
    let scope = lazy(move || made.scope("a").yields(1));
    let ended = scope.with(async |lazy| {
        assert!(lazy.entered().is_none());
        ledger.say("body");
        assert_eq!(lazy.get().await?.name(), "a");
        assert_eq!(lazy.get().await?.name(), "a");
        assert_eq!(lazy.entered().unwrap().name(), "a");
        ledger.say("end");
        Ok::<_, Injected>(())
    });
    assert_eq!(block_on(ended), Ok(()));
    assert_eq!(ledger.trace(), "body +a end ~a -a");
    ledger.check();
}

#[test]
fn never_used_it_is_never_made() {
    let scope = lazy(|| -> withal_testing::Traced { panic!("nobody wants it") });
    assert_eq!(block_on(scope.with(async |_| Ok::<_, Injected>(7))), Ok(7));
}

#[test]
fn after_a_failed_use_the_next_tries_again() {
    let ledger = Ledger::new();
    let made = ledger.clone();
    let tries = Arc::new(AtomicUsize::new(0));
    let count = tries.clone();
    let scope = lazy(move || match count.fetch_add(1, Ordering::Relaxed) {
        0 => made.scope("a").enter_fails(),
        1 => made.scope("a").enter_yields(3),
        _ => made.scope("b"),
    });
    let ended = scope.with(async |lazy| {
        assert_eq!(
            lazy.get().await.unwrap_err(),
            Injected("enter a".to_owned())
        );
        // This one is cut, and so is nothing.
        assert!(cut_after(1, lazy.get()).await.is_none());
        Ok::<_, Injected>(lazy.get().await?.name().to_owned())
    });
    assert_eq!(block_on(ended), Ok("b".to_owned()));
    assert_eq!(tries.load(Ordering::Relaxed), 3);
    assert_eq!(ledger.trace(), "+b ~b -b");
}

#[test]
fn the_exit_sees_how_the_body_has_ended_and_its_error_is_returned() {
    let ledger = Ledger::new();
    let made = ledger.clone();
    let scope = lazy(move || made.scope("a").exit_fails());
    let ended = scope.with(async |lazy| lazy.get().await.map(drop));
    assert_eq!(block_on(ended), Err(Injected("exit a".to_owned())));
    let made = ledger.clone();
    let scope = lazy(move || made.scope("b"));
    let failed = scope.with(async |lazy| {
        lazy.get().await?;
        Err::<(), _>(Injected("body".to_owned()))
    });
    assert!(block_on(failed).is_err());
    assert_eq!(
        ledger.outcome("b").unwrap(),
        "failure: injected error: body"
    );
}

#[test]
fn cut_at_every_poll() {
    let program = |ledger: &Ledger| {
        let made = ledger.clone();
        let pair = move || (made.scope("a").yields(1), made.scope("b").yields(1));
        async move {
            lazy(pair)
                .using(async |lazy| {
                    yield_times(1).await;
                    let entered = lazy.get().await.is_ok();
                    yield_times(1).await;
                    entered
                })
                .await
        }
    };
    assert!(block_on(drop_sweep(program)) >= 6);
    for polls in 0.. {
        let ledger = Ledger::new();
        let stop = async {
            yield_times(polls).await;
            Reason::Requested("enough")
        };
        let ended = block_on(until(stop, program(&ledger)));
        assert_eq!(ledger.live(), 0, "{}", ledger.trace());
        ledger.check();
        if ended.is_ok() {
            assert!(polls > 3);
            break;
        }
    }
}
