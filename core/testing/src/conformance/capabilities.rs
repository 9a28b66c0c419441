//! The capabilities of a runtime: timers, tasks, blocking work.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt};
use withal_core::{Runtime, Task};

use crate::cut::{caught, poll_once, yield_now};
use crate::faults::hush_injected_panics;

/// Sleeps run side by side, and none ends before its deadline.
pub async fn sleeps_end_in_time<R: Runtime>(rt: R) {
    let start = rt.now();
    let ended = join_all([30_u64, 10, 20].map(|ms| {
        let rt = rt.clone();
        async move {
            rt.sleep(Duration::from_millis(ms)).await;
            rt.now() - start >= Duration::from_millis(ms)
        }
    }));
    assert_eq!(ended.await, [true; 3]);
}

/// Those who sleep are woken in the order of their deadlines, also if the machine stalls and all of them have passed.
pub async fn sleeps_end_in_order<R: Runtime>(rt: R) {
    for unit in (1..).map(|step| step * Duration::from_millis(2)) {
        let start = rt.now();
        let sleeps = [3, 1, 2].map(|number| {
            let sleep = rt.sleep_until(start + number * unit);
            async move {
                sleep.await;
                number
            }
        });
        // It polls those that are woken, in their order.
        let mut sleeps: FuturesUnordered<_> = sleeps.into_iter().collect();
        let first = poll_once(&mut sleeps.next()).await;
        // Only what sleeps can be woken: it may have stalled before all of them did.
        if first.is_pending() && rt.now() < start + unit {
            assert_eq!(sleeps.collect::<Vec<_>>().await, [1, 2, 3]);
            return;
        }
    }
}

/// A deadline that has passed is over at once; one beyond the end of time is legal.
pub async fn extreme_deadlines<R: Runtime>(rt: R) {
    rt.sleep_until(Duration::ZERO).await;
    rt.sleep(Duration::ZERO).await;
    let mut never = Box::pin(rt.sleep_until(Duration::MAX));
    assert!(poll_once(&mut never).await.is_pending());
}

/// A task runs although nobody holds it, and its panic ends only itself.
pub async fn tasks_are_detached<R: Runtime>(rt: R) {
    hush_injected_panics();
    rt.spawn(Task::new(async { panic!("injected panic: task") }));
    let (done, is_done) = oneshot::channel();
    rt.spawn(Task::new(async move {
        let _ = done.send(());
    }));
    assert!(is_done.await.is_ok());
}

/// Tasks take turns: one that wakes itself again and again does not keep others from their first poll.
pub async fn tasks_take_turns<R: Runtime>(rt: R) {
    // More of them than there are threads, as a rule; and each gives up in the end.
    let (started, turns) = (Arc::new(AtomicBool::new(false)), 1_000_000);
    let busy = (0..64).map(|_| {
        let (started, (done, is_done)) = (started.clone(), oneshot::channel());
        rt.spawn(Task::new(async move {
            let mut left = turns;
            while left > 0 && !started.load(Ordering::Relaxed) {
                yield_now().await;
                left -= 1;
            }
            let _ = done.send(left > 0);
        }));
        is_done
    });
    let busy: Vec<_> = busy.collect();
    rt.spawn(Task::new(
        async move { started.store(true, Ordering::Relaxed) },
    ));
    assert_eq!(join_all(busy).await, vec![Ok(true); 64]);
}

/// Blocking work gives its value, runs to its end although its future is dropped, and passes its panic on.
pub async fn blocking_work<R: Runtime>(rt: R) {
    hush_injected_panics();
    assert_eq!(rt.unblock(|| 7).await, 7);
    let (done, is_done) = oneshot::channel();
    let mut waiting: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(rt.unblock(move || {
        let _ = done.send(());
    }));
    let _ = poll_once(&mut waiting).await;
    drop(waiting);
    assert!(is_done.await.is_ok());
    let (done, is_done) = oneshot::channel();
    drop(rt.unblock(move || done.send(())));
    assert!(is_done.await.is_ok(), "it starts with the call");
    let panic = caught(rt.unblock(|| panic!("injected panic: blocking"))).await;
    assert_eq!(panic, Err::<(), _>("injected panic: blocking".to_owned()));
}
