//! Futurelock: what was polled for a while and is then kept, and polled no more, hangs no cancellation around it.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::lock::Mutex;
use withal_core::{
    CancelHandle, ExitStack, Outcome, Reason, Runtime, ScopeExt, acquire, shield, task_group,
    timeout, until,
};

use crate::conformance::dropping::{check_outcomes, three};
use crate::conformance::grouping::holds;
use crate::cut::yield_times;
use crate::ledger::{Injected, Ledger, ok};

const SOON: Duration = Duration::from_millis(1);
const FOREVER: Duration = Duration::from_secs(1 << 30);
const ABC: [&str; 3] = ["a", "b", "c"];
const REQUESTED: &str = "cancelled: enough";

async fn after(polls: usize) -> Reason {
    yield_times(polls).await;
    Reason::Requested("enough")
}

/// Polls `future` so many times, and then keeps it and never polls it again.
async fn park(polls: usize, future: impl Future) {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        let ended = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        if ended {
            break;
        }
        yield_times(1).await;
    }
    pending::<()>().await;
}

/// A program that is parked by the body of a scope, under a canceller and at every poll: all that was open in it has been released when the canceller returns.
async fn parked<F: Future>(program: impl Fn(&Ledger) -> F, check: impl Fn(&Ledger)) {
    for polls in 1..18 {
        let ledger = Ledger::new();
        let around = ledger.scope("around").yields(1);
        let body = around.using(async |_| park(polls, program(&ledger)).await);
        let ended = until(after(2 * polls + 4), body).await;
        assert!(ended.is_err());
        let trace = ledger.trace();
        assert_eq!(ledger.live(), 0, "{trace}");
        assert!(trace.ends_with("~around -around"), "{trace}");
        ledger.check();
        check(&ledger);
    }
}

/// A scope, in its enter, its body and its exit.
pub async fn a_parked_scope<R: Runtime>(_: R) {
    parked(
        |ledger| three(ledger.clone()),
        |ledger| check_outcomes(ledger, &ABC, REQUESTED),
    )
    .await;
}

/// A shield: it is run to its end before the canceller returns.
pub async fn a_parked_shield<R: Runtime>(_: R) {
    parked(
        |ledger| shield(three(ledger.clone())),
        |ledger| check_outcomes(ledger, &ABC, "none of them is cut"),
    )
    .await;
}

/// Cancellers of their own: none of them strikes when it is not polled, and the one around them does.
pub async fn a_parked_canceller<R: Runtime>(rt: R) {
    let handle = CancelHandle::new();
    handle.cancel("too late");
    let nest = |ledger: &Ledger| {
        let inner = timeout(&rt, FOREVER, three(ledger.clone()));
        async { until(pending(), inner).await.is_ok() }
    };
    parked(nest, |ledger| check_outcomes(ledger, &ABC, REQUESTED)).await;
    let struck = |ledger: &Ledger| until(handle.cancelled(), three(ledger.clone()));
    parked(struck, |_| {}).await;
}

/// The close of a stack, and a stack that nobody closes.
pub async fn a_parked_stack<R: Runtime>(_: R) {
    let stack = |close: bool| {
        move |ledger: &Ledger| {
            let ledger = ledger.clone();
            async move {
                let stack = ExitStack::new();
                for name in ABC {
                    let _ = stack.enter(ledger.scope(name).yields(1)).await;
                }
                if close {
                    let _ = stack.close(Outcome::Success).await;
                }
                pending::<()>().await;
            }
        }
    };
    parked(stack(true), |_| {}).await;
    parked(stack(false), |_| {}).await;
}

/// A group: its tasks, which run by themselves, are cancelled, and have ended when the canceller returns.
pub async fn a_parked_group<R: Runtime>(rt: R) {
    let group = |ledger: &Ledger| {
        let (rt, ledger) = (rt.clone(), ledger.clone());
        async move {
            let group = task_group(&rt, async |group| {
                group.spawn(holds(ledger.clone(), "a"));
                let _ = group.spawn(holds(ledger.clone(), "b")).await;
                holds(ledger.clone(), "c").await
            });
            group.await.is_ok()
        }
    };
    parked(group, |_| {}).await;
}

/// One that was given a lock and is not polled to give it back: whoever waits for that is cut, with a deadline around both.
pub async fn a_lock_between<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let lock = Arc::new(Mutex::new(()));
    let stuck = async {
        let owner = ledger.scope("owner").yields(1);
        let mut owner: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async {
            let ended = owner.using(async |_| {
                let _mine = lock.lock().await;
                pending::<()>().await;
            });
            let _ = ended.await;
        });
        for _ in 0..3 {
            poll_fn(|cx| Poll::Ready(owner.as_mut().poll(cx).is_pending())).await;
        }
        assert!(lock.try_lock().is_none());
        let waits = ledger.scope("waits").yields(1);
        waits.using(async |_| drop(lock.lock().await)).await
    };
    assert!(timeout(&rt, SOON, stuck).await.is_err());
    assert!(lock.try_lock().is_some());
    assert_eq!((ledger.entered(), ledger.live()), (2, 0));
    ledger.check();
}

/// The same if it is an exit that waits for the lock, which no canceller cuts: a grace lets go of both, and both end.
pub async fn a_lock_between_and_an_exit<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let lock = Arc::new(Mutex::new(()));
    let around = ledger.scope("around").using(async |_| {
        let stuck = async {
            let held = lock.clone();
            let owner = ledger.scope("owner").yields(1);
            let mut owner = Box::pin(async move {
                let body = async |_: &mut _| {
                    let _mine = held.lock().await;
                    pending::<()>().await;
                };
                owner.using(body).await
            });
            for _ in 0..3 {
                poll_fn(|cx| Poll::Ready(owner.as_mut().poll(cx).is_pending())).await;
            }
            let (wanted, log) = (lock.clone(), ledger.clone());
            let waits = acquire(async || ok(())).release(async move |(), _| {
                drop(wanted.lock().await);
                log.say("released");
                Ok::<_, Injected>(())
            });
            waits.using(async |()| ()).await
        };
        let elapsed = timeout(&rt, SOON, stuck).grace(SOON).await.unwrap_err();
        assert!(elapsed.overdue().count() >= 1);
    });
    assert_eq!(around.await, Ok(()));
    assert!(ledger.trace().contains("released"), "{}", ledger.trace());
    assert!(ledger.trace().ends_with("~around -around"));
    ledger.check();
}
