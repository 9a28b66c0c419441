//! Handles by themselves: who is woken, what is left behind, and that no tree is too deep.

use std::future::{pending, ready};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use withal_core::{CancelHandle, CancelSignal, Reason, cancellable, until};
use withal_testing::block_on;

const WHY: Reason = Reason::Requested("enough");

/// How many children and waiting tasks a handle knows.
fn listeners(handle: &CancelHandle) -> usize {
    let text = format!("{handle:?}");
    let number = text.rsplit("listeners: ").next();
    let number = number.and_then(|rest| rest.trim_end_matches(" }").parse().ok());
    number.expect("it is the last field")
}

/// Counts how often it is woken, and looks at its handle each time, and when it is dropped: it would deadlock under a lock.
struct Nosy {
    handle: CancelHandle,
    woken: AtomicUsize,
}

impl Nosy {
    fn new(handle: &CancelHandle) -> Arc<Self> {
        Arc::new(Self {
            handle: handle.clone(),
            woken: AtomicUsize::new(0),
        })
    }

    fn look(&self) {
        let child = self.handle.child();
        assert_eq!(child.is_cancelled(), self.handle.is_cancelled());
        assert!(listeners(&self.handle) < usize::MAX);
    }
}

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        assert!(self.handle.is_cancelled());
        self.handle.cancel("too late");
        self.woken.fetch_add(1, Ordering::Relaxed);
        self.look();
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.look();
    }
}

fn poll(signal: &mut CancelSignal, waker: &Arc<Nosy>) -> Poll<Reason> {
    let waker = Waker::from(waker.clone());
    pin!(signal).poll(&mut Context::from_waker(&waker))
}

#[test]
fn who_waits_is_woken_once() {
    let handle = CancelHandle::new();
    let child = handle.child();
    let nosy = Nosy::new(&handle);
    let (mut one, mut other) = (handle.cancelled(), child.cancelled());
    for _ in 0..3 {
        assert!(poll(&mut one, &nosy).is_pending());
        assert!(poll(&mut other, &nosy).is_pending());
    }
    assert_eq!((listeners(&handle), listeners(&child)), (2, 1));
    handle.cancel("enough");
    handle.cancel_with(Reason::Shutdown);
    assert_eq!(nosy.woken.load(Ordering::Relaxed), 2);
    assert_eq!((listeners(&handle), listeners(&child)), (0, 0));
    for _ in 0..2 {
        assert_eq!(poll(&mut one, &nosy), Poll::Ready(WHY));
        assert_eq!(poll(&mut other, &nosy), Poll::Ready(WHY));
    }
}

#[test]
fn a_signal_that_is_dropped_leaves_nothing() {
    let handle = CancelHandle::new();
    let nosy = Nosy::new(&handle);
    for _ in 0..1000 {
        let mut signal = handle.cancelled();
        assert!(poll(&mut signal, &nosy).is_pending());
        assert_eq!((listeners(&handle), Arc::strong_count(&nosy)), (1, 2));
    }
    assert_eq!((listeners(&handle), Arc::strong_count(&nosy)), (0, 1));
    // One that moves to another task forgets the first.
    let mut signal = handle.cancelled();
    for _ in 0..3 {
        let passing = Nosy::new(&handle);
        assert!(poll(&mut signal, &passing).is_pending());
        let gone = Arc::downgrade(&passing);
        drop(passing);
        assert_eq!(gone.strong_count(), 1);
        assert!(poll(&mut signal, &nosy).is_pending());
        assert_eq!(gone.strong_count(), 0);
    }
    assert_eq!(listeners(&handle), 1);
    drop(signal);
    // Nor does a canceller that has ended.
    block_on(async {
        for _ in 0..3 {
            assert!(until(handle.cancelled(), ready(1)).await.is_ok());
            assert!(
                until(ready(WHY), until(handle.cancelled(), pending::<()>()))
                    .await
                    .is_err()
            );
        }
    });
    assert_eq!(listeners(&handle), 0);
}

#[test]
fn children_that_are_dropped_leave_nothing() {
    let handle = CancelHandle::new();
    let kept = handle.child();
    for number in 0..1_000_000 {
        let child = handle.child();
        // Some have children themselves, which outlive them.
        let grandchild = (number % 3 == 0).then(|| child.child());
        drop(child);
        assert!(listeners(&handle) <= 2);
        drop(grandchild);
    }
    assert_eq!(listeners(&handle), 1);
    drop(kept);
    let many: Vec<_> = (0..1_000_000).map(|_| handle.child()).collect();
    handle.cancel("enough");
    assert!(many.iter().all(|child| child.reason() == Some(WHY)));
    assert_eq!(listeners(&handle), 0);
}

#[test]
fn a_handle_between_may_be_dropped() {
    let root = CancelHandle::new();
    let leaf = root.child().child().child();
    assert_eq!(listeners(&root), 1);
    root.cancel("enough");
    assert_eq!(leaf.reason(), Some(WHY));
}

#[test]
fn the_first_reason_counts_for_each() {
    let root = CancelHandle::default();
    let (one, other) = (root.child(), root.child());
    let below = one.child();
    one.cancel_with(Reason::LeaseLost);
    assert!(!root.is_cancelled() && !other.is_cancelled());
    root.cancel("enough");
    let reasons = [&root, &one, &below, &other].map(CancelHandle::reason);
    let lost = Some(Reason::LeaseLost);
    assert_eq!(reasons, [Some(WHY), lost, lost, Some(WHY)]);
}

#[test]
fn chains_are_of_any_length() {
    const LINKS: usize = 100_000;
    let chain = |root: &CancelHandle| (0..LINKS).fold(root.child(), |last, _| last.child());
    let all = |root: &CancelHandle| -> Vec<CancelHandle> {
        let mut all = vec![root.child()];
        for link in 0..LINKS {
            all.push(all[link].child());
        }
        all
    };
    // Where recursion would overflow at once.
    let small = thread::Builder::new().stack_size(64 * 1024);
    let ended = small.spawn(move || {
        let root = CancelHandle::new();
        drop(chain(&root));
        assert_eq!(listeners(&root), 0);
        let leaf = chain(&root);
        drop(root);
        drop(leaf);
        let root = CancelHandle::new();
        all(&root).into_iter().for_each(drop);
        all(&root).into_iter().rev().for_each(drop);
        assert_eq!(listeners(&root), 0);
        let (leaf, links) = (chain(&root), all(&root));
        root.cancel("enough");
        assert_eq!(leaf.reason(), Some(WHY));
        assert!(links.iter().all(CancelHandle::is_cancelled));
    });
    assert!(ended.expect("a thread").join().is_ok());
}

/// Threads that make children, wait, drop and cancel all at once: everybody hears of it, and all of the same reason.
#[test]
fn many_threads() {
    const REASONS: [Reason; 4] = [WHY, Reason::Shutdown, Reason::LeaseLost, Reason::Timeout];
    for round in 0..200 {
        let root = CancelHandle::new();
        let barrier = Barrier::new(REASONS.len() * 2);
        let reasons = thread::scope(|scope| {
            let cancel = |reason| {
                barrier.wait();
                root.cancel_with(reason);
            };
            let wait = |number: usize| {
                barrier.wait();
                let children: Vec<_> = (0..number * 10).map(|_| root.child()).collect();
                let signals: Vec<_> = children.iter().map(CancelHandle::cancelled).collect();
                drop(children);
                let last = root.child().child().cancelled();
                block_on(async move {
                    let mut reasons = vec![last.await];
                    for signal in signals.into_iter().skip(round % 3) {
                        reasons.push(signal.await);
                    }
                    reasons
                })
            };
            for reason in REASONS {
                scope.spawn(move || cancel(reason));
            }
            let waiting: Vec<_> = (0..REASONS.len())
                .map(|number| scope.spawn(move || wait(number)))
                .collect();
            let ended = waiting.into_iter().map(|thread| thread.join().unwrap());
            ended.flatten().collect::<Vec<_>>()
        });
        let first = root.reason().expect("it is cancelled");
        assert!(reasons.iter().all(|reason| *reason == first), "{reasons:?}");
        assert_eq!(listeners(&root), 0);
    }
}

#[test]
fn a_guard_cancels_unless_it_is_disarmed() {
    let handle = CancelHandle::new();
    let guard = handle.child().cancel_on_drop();
    assert!(!guard.disarm().is_cancelled());
    drop(handle.clone().cancel_on_drop());
    assert_eq!(
        handle.reason(),
        Some(Reason::Requested("its guard was dropped"))
    );
    // Also when a panic drops it.
    let handle = CancelHandle::new();
    let guard = handle.clone().cancel_on_drop();
    let panicking = thread::spawn(move || {
        let _guard = guard;
        std::panic::resume_unwind(Box::new("hush"));
    });
    assert!(panicking.join().is_err());
    assert!(handle.is_cancelled());
}

/// A closure that is no async one will do, and the future has a name, and a grace.
#[test]
fn cancellable_is_an_until() {
    fn named() -> withal_core::Until<CancelSignal, std::future::Ready<bool>> {
        cancellable(|handle| ready(handle.is_cancelled()))
    }
    assert_eq!(block_on(named()).ok(), Some(false));
    let stopped = cancellable(async |handle| {
        handle.cancel("enough");
        pending::<()>().await;
    });
    let stopped = block_on(stopped.grace(ready(())));
    assert_eq!(stopped.unwrap_err().cancelled().reason, WHY);
}
