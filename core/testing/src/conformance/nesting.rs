//! Cancellers inside of cancellers: which of them tells its caller, and what.

use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::join;
use withal_core::{
    CancelHandle, CancelSignal, Reason, Runtime, ScopeExt, Timer, acquire, move_on_after, timeout,
    until,
};

use crate::cut::yield_times;
use crate::drop_sweep::drop_sweep;
use crate::ledger::{Ledger, ok};

const LIMIT: Duration = Duration::from_secs(1);
const WHY: Reason = Reason::Requested("enough");

/// The two ways to cancel, which are to be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Elapsed,
    Cancelled,
}

const WAYS: [(Way, Way); 4] = [
    (Way::Elapsed, Way::Elapsed),
    (Way::Elapsed, Way::Cancelled),
    (Way::Cancelled, Way::Elapsed),
    (Way::Cancelled, Way::Cancelled),
];

impl Way {
    /// Runs `body` until `handle` says so, and tells what the canceller has told.
    async fn run<F: Future>(self, handle: &CancelHandle, body: F) -> Result<F::Output, Self> {
        match self {
            Self::Elapsed => {
                let ended = timeout(&Alarm(handle.clone()), LIMIT, body).await;
                ended.map_err(|elapsed| {
                    assert!(elapsed.to_string().starts_with("the time of 1s was up"));
                    self
                })
            }
            Self::Cancelled => {
                let ended = until(handle.cancelled(), body).await;
                ended.map_err(|interrupted| {
                    assert_eq!(interrupted.cancelled().reason, WHY);
                    self
                })
            }
        }
    }
}

/// A timer whose time is up when its handle is cancelled: so two things happen in the same poll, on every runtime.
#[derive(Clone)]
struct Alarm(CancelHandle);

struct Ringing(CancelSignal);

impl Timer for Alarm {
    type Sleep = Ringing;

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep_until(&self, _: Duration) -> Ringing {
        Ringing(self.0.cancelled())
    }
}

impl Future for Ringing {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

/// An inner and an outer canceller around a scope that never ends by itself.
struct Nest {
    inner: CancelHandle,
    outer: CancelHandle,
    ledger: Ledger,
    exit_yields: usize,
}

impl Nest {
    fn new(exit_yields: usize) -> Self {
        Self {
            inner: CancelHandle::new(),
            outer: CancelHandle::new(),
            ledger: Ledger::new(),
            exit_yields,
        }
    }

    /// What the outer one has told, or else what the inner one has told to the body, which has then ended.
    async fn run(&self, (inner, outer): (Way, Way)) -> Result<Way, Way> {
        let body = async {
            let scope = self.ledger.scope("a").exit_yields(self.exit_yields);
            let stuck = scope.using(async |_| pending::<()>().await);
            let told = inner.run(&self.inner, stuck).await.map(drop);
            told.expect_err("it never ends by itself")
        };
        outer.run(&self.outer, body).await
    }

    /// What is told when `cancel` happens after so many polls.
    async fn told(
        &self,
        ways: (Way, Way),
        polls: usize,
        cancel: impl Fn(&Self),
    ) -> Result<Way, Way> {
        let cancel = async {
            yield_times(polls).await;
            cancel(self);
        };
        let (told, ()) = join(self.run(ways), cancel).await;
        assert_eq!(self.ledger.trace(), "+a ~a -a");
        told
    }
}

/// Calls `check` with every two ways, an exit that suspends or not, and every poll.
async fn every(check: impl AsyncFn((Way, Way), Nest, usize)) {
    for ways in WAYS {
        for exit_yields in [0, 2] {
            for polls in 0..5 {
                check(ways, Nest::new(exit_yields), polls).await;
            }
        }
    }
}

/// One of them alone: the inner one tells the body, the outer one its caller.
pub async fn each_alone<R: Runtime>(_: R) {
    every(async |ways, nest, polls| {
        let told = nest.told(ways, polls, |nest| nest.inner.cancel("enough"));
        assert_eq!(told.await, Ok(ways.0));
    })
    .await;
    every(async |ways, nest, polls| {
        let told = nest.told(ways, polls, |nest| nest.outer.cancel("enough"));
        assert_eq!(told.await, Err(ways.1));
    })
    .await;
}

/// trio's `cancel_scope_nesting`: of two that are cancelled in the same poll the outer one tells, in both orders.
///
/// So an outer cancelling is never swallowed by an inner timeout, and an outer timeout never by an inner cancelling.
pub async fn the_outer_one_wins<R: Runtime>(_: R) {
    every(async |ways, nest, polls| {
        let told = nest.told(ways, polls, |nest| {
            nest.inner.cancel("enough");
            nest.outer.cancel("enough");
        });
        assert_eq!(told.await, Err(ways.1));
    })
    .await;
    every(async |ways, nest, polls| {
        let told = nest.told(ways, polls, |nest| {
            nest.outer.cancel("enough");
            nest.inner.cancel("enough");
        });
        assert_eq!(told.await, Err(ways.1));
    })
    .await;
}

/// anyio's `cancelled_raises_beyond_origin_unshielded`: the outer one is cancelled while the inner one waits for an exit.
pub async fn the_outer_one_takes_over<R: Runtime>(_: R) {
    for ways in WAYS {
        for polls in 1..6 {
            let nest = Nest::new(2);
            let cancel = async {
                yield_times(1).await;
                nest.inner.cancel("enough");
                yield_times(polls).await;
                nest.outer.cancel("enough");
            };
            let (told, ()) = join(nest.run(ways), cancel).await;
            // The inner one is closing for three polls.
            let expected = if polls < 3 { Err(ways.1) } else { Ok(ways.0) };
            assert_eq!(told, expected, "{ways:?} {polls}");
            assert_eq!(nest.ledger.trace(), "+a ~a -a");
        }
    }
}

/// The same in a shield, which knows of the inner one only: that one tells, and the outer one tells afterwards.
pub async fn taking_over_ends_at_a_shield<R: Runtime>(_: R) {
    let (inner, outer) = (CancelHandle::new(), CancelHandle::new());
    let ledger = Ledger::new();
    let (signal, log) = (inner.cancelled(), ledger.clone());
    let body = async {
        let part = withal_core::shield(async move {
            let scope = log.scope("a").exit_yields(2);
            let ended = until(signal, scope.using(async |_| pending::<()>().await)).await;
            log.say(ended.map(drop).unwrap_err().to_string());
        });
        part.await;
        ledger.say("after");
        pending::<()>().await;
    };
    let cancel = async {
        yield_times(2).await;
        outer.cancel("the outer one");
        yield_times(1).await;
        inner.cancel("the inner one");
    };
    let (ended, ()) = join(until(outer.cancelled(), body), cancel).await;
    assert_eq!(ended.unwrap_err().to_string(), "cancelled: the outer one");
    assert_eq!(ledger.trace(), "+a ~a -a cancelled: the inner one after");
}

/// asyncio: of any number of timeouts with the same deadline only the topmost tells, and no `move_on_after` among them goes on.
pub async fn the_same_deadline<R: Runtime>(_: R) {
    let handle = CancelHandle::new();
    let alarm = Alarm(handle.clone());
    let ledger = Ledger::new();
    let body = async {
        let inner = async {
            let stuck = ledger.scope("a").using(async |_| pending::<()>().await);
            let _ = timeout(&alarm, LIMIT, stuck).await;
            ledger.say("the third");
        };
        move_on_after(&alarm, LIMIT, inner).await;
        ledger.say("the second");
    };
    let cancel = async {
        yield_times(1).await;
        handle.cancel("enough");
    };
    let (ended, ()) = join(timeout(&alarm, LIMIT, body), cancel).await;
    assert!(ended.is_err());
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// asyncio: the outer one still comes when the body has caught what the inner one has told.
pub async fn the_outer_one_comes_later<R: Runtime>(_: R) {
    for ways in WAYS {
        let (inner, outer) = (CancelHandle::new(), CancelHandle::new());
        let body = async {
            assert_eq!(ways.0.run(&inner, pending::<()>()).await, Err(ways.0));
            outer.cancel("enough");
            yield_times(5).await;
        };
        let cancel = async {
            yield_times(1).await;
            inner.cancel("enough");
        };
        let (told, ()) = join(ways.1.run(&outer, body), cancel).await;
        assert_eq!(told, Err(ways.1));
    }
}

/// Both from the start: the body takes its one step, in which the inner one may tell; the next await is cut by the outer one.
pub async fn both_from_the_start<R: Runtime>(_: R) {
    let handle = CancelHandle::new();
    handle.cancel("enough");
    for ways in WAYS {
        let ledger = Ledger::new();
        let body = async {
            let scope = ledger.scope("a").exit_yields(1);
            let _ = ways
                .0
                .run(&handle, scope.using(async |_| pending::<()>().await))
                .await;
            yield_times(5).await;
        };
        assert_eq!(ways.1.run(&handle, body).await, Err(ways.1));
        assert_eq!(ledger.trace(), "+a ~a -a");
    }
}

/// The exits that ran under the inner one are told by the one that tells.
pub async fn exits_are_told_by_the_outer_one<R: Runtime>(_: R) {
    let (go, gate) = oneshot::channel::<()>();
    let handle = CancelHandle::new();
    let ledger = Ledger::new();
    let body = async {
        let failing = ledger.scope("a").exit_fails().named("failing");
        let failing = failing.with(async |_| {
            yield_times(1).await;
            handle.cancel("enough");
            ok(pending::<()>().await)
        });
        // Its exit is overdue at once, and moves to the outer one, which has no more patience.
        let log = ledger.clone();
        let hanging = acquire(async || ok(gate)).release(async move |gate, _| {
            let _ = gate.await;
            log.say("hung");
            ok(())
        });
        let hanging = hanging.named("hanging");
        let hanging = hanging.with(async |_| ok(pending::<()>().await));
        let inner = until(handle.cancelled(), join(hanging, failing)).grace(async {});
        inner.await.is_ok()
    };
    let told = until(handle.cancelled(), body).grace(yield_times(2)).await;
    let interrupted = told.expect_err("it was cancelled");
    let named = |name| {
        let exits = interrupted.exits().iter();
        exits.filter(|exit| exit.scope() == Some(name)).count()
    };
    assert_eq!(named("failing"), 1, "{interrupted:?}");
    assert!(named("hanging") >= 1, "{interrupted:?}");
    assert!(go.send(()).is_ok());
    while !ledger.trace().contains("hung") {
        yield_times(1).await;
    }
}

/// Dropped hard at every poll, whichever of them is closing.
pub async fn dropped_at_every_poll<R: Runtime>(_: R) {
    for ways in WAYS {
        for polls in 1..6 {
            drop_sweep(|ledger| {
                let nest = Nest {
                    ledger: ledger.clone(),
                    ..Nest::new(2)
                };
                async move {
                    let cancel = async {
                        yield_times(2).await;
                        nest.inner.cancel("enough");
                        yield_times(polls).await;
                        nest.outer.cancel("enough");
                    };
                    join(nest.run(ways), cancel).await
                }
            })
            .await;
        }
    }
}
