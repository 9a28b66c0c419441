//! Shields and groups, one inside of the other.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::channel::oneshot;
use futures::future::join;
use futures::stream::{FuturesUnordered, StreamExt};
use withal_core::{CancelHandle, Runtime, shield, task_group, until};

use crate::conformance::grouping::{entered, holds};
use crate::cut::yield_times;
use crate::ledger::{Ledger, ok};

/// `cancel_child_task_when_host_is_shielded`: tasks are cancelled at once, by their group and by a canceller around it, although the host is in a shield; it may even wait for them there.
pub async fn cancel_child_task_when_host_is_shielded<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let by_the_group = task_group(&rt, async |group| {
        let child = group.spawn(holds(ledger.clone(), "a"));
        entered(&ledger, 1).await;
        group.cancel("enough");
        let ended = shield(child).await;
        Ok::<_, String>(ended.is_err())
    });
    assert_eq!(by_the_group.await.ok(), Some(true));
    assert_eq!(ledger.outcome("a").as_deref(), Some("cancelled: enough"));
    let handle = CancelHandle::new();
    let from_outside = task_group(&rt, async |group| {
        let child = group.spawn(holds(ledger.clone(), "b"));
        entered(&ledger, 2).await;
        handle.cancel("from outside");
        assert!(shield(child).await.is_err());
        ledger.say("after");
        pending::<Result<(), String>>().await
    });
    assert!(until(handle.cancelled(), from_outside).await.is_err());
    assert_eq!(
        ledger.outcome("b").as_deref(),
        Some("cancelled: from outside")
    );
    assert!(
        ledger.trace().ends_with("~b -b after"),
        "{}",
        ledger.trace()
    );
    ledger.check();
}

/// `triple_nested_shield`: cancellers and shields by turns, all cancelled in the innermost step: each of them tells when what it shields has ended.
pub async fn triple_nested_shield<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let handles = [(); 3].map(|()| CancelHandle::new());
    let all = handles.clone();
    let log = ledger.clone();
    let mut inner: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        yield_times(1).await;
        all.iter().for_each(|handle| handle.cancel("enough"));
        yield_times(3).await;
        log.say("step");
    });
    for (depth, handle) in handles.into_iter().enumerate() {
        let log = ledger.clone();
        inner = Box::pin(async move {
            let body = async {
                shield(inner).await;
                log.say(format!("after {depth}"));
                yield_times(3).await;
                log.say("too much");
            };
            assert!(until(handle.cancelled(), body).await.is_err());
        });
    }
    inner.await;
    assert_eq!(ledger.trace(), "step after 0 after 1 after 2");
}

/// `no_spin_on_done_task`, `cancel_with_nested_task_groups`: groups in groups that are cancelled and wait for a shield poll nothing that was not woken.
pub async fn no_spin_on_done_task<R: Runtime>(rt: R) {
    let (begun, has_begun) = oneshot::channel();
    let (go, mut gate) = oneshot::channel::<()>();
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    let leaf = async move {
        let _ = begun.send(());
        let step = poll_fn(move |cx| {
            counted.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut gate).poll(cx).map(drop)
        });
        shield(step).await;
        ok(pending::<()>().await)
    };
    let handle = CancelHandle::new();
    let groups = task_group(&rt, async |outer| {
        let rt = rt.clone();
        outer.spawn(async move {
            let inner = task_group(&rt, async move |inner| {
                inner.spawn(leaf);
                inner.spawn(async { ok(()) });
                ok(())
            });
            inner.await.map_err(|error| unreachable!("{error}"))
        });
        ok(())
    });
    let mut whole = Box::pin(until(handle.cancelled(), groups));
    let around = AtomicUsize::new(0);
    let whole = poll_fn(|cx| {
        around.fetch_add(1, Ordering::Relaxed);
        whole.as_mut().poll(cx)
    });
    // A set polls only who was woken, however often it is polled itself.
    let mut set: FuturesUnordered<_> = [whole].into_iter().collect();
    let opened = async {
        assert!(has_begun.await.is_ok());
        yield_times(20).await;
        handle.cancel("enough");
        yield_times(100).await;
        go.send(()).is_ok()
    };
    let (ended, opened) = join(set.next(), opened).await;
    assert!(opened && ended.is_some_and(|ended| ended.is_err()));
    assert!(around.load(Ordering::Relaxed) <= 6, "{around:?}");
    assert!(polls.load(Ordering::Relaxed) <= 6, "{polls:?}");
}
