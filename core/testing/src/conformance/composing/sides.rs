//! Two scopes side by side: joined, or racing.

use futures::channel::oneshot;
use withal_core::{Or, Runtime, ScopeError, ScopeExt, acquire, join, join_all, race};

use crate::ledger::{Injected, Ledger, ok};

use super::DROPPED;

/// Joined scopes enter at the same time and exit at the same time: each side waits for the other to have come as far.
pub async fn side_by_side<R: Runtime>(_: R) {
    let handshake = || {
        let (a, is_a) = oneshot::channel::<()>();
        let (b, is_b) = oneshot::channel::<()>();
        [(a, is_b), (b, is_a)]
    };
    let scopes = || {
        let (enters, exits) = (handshake(), handshake());
        let mut pairs = enters.into_iter().zip(exits);
        [(); 2].map(|()| {
            let ((here, there), (gone, is_gone)) = pairs.next().unwrap();
            acquire(async move || {
                let _ = here.send(());
                there.await.map_err(|_| Injected("alone".to_owned()))
            })
            .release(async move |(), _| {
                let _ = gone.send(());
                is_gone.await.map_err(|_| Injected("alone".to_owned()))
            })
        })
    };
    let [a, b] = scopes();
    assert_eq!(join(a, b).with(async |_| ok(7)).await, Ok(7));
    assert_eq!(join_all(scopes()).with(async |_| ok(7)).await, Ok(7));
    assert_eq!(
        join_all(Vec::from(scopes())).with(async |_| ok(7)).await,
        Ok(7)
    );
}

/// One side of a join cannot be entered: the other is released, and sees why.
pub async fn a_side_that_fails<R: Runtime>(_: R) {
    const WHY: Option<&str> = Some("failure: injected error: enter b");
    // It had entered.
    let ledger = Ledger::new();
    let failing = ledger.scope("b").yields(2).enter_fails();
    let failed = join(ledger.scope("a").yields(1), failing).with_report(async |_| ok(()));
    let error = Injected("enter b".to_owned());
    assert_eq!(failed.await, Err(ScopeError::Enter(Or::B(error.clone()))));
    assert_eq!(ledger.trace(), "+a ~a -a");
    assert_eq!(ledger.outcome("a").as_deref(), WHY);
    // It was entering; a part of it had entered.
    let ledger = Ledger::new();
    let failing = ledger.scope("b").yields(3).enter_fails();
    let slow = (
        ledger.scope("a").yields(1),
        ledger.scope("c").enter_yields(9),
    );
    let failed = join(slow, failing).with_report(async |_| ok(()));
    assert_eq!(failed.await, Err(ScopeError::Enter(Or::B(error))));
    assert_eq!(ledger.trace(), "+a ~a -a");
    // It was entering and must not be cut: it is driven to its end, and exited, before the join fails.
    let ledger = Ledger::new();
    let failing = ledger.scope("b").yields(1).enter_fails();
    let slow = ledger.scope("a").yields(5).protected();
    assert!(join(slow, failing).with(async |_| ok(())).await.is_err());
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// The loser of a race is released without the body having to wait for it.
pub async fn the_loser_of_a_race<R: Runtime>(_: R) {
    for yields in [0, 1, 5] {
        let ledger = Ledger::new();
        let ended = ledger.scope("o").using(async |_| {
            let slow = (ledger.scope("a"), ledger.scope("b").enter_yields(9));
            let slow = slow.view_as(|(a, _)| a);
            let fast = ledger.scope("w").enter_yields(yields);
            race(slow, fast)
                .with(async |winner| ok(winner.name().to_owned()))
                .await
        });
        assert_eq!(ended.await, Ok(Ok("w".to_owned())));
        assert_eq!(ledger.outcome("a").as_deref(), Some(DROPPED));
        assert_eq!(ledger.outcome("w").as_deref(), Some("success"));
        assert_eq!((ledger.entered(), ledger.live()), (3, 0));
        assert!(ledger.trace().ends_with("~o -o"));
    }
}
