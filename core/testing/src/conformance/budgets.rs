//! Budgets: what exits are told of their time.

use std::future::{Future, pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::FusedFuture;
use withal_core::{
    Backoff, ExitStack, Outcome, Report, Runtime, ScopeExt, Task, acquire, forced, forcefully,
    is_forced, isolated, releasing, time_left, timeout,
};

use crate::cut::{caught, cut_after, poll_once, yield_now, yield_times};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, ok};
use crate::lost::LostErrors;

const SOON: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(1 << 20);
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// A scope whose exit is `exit`.
pub(super) fn exiting<F>(
    exit: impl FnOnce() -> F + Send + 'static,
) -> impl withal_core::Member<
    Held: 'static,
    Part = (),
    View = (),
    Rest: 'static,
    Error = Injected,
    Verdict = withal_core::Propagate,
>
where
    F: Future<Output = ()> + Send + 'static,
{
    acquire(async || ok(())).release(async move |(), _: Outcome<'_>| {
        exit().await;
        ok(())
    })
}

/// Whether so much is left, or a little less.
fn about(time: Duration) -> bool {
    time_left().is_some_and(|left| left <= time && left > time / 2) && !is_forced()
}

/// Outside of an exit nothing bounds and nobody is forced, whatever is around.
pub async fn outside_of_an_exit<R: Runtime>(rt: R) {
    let outside = async || {
        assert_eq!(time_left(), None);
        assert!(!is_forced());
        assert!(poll_once(&mut forced()).await.is_pending());
    };
    outside().await;
    let scope = exiting(|| async { assert!(about(LONG)) }).exit_within(&rt, LONG);
    let ended = scope.using(async |()| outside().await);
    assert!(timeout(&rt, FOREVER, ended).grace(LONG).await.is_ok());
    // A body that is being closed is none either; an exit inside of it is.
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    let body = async {
        let inside = exiting(|| async {
            assert!(about(LONG));
            yield_times(3).await;
        });
        let inside = inside.using(async |()| pending::<()>().await);
        let beside = std::future::poll_fn(move |cx| {
            counted.fetch_add(1, Ordering::Relaxed);
            assert_eq!((time_left(), is_forced()), (None, false));
            cx.waker().wake_by_ref();
            std::task::Poll::<()>::Pending
        });
        futures::future::join(inside, beside).await
    };
    let at_once = timeout(&rt, Duration::ZERO, body);
    assert!(at_once.grace(LONG).await.is_err());
    assert!(polls.load(Ordering::Relaxed) >= 4);
    // Nor is an exit that nobody will stop.
    let ended = exiting(|| async { assert_eq!(time_left(), None) });
    assert_eq!(ended.using(async |()| ()).await, Ok(()));
    outside().await;
}

/// Every budget is told, at the first poll and later.
pub async fn of_every_kind<R: Runtime>(rt: R) {
    let told = || async {
        assert!(about(LONG), "{:?}", time_left());
        yield_now().await;
        assert!(about(LONG), "{:?}", time_left());
    };
    let scope = exiting(told).exit_within(&rt, LONG);
    assert!(scope.using(async |()| ()).await.is_ok());
    for stack in [
        ExitStack::new().within(&rt, LONG),
        ExitStack::new().each_within(&rt, LONG),
        ExitStack::new().within(&rt, LONG).concurrent(2),
        ExitStack::new().each_within(&rt, LONG).concurrent(2),
        ExitStack::new().each_within(&rt, LONG).within(&rt, FOREVER),
        ExitStack::new().each_within(&rt, FOREVER).within(&rt, LONG),
    ] {
        let filled = stack.with(async |stack| {
            drop(stack.enter(exiting(told)).await?);
            stack.defer(told);
            stack.callback(|| assert!(about(LONG)));
            let child = stack.group(2);
            child.defer(told);
            child.callback(|| assert!(about(LONG)));
            Ok::<_, Report>(())
        });
        filled.await.expect("all of them end");
    }
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = attempts.clone();
    let scope = releasing(&rt, (), async move |(), _| {
        counted.fetch_add(1, Ordering::Relaxed);
        told().await;
        Err::<(), _>(Injected("again".to_owned()))
    });
    let scope = scope
        .within(LONG)
        .retry(Backoff::times(1).starting_at(SOON));
    let scope = scope.or_else(async |(), _| {
        assert_eq!(time_left(), None);
        ok(())
    });
    let _lost = LostErrors::listen();
    assert!(scope.using(async |()| ()).await.is_ok());
    assert_eq!(attempts.load(Ordering::Relaxed), 2);
    let body = exiting(told).using(async |()| pending::<()>().await);
    assert!(timeout(&rt, SOON, body).grace(LONG).await.is_err());
    // An orphan of a body that has ended, which the canceller finishes.
    let body = async {
        let timer = rt.clone();
        let orphan = exiting(move || async move {
            while time_left().is_none() {
                timer.sleep(SOON).await;
            }
            assert!(about(LONG));
        });
        drop(cut_after(1, orphan.using(async |()| pending::<()>().await)).await);
    };
    assert!(timeout(&rt, SOON, body).grace(LONG).await.is_ok());
}

/// The least of all that are around counts; inside of an inner one also when it is the outer one.
pub async fn the_least_of_all<R: Runtime>(rt: R) {
    for (outer, inner, least) in [(FOREVER, LONG, LONG), (LONG, FOREVER, LONG)] {
        let timer = rt.clone();
        let scope = exiting(move || async move {
            assert!(about(outer));
            let nested = exiting(move || async move {
                assert!(about(least));
                yield_now().await;
                assert!(about(least));
            });
            let nested = nested.exit_within(&timer, inner);
            assert!(nested.using(async |()| assert!(about(outer))).await.is_ok());
            assert!(about(outer));
        });
        let scope = scope.exit_within(&rt, outer);
        let body = async {
            let _ = scope.using(async |()| pending::<()>().await).await;
        };
        // A grace around both, which is longer.
        assert!(timeout(&rt, SOON, body).grace(2 * FOREVER).await.is_err());
    }
    // A canceller inside of an exit: its body sees the exit's, the exits inside see the least.
    for grace in [None, Some(LONG)] {
        let timer = rt.clone();
        let scope = exiting(move || async move {
            let inside = async {
                let least = grace.unwrap_or(FOREVER);
                let nested = exiting(move || async move { assert!(about(least)) });
                let beside = std::future::poll_fn(|_| {
                    assert!(about(FOREVER));
                    std::task::Poll::<()>::Pending
                });
                let nested = nested.using(async |()| pending::<()>().await);
                futures::future::join(nested, beside).await
            };
            let inside = timeout(&timer, SOON, inside);
            match grace {
                Some(grace) => assert!(inside.grace(grace).await.is_err()),
                None => assert!(inside.await.is_err()),
            }
        });
        let scope = scope.exit_within(&rt, FOREVER);
        assert!(scope.using(async |()| ()).await.is_ok());
    }
}

/// Isolated sections and tasks are not inside, wherever they run.
pub async fn hidden<R: Runtime>(_: R) {
    let scope = exiting(|| async {
        assert!(is_forced());
        isolated(|| assert_eq!((time_left(), is_forced()), (None, false)));
        let mut task = Task::new(async {
            assert_eq!((time_left(), is_forced()), (None, false));
            let inside = exiting(|| async { assert!(!is_forced()) });
            assert_eq!(inside.using(async |()| ()).await, Ok(()));
        });
        assert!(poll_once(&mut task).await.is_ready());
        assert!(is_forced());
    });
    let ended = forcefully(async { scope.using(async |()| ()).await });
    assert_eq!(ended.await, Ok(()));
}

/// A shared executor inside of a canceller has nothing to do with its grace.
pub async fn somebody_else<R: Runtime>(rt: R) {
    let (go, gate) = oneshot::channel::<()>();
    let scope = exiting(|| ready(()));
    let body = async move |_: &mut ()| {
        let _ = gate.await;
        let inner = exiting(|| async {
            yield_now().await;
            assert_eq!((time_left(), is_forced()), (None, false));
        });
        assert_eq!(inner.using(async |()| yield_now().await).await, Ok(()));
    };
    let mut theirs = Box::pin(scope.using(body).fuse());
    assert!(poll_once(&mut theirs).await.is_pending());
    let beside = exiting(|| async {
        assert!(about(LONG));
        yield_times(6).await;
    });
    let beside = beside.using(async |()| pending::<()>().await);
    let mut go = Some(go);
    let body = async {
        let theirs = async {
            std::future::poll_fn(|cx| {
                if let Some(go) = go.take() {
                    let _ = go.send(());
                }
                theirs.as_mut().poll(cx)
            })
            .await
        };
        futures::future::join(theirs, beside).await
    };
    let _ = timeout(&rt, Duration::ZERO, body).grace(LONG).await;
    if !theirs.is_terminated() {
        assert_eq!(theirs.await, Ok(()));
    }
}

/// A panic in an exit takes its budget off, in the poll of a future and in a callback.
pub async fn after_a_panic<R: Runtime>(rt: R) {
    hush_injected_panics();
    let scope = exiting(|| async { panic!("injected panic: exit") });
    let ended = caught(scope.exit_within(&rt, LONG).using(async |()| ()));
    assert!(ended.await.is_err());
    assert_eq!(time_left(), None);
    let stack = ExitStack::new().within(&rt, LONG);
    stack.callback(|| -> () { panic!("injected panic: callback") });
    assert!(caught(stack.close(Outcome::Success)).await.is_err());
    assert_eq!(time_left(), None);
    let ended = caught(forcefully(async { panic!("injected panic: body") }));
    assert!(ended.await.is_err());
    assert!(!is_forced());
    let timer = rt.clone();
    let scope = exiting(move || async move {
        let nested = exiting(|| async { panic!("injected panic: nested") });
        let nested = nested.exit_within(&timer, LONG).using(async |()| ());
        assert!(caught(nested).await.is_err());
        assert!(about(FOREVER));
    });
    let scope = scope.exit_within(&rt, FOREVER);
    assert!(scope.using(async |()| ()).await.is_ok());
}
