//! What a close owes to its resource, and when scopes of time begin and end.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use withal_core::{
    CancelHandle, Or, Outcome, Reason, Runtime, ScopeError, ScopeExt, acquire, task_group, timeout,
    until,
};

use crate::cut::{caught, cut_after, poll_once, yield_times};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, Ledger, ok};
use crate::lost::LostErrors;

const SOON: Duration = Duration::from_millis(1);

/// What is open until it is dropped.
struct Resource(Arc<AtomicUsize>);

impl Resource {
    fn open(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// `AsyncResource.aclose`: a close that fails, panics or is overdue has let go of the resource all the same. "Not graceful" is never "not closed".
pub async fn aclose_that_fails<R: Runtime>(rt: R) {
    hush_injected_panics();
    let _hushed = LostErrors::listen();
    let open = Arc::new(AtomicUsize::new(0));
    let opened = || {
        let resource = Resource::open(&open);
        acquire(async move || ok(resource))
    };
    let is_open = || open.load(Ordering::SeqCst);
    let fails = opened().release(async |_open, _| {
        yield_times(1).await;
        Err::<(), _>(Injected("not graceful".to_owned()))
    });
    assert!(fails.with(async |_| ok(())).await.is_err());
    assert_eq!(is_open(), 0);
    let panics = opened().release(async |_open, _| -> Result<(), Injected> {
        yield_times(1).await;
        panic!("injected panic: not graceful")
    });
    let message = caught(panics.with(async |_| ok(()))).await.unwrap_err();
    assert_eq!((&*message, is_open()), ("injected panic: not graceful", 0));
    let hangs = || opened().release(async |_open, _| ok(pending::<()>().await));
    let overdue = hangs().exit_within(&rt, SOON);
    let ended = overdue.with_report(async |_| ok(())).await;
    assert!(matches!(ended, Err(ScopeError::Exit(Or::B(_)))));
    assert_eq!(is_open(), 0);
    // Nor is it lost when nobody waits for it any more.
    let overdue = hangs().exit_within(&rt, SOON);
    let ended = cut_after(1, overdue.using(async |_| pending::<()>().await));
    assert!(ended.await.is_none());
    while is_open() > 0 {
        rt.sleep(SOON).await;
    }
}

/// `aclose_forcefully`: a close that may not wait is polled once; what needs no more than that is closed, and the rest is dropped.
pub async fn aclose_forcefully<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let quick = ledger.scope("a").exit_within(&rt, Duration::ZERO);
    assert!(quick.with_report(async |_| ok(())).await.is_ok());
    let slow = ledger.scope("b").exit_hangs();
    let slow = slow.exit_within(&rt, Duration::ZERO);
    let ended = slow.with_report(async |_| ok(())).await;
    assert!(matches!(ended, Err(ScopeError::Exit(Or::B(_)))));
    assert_eq!(ledger.trace(), "+a ~a -a +b ~b !b");
}

/// The recipe for blocking clean-up: cancelled, it has its time all the same, and no more than that.
pub async fn cleanup_with_a_timeout_and_a_shield<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (timer, log) = (rt.clone(), ledger.clone());
    let scope = acquire(async || ok(())).release(async move |(), outcome: Outcome<'_>| {
        log.say(outcome.to_string());
        let quick = timeout(&timer, 1000 * SOON, yield_times(3)).await;
        let slow = timeout(&timer, SOON, pending::<()>()).await;
        log.say(format!("{} {}", quick.is_ok(), slow.is_err()));
        ok(())
    });
    let body = scope.using(async |()| pending::<()>().await);
    assert!(timeout(&rt, SOON, body).await.is_err());
    assert_eq!(ledger.trace(), "cancelled: the time was up true true");
}

/// `trivial_yields`: a nursery with nothing to wait for waits for nothing, and is not cancelled either.
pub async fn trivial_yields<R: Runtime>(rt: R) {
    let mut empty = Box::pin(task_group(&rt, async |_| ok(7)));
    assert!(poll_once(&mut empty).await.is_ready());
    let handle = CancelHandle::new();
    handle.cancel("enough");
    let empty = until(handle.cancelled(), task_group(&rt, async |_| ok(7)));
    assert_eq!(empty.await.ok().and_then(Result::ok), Some(7));
}

/// `basic_timeout`: a deadline that comes when its body has ended does nothing.
pub async fn basic_timeout<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let body = ledger.scope("a").using(async |_| {
        let mut in_time = Box::pin(timeout(&rt, SOON, async { 7 }));
        assert!(poll_once(&mut in_time).await.is_ready());
        rt.sleep(3 * SOON).await;
    });
    assert_eq!(body.await, Ok(()));
    assert_eq!(ledger.outcome("a").as_deref(), Some("success"));
}

/// Says when it is dropped.
struct Local(Ledger);

impl Drop for Local {
    fn drop(&mut self) {
        self.0.say("local");
    }
}

/// `locals_destroyed_promptly_on_cancel`: what a cancelled body or task holds is dropped before the exits around it, and before anybody hears that it has ended.
pub async fn locals_destroyed_promptly_on_cancel<R: Runtime>(rt: R) {
    let holds = |ledger: Ledger| async move {
        let inside = ledger.clone();
        let scope = ledger.scope("a").exit_yields(2);
        let body = scope.using(async move |_| {
            let _local = Local(inside);
            pending::<()>().await;
        });
        body.await
    };
    let ledger = Ledger::new();
    let signal = async {
        yield_times(2).await;
        Reason::Requested("enough")
    };
    assert!(until(signal, holds(ledger.clone())).await.is_err());
    assert_eq!(ledger.trace(), "+a local ~a -a");
    let ledger = Ledger::new();
    let group = task_group(&rt, async |group| {
        let task = group.spawn(holds(ledger.clone()));
        while ledger.entered() == 0 {
            yield_times(1).await;
        }
        task.cancel("enough");
        assert!(task.await.is_err());
        assert_eq!(ledger.trace(), "+a local ~a -a");
        ok(())
    });
    assert!(group.await.is_ok());
}
