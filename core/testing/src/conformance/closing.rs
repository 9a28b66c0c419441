//! What a canceller that is closing leaves alone, and what becomes of the things that it has heard when it is dropped itself.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::join;
use futures::stream::{FuturesUnordered, StreamExt};
use withal_core::{
    BoxScope, Kind, Open, Outcome, Propagate, Reason, Runtime, Scope, ScopeError, ScopeExt, Task,
    acquire, timeout, until,
};

use crate::cut::{caught, cut_after, poll_once, yield_now, yield_times};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, Ledger, Traced, ok};
use crate::lost::LostErrors;

const SOON: Duration = Duration::from_millis(1);

async fn after(polls: usize) -> Reason {
    yield_times(polls).await;
    Reason::Requested("enough")
}

/// A shared future that was started outside: one who has no patience does not cut it for the others.
pub async fn a_shared_future<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let (go, gate) = oneshot::channel();
    let scope = ledger.scope("shared").exit_yields(2);
    let shared = scope.using(async move |_| gate.await).boxed().shared();
    let mut patient = shared.clone();
    assert!(poll_once(&mut patient).await.is_pending());
    assert!(until(after(3), shared).await.is_err());
    assert_eq!(ledger.trace(), "+shared");
    assert_eq!(go.send(7), Ok(()));
    assert_eq!(patient.await, Ok(Ok(7)));
    assert_eq!(ledger.outcome("shared").as_deref(), Some("success"));
}

/// Tasks that are polled inside of a body, but live outside: not let in while the canceller is closing, they go on afterwards.
pub async fn tasks_that_live_outside<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let closing = AtomicBool::new(false);
    let mut tasks: FuturesUnordered<_> = (0..3)
        .map(|_| async {
            while !closing.load(Ordering::Relaxed) {
                yield_now().await;
            }
            let scope = ledger.scope("task").yields(1);
            assert_eq!(scope.using(async |_| yield_now().await).await, Ok(()));
        })
        .collect();
    let signal = async {
        let reason = after(4).await;
        closing.store(true, Ordering::Relaxed);
        reason
    };
    let body = ledger.scope("body").exit_yields(3).using(async |_| {
        while tasks.next().await.is_some() {}
        pending::<()>().await;
    });
    assert!(until(signal, body).await.is_err());
    assert_eq!(ledger.entered(), 1, "nothing is entered while closing");
    // The set polls only those that are woken.
    while tasks.next().await.is_some() {}
    ledger.check();
    assert_eq!(ledger.entered(), 4);
}

/// A future that was started elsewhere and moved into a canceller is inside: it is released when the canceller returns.
pub async fn a_half_run_future_that_was_moved_in<R: Runtime>(_: R) {
    let started = |ledger: &Ledger| {
        let scope = ledger.scope("a").exit_yields(3);
        Box::pin(async move { scope.using(async |_| pending::<()>().await).await })
    };
    let ledger = Ledger::new();
    let mut body = started(&ledger);
    assert!(poll_once(&mut body).await.is_pending());
    assert!(until(after(2), body).await.is_err());
    assert_eq!(ledger.trace(), "+a ~a -a");
    assert_eq!(ledger.outcome("a").as_deref(), Some("cancelled: enough"));
    let ledger = Ledger::new();
    let mut inner = started(&ledger);
    assert!(poll_once(&mut inner).await.is_pending());
    let body = ledger.scope("o").using(async move |_| inner.await);
    assert!(until(after(2), body).await.is_err());
    assert_eq!(ledger.trace(), "+a +o ~a -a ~o -o");
}

/// The exit of somebody else's scope that happens to be polled inside does not hold up the canceller.
pub async fn an_exit_of_somebody_else<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let (go, gate) = gated();
    let mut task = Task::new(async move {
        let _ = gate.using(async |()| ()).await;
    });
    let (go_on, gate) = gated();
    let mut plain = Box::pin(gate.using(async |()| ()));
    assert!(poll_once(&mut plain).await.is_pending());
    let mine = ledger.scope("mine").exit_yields(3);
    let body = mine.using(async |_| join(&mut task, &mut plain).await);
    assert!(until(after(3), body).await.is_err());
    assert_eq!(ledger.outcome("mine").as_deref(), Some("cancelled: enough"));
    assert_eq!((go.send(()), go_on.send(())), (Ok(()), Ok(())));
    let (_, ended) = join(task, plain).await;
    assert_eq!(ended, Ok(()));
}

/// A scope whose exit waits until it may go on.
fn gated() -> (oneshot::Sender<()>, BoxScope<(), Injected>) {
    let (go, gate) = oneshot::channel::<()>();
    let scope = acquire(async || ok(())).release(async move |(), _| ok(gate.await.unwrap_or(())));
    (go, scope.boxed())
}

/// What a canceller has heard is not lost when it is dropped, nor when an outer one overtakes it.
pub async fn what_was_heard_is_told<R: Runtime>(rt: R) {
    let body = |ledger: &Ledger, name: &str| {
        let outer = ledger.scope("slow").exit_yields(5);
        let inner = ledger.scope(name).exit_fails();
        async move {
            let body = async |_: &mut _| inner.with(async |_| ok(pending::<()>().await)).await;
            outer.with(body).await
        }
    };
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let cut = until(after(1), body(&ledger, "heard.dropped"));
    assert!(cut_after(3, cut).await.is_none());
    ledger.settled().await;
    assert_eq!(lost.containing("exit heard.dropped").len(), 1);
    // Overtaken by the grace of an outer one, it is the outer one's to tell.
    let ledger = Ledger::new();
    let (go, hanging) = gated();
    let inner = ledger.scope("heard.overtaken").exit_fails();
    let body = hanging.with(async |()| inner.with(async |_| ok(pending::<()>().await)).await);
    let outer = timeout(&rt, 3 * SOON, until(after(1), body)).grace(SOON);
    let elapsed = outer.await.unwrap_err();
    let failed = elapsed
        .exits()
        .iter()
        .find(|exit| exit.kind() == Kind::Failed);
    let failed = failed.and_then(|exit| exit.downcast_ref::<Injected>());
    assert_eq!(failed, Some(&Injected("exit heard.overtaken".to_owned())));
    assert_eq!(go.send(()), Ok(()));
}

/// The same for every moment of the signal and every moment of the drop: each exit that has failed is told of, once.
pub async fn every_failed_exit_is_told<R: Runtime>(rt: R) {
    let lost = LostErrors::listen();
    for polls in 0..8 {
        for cut in 0..20 {
            let ledger = Ledger::new();
            let name = |scope: &str| format!("sweep.{}.{polls}.{cut}.{scope}", R::NAME);
            let scope = |scope: &str| ledger.scope(name(scope)).yields(1).exit_fails();
            let body = scope("a").with(async |a| {
                let inner = scope("b").inside(a);
                inner.with(async |_| ok(pending::<()>().await)).await
            });
            let whole = timeout(&rt, Duration::MAX, until(after(polls), body));
            let told = match cut_after(cut, whole).eagerly().await {
                Some(ended) => format!("{ended:?}"),
                None => String::new(),
            };
            ledger.settled().await;
            ledger.check();
            for scope in ["a", "b"].map(name) {
                let failed = ledger.trace().matches(&format!("!{scope}")).count();
                let exit = format!("exit {scope}");
                while told.matches(&exit).count() + lost.containing(&exit).len() < failed {
                    yield_now().await;
                }
                let heard = told.matches(&exit).count() + lost.containing(&exit).len();
                assert_eq!(heard, failed, "{exit}: {told}");
            }
        }
    }
}

/// The panic of a body whose canceller is dropped while it finishes the body's orphans.
pub async fn a_panic_that_was_put_down<R: Runtime>(_: R) {
    hush_injected_panics();
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let body = async {
        let orphan = ledger.scope("o").exit_yields(5);
        let _ = cut_after(1, orphan.using(async |_| pending::<()>().await)).await;
        panic!("injected panic: put down");
    };
    let cut = until(pending::<Reason>(), body.map(|()| ()));
    assert!(caught(cut_after(2, cut)).await.is_ok());
    ledger.settled().await;
    assert_eq!(lost.containing("injected panic: put down").len(), 1);
}

/// A canceller that was made of a half-run future and is dropped before it runs.
pub async fn a_canceller_that_never_ran<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ledger.scope("outer").using(async |outer| {
        let inner = ledger.scope("inner").inside(outer).exit_yields(3);
        let mut inner = Box::pin(inner.using(async |_| pending::<()>().await));
        assert!(poll_once(&mut inner).await.is_pending());
        drop(until(pending::<Reason>(), inner));
    });
    assert_eq!(ended.await, Ok(()));
    assert_eq!(ledger.trace(), "+outer +inner ~inner -inner ~outer -outer");
}

/// An exit that was in time, although what it has left behind is not: its own error counts.
pub async fn an_exit_that_was_in_time<R: Runtime>(rt: R) {
    let (go, gate) = oneshot::channel::<()>();
    let scope = acquire(async || ok(())).release(async move |(), _| {
        let left =
            acquire(async || ok(())).release(async move |(), _| ok(gate.await.unwrap_or(())));
        let _ = cut_after(1, left.using(async |()| pending::<()>().await)).await;
        Err::<(), _>(Injected("in time".to_owned()))
    });
    let ended = scope
        .exit_within(&rt, SOON)
        .with_report(async |()| ok(()))
        .await;
    let Err(ScopeError::Exit(error)) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(error.to_string(), "injected error: in time");
    // What it has left behind goes on at its home.
    assert_eq!(go.send(()), Ok(()));
}

/// A service that closes what it holds with its own outcome, under a timeout that is not ours.
struct Service(Traced);

impl Scope for Service {
    type Guard = Open<Traced>;
    type Error = Injected;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Open<Traced>, Injected> {
        self.0.open().await
    }

    async fn exit(guard: Open<Traced>, outcome: Outcome<'_>) -> Result<Propagate, Injected> {
        let _ = cut_after(2, guard.close(outcome)).eagerly().await;
        Ok(Propagate)
    }
}

/// A close that was lent the body's error does not keep it when everything around is overdue.
pub async fn a_close_that_hangs_with_an_error<R: Runtime>(rt: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let error = Injected("mine".to_owned());
    let hanging = ledger.scope("held").exit_hangs();
    let service = Service(hanging).exit_within(&rt, SOON);
    let ended = service
        .with_report(async |_| Err::<(), _>(error.clone()))
        .await;
    assert_eq!(ended.unwrap_err().body(), Some(&error));
    assert!(!lost.containing("has not ended in its time").is_empty());
    ledger.check();
    // One that ends is waited for.
    let slow = ledger.scope("slow").exit_yields(6);
    let ended = Service(slow)
        .with(async |_| Err::<(), _>(error.clone()))
        .await;
    assert_eq!(ended, Err(error));
    ledger.check();
}
