//! Cancelling by handles: `CancelHandle` and `cancellable`.

use std::future::pending;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{join, join3};
use withal_core::{
    CancelHandle, Entry, Kind, Reason, Runtime, ScopeExt, Task, cancellable, timeout, until,
};

use crate::conformance::dropping::{check_outcomes, three};
use crate::cut::{cut_after, poll_once, yield_times};
use crate::drop_sweep::{drop_sweep, drop_sweep_and};
use crate::ledger::{Injected, Ledger, ok};

const FOREVER: Duration = Duration::from_secs(1 << 30);
const ENOUGH: Reason = Reason::Requested("enough");

/// `three` in a body that cancels itself after so many polls.
async fn cancelled_after(
    polls: usize,
    ledger: Ledger,
) -> Result<Result<(), Injected>, withal_core::Interrupted> {
    cancellable(async |handle| {
        let cancel = async {
            yield_times(polls).await;
            handle.cancel("enough");
        };
        join(three(ledger), cancel).await.0
    })
    .await
}

/// At every poll: nothing is open when it returns, and every exit knows the reason.
pub async fn at_every_poll<R: Runtime>(_: R) {
    for polls in 0..25 {
        let ledger = Ledger::new();
        let ended = cancelled_after(polls, ledger.clone()).await;
        assert_eq!(ledger.live(), 0, "{}", ledger.trace());
        ledger.check();
        check_outcomes(&ledger, &["a", "b", "c"], "cancelled: enough");
        match ended {
            Ok(value) => assert_eq!(value, Ok(())),
            Err(interrupted) => assert_eq!(interrupted.cancelled().reason, ENOUGH),
        }
    }
}

/// Dropped hard at every poll, before it is cancelled, while it is closing, and after that.
pub async fn dropped_at_every_poll<R: Runtime>(_: R) {
    for polls in 0..12 {
        drop_sweep(|ledger| cancelled_after(polls, ledger.clone())).await;
    }
    drop_sweep_and(
        |ledger| cancellable(|_| three(ledger.clone())),
        |ledger, _| {
            check_outcomes(
                ledger,
                &["a", "b", "c"],
                "cancelled: the future was dropped",
            );
        },
    )
    .await;
}

/// Signals that are dropped after any number of polls take nothing from the others that wait.
pub async fn signals_dropped_at_every_poll<R: Runtime>(_: R) {
    for polls in 0..6 {
        for at in 0..4 {
            let handle = CancelHandle::new();
            let cut = cut_after(polls, handle.cancelled()).eagerly();
            let cancel = async {
                yield_times(at).await;
                handle.cancel("enough");
            };
            let (cut, others, ()) = join3(
                cut,
                join(handle.cancelled(), handle.child().cancelled()),
                cancel,
            )
            .await;
            assert_eq!(others, (ENOUGH, ENOUGH));
            assert_eq!(cut, (polls > at + 1).then_some(ENOUGH), "{polls} {at}");
        }
    }
}

/// trio's `cancel_unbound`: a handle that was cancelled before the body began lets it take one step.
pub async fn cancel_before_entry<R: Runtime>(_: R) {
    let handle = CancelHandle::new();
    handle.cancel("enough");
    let ledger = Ledger::new();
    let body = ledger.scope("a").using(async |_| {
        ledger.say("a step");
        // (More than once: a body that can go on is not cut.)
        yield_times(2).await;
        ledger.say("another one");
    });
    let ended = until(handle.cancelled(), body).await;
    assert_eq!(ended.unwrap_err().cancelled().reason, ENOUGH);
    assert_eq!(ledger.trace(), "+a a step ~a -a");
    // A handle is no scope: it may be used again, and is still cancelled. A body that needs no more than a step has it.
    assert_eq!(until(handle.cancelled(), async { 1 }).await.ok(), Some(1));
    assert!(until(handle.cancelled(), pending::<()>()).await.is_err());
}

/// trio's `cancel_edge_cases`: the first reason counts, also for those who come later and for children; twice is once.
pub async fn cancel_is_idempotent<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let handle = CancelHandle::new();
    let body = ledger.scope("a").exit_yields(3).using(async |_| {
        handle.cancel("enough");
        handle.cancel("too much");
        pending::<()>().await;
    });
    let again = async {
        for _ in 0..6 {
            handle.cancel_with(Reason::Shutdown);
            yield_times(1).await;
        }
    };
    let (ended, ()) = join(until(handle.cancelled(), body), again).await;
    assert_eq!(ended.unwrap_err().cancelled().reason, ENOUGH);
    assert_eq!(ledger.trace(), "+a ~a -a");
    assert_eq!(ledger.outcome("a").as_deref(), Some("cancelled: enough"));
    assert_eq!(handle.reason(), Some(ENOUGH));
    assert_eq!(handle.child().reason(), Some(ENOUGH));
}

/// trio's `cancelled_caught`: who needs no more than what was on its way is not interrupted.
pub async fn cancelled_not_caught<R: Runtime>(_: R) {
    let ended = cancellable(async |handle| {
        handle.cancel("enough");
        7
    });
    assert_eq!(ended.await.ok(), Some(7));
    // Nor is one whose last exit was in progress: its value counts.
    let ledger = Ledger::new();
    let ended = cancellable(async |handle| {
        let commit = ledger.scope("commit").exit_yields(4).with(async |_| ok(7));
        let cancel = async {
            yield_times(2).await;
            handle.cancel("enough");
        };
        join(commit, cancel).await.0
    });
    assert_eq!(ended.await.ok(), Some(Ok(7)));
    assert_eq!(ledger.outcome("commit").as_deref(), Some("success"));
}

/// trio's "level triggered": whatever is begun later under a cancelled handle ends at once, too.
pub async fn level_triggered<R: Runtime>(_: R) {
    let handle = CancelHandle::new();
    let ledger = Ledger::new();
    let waiting = async {
        for _ in 0..3 {
            let scope = ledger.scope("a").using(async |_| pending::<()>().await);
            assert!(until(handle.cancelled(), scope).await.is_err());
        }
    };
    let cancel = async {
        yield_times(2).await;
        handle.cancel("enough");
    };
    join(waiting, cancel).await;
    assert_eq!(ledger.trace(), "+a ~a -a +a ~a -a +a ~a -a");
}

/// trio's `cancel_inheritance`: a tree of bodies is cancelled down to its leaves, by one handle at the top.
pub async fn cancel_inheritance<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let top = CancelHandle::new();
    let branch = async |name: &str| {
        let handle = top.child();
        let inner = handle.child();
        let body = ledger.scope(name).exit_yields(2).using(async |outer| {
            let name = format!("{name}{name}");
            let leaf = ledger.scope(name).inside(outer).exit_yields(2);
            let leaf = leaf.using(async |_| pending::<()>().await);
            until(inner.cancelled(), leaf).await.map(drop)
        });
        until(handle.cancelled(), body).await.is_err()
    };
    let cancel = async {
        yield_times(2).await;
        top.cancel("enough");
    };
    let (branches, ()) = join(join(branch("a"), branch("b")), cancel).await;
    assert_eq!(branches, (true, true));
    ledger.check();
    for name in ["a", "aa", "b", "bb"] {
        assert_eq!(ledger.outcome(name).as_deref(), Some("cancelled: enough"));
    }
}

/// anyio's `start_cancels_parent_scope`: what cancels a part does not cancel the whole.
pub async fn a_part_does_not_cancel_the_whole<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let whole = CancelHandle::new();
    let body = ledger.scope("a").using(async |a| {
        let part = whole.child();
        let inner = ledger.scope("b").inside(a).using(async |_| {
            part.cancel("enough");
            pending::<()>().await;
        });
        let ended = until(part.cancelled(), inner).await;
        yield_times(3).await;
        ended.is_err()
    });
    assert_eq!(until(whole.cancelled(), body).await.ok(), Some(Ok(true)));
    assert_eq!(ledger.trace(), "+a +b ~b -b ~a -a");
    assert_eq!(ledger.outcome("a").as_deref(), Some("success"));
}

/// anyio's `cancel_exiting_task_group`: a cancelling that comes while an exit runs waits for it, and cuts what follows.
pub async fn cancel_while_exiting<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = cancellable(async |handle| {
        let scope = ledger.scope("a").exit_yields(3);
        let scope = scope.using(async |_| handle.cancel("enough"));
        assert_eq!(scope.await, Ok(()));
        ledger.say("after");
        ledger.scope("b").with(async |_| ok(())).await
    });
    assert!(ended.await.is_err());
    assert_eq!(ledger.trace(), "+a ~a -a after");
}

/// anyio's `exception_group_children`: errors that exits give while they are cancelled are all kept, the inner ones first.
pub async fn errors_of_exits_are_kept<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = cancellable(async |handle| {
        let outer = ledger.scope("a").exit_fails().named("outer");
        let body = outer.with(async |a| {
            let inner = ledger.scope("b").inside(a).exit_fails().named("inner");
            let inner = inner.with(async |_| {
                handle.cancel("enough");
                ok(pending::<()>().await)
            });
            inner.await
        });
        body.await
    });
    let interrupted = ended.await.unwrap_err();
    let exits: Vec<_> = interrupted
        .exits()
        .iter()
        .map(|exit| (exit.scope().unwrap_or(""), exit.kind()))
        .collect();
    assert_eq!(exits, [("inner", Kind::Failed), ("outer", Kind::Failed)]);
    assert_eq!(
        interrupted.to_string(),
        "cancelled: enough, and 2 exits went wrong"
    );
    assert!(
        interrupted
            .into_report()
            .others()
            .iter()
            .all(Entry::is_loss)
    );
}

/// From another task, which may be on another thread: whoever waits is woken.
pub async fn from_another_task<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (ready, is_ready) = oneshot::channel();
    let handle = CancelHandle::new();
    let canceller = handle.clone();
    rt.spawn(Task::new(async move {
        let _ = is_ready.await;
        canceller.cancel("enough");
    }));
    let body = ledger.scope("a").exit_yields(2).using(async |_| {
        let _ = ready.send(());
        pending::<()>().await;
    });
    let ended = timeout(&rt, FOREVER, until(handle.cancelled(), body)).await;
    let interrupted = ended.expect("it has time").unwrap_err();
    assert_eq!(interrupted.cancelled().reason, ENOUGH);
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// A task that is cancelled by its handle when whoever has started it is dropped.
pub async fn a_guard_in_a_dropped_future<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (ended, has_ended) = oneshot::channel();
    let mut starter = Box::pin(async {
        let handle = CancelHandle::new();
        let scope = ledger.scope("task").exit_yields(2);
        let signal = handle.cancelled();
        rt.spawn(Task::new(async move {
            let body = scope.using(async |_| pending::<()>().await);
            let _ = ended.send(until(signal, body).await.map(drop));
        }));
        let _guard = handle.cancel_on_drop();
        pending::<()>().await;
    });
    assert!(poll_once(&mut starter).await.is_pending());
    drop(starter);
    let interrupted = has_ended.await.expect("the task lives").unwrap_err();
    assert_eq!(interrupted.to_string(), "cancelled: its guard was dropped");
    ledger.check();
    // One that was disarmed does nothing.
    let handle = CancelHandle::new().cancel_on_drop().disarm();
    assert!(!handle.is_cancelled());
}

/// An exit is not cut by its own handle, and a canceller that it opens works as ever, whatever is being cancelled around it.
pub async fn cancel_from_inside_of_an_exit<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let ended = cancellable(async |handle| {
        let (log, timer) = (ledger.clone(), rt.clone());
        let scope = withal_core::acquire(async || Ok::<_, Injected>(handle));
        let scope = scope.release(async move |handle: CancelHandle, _| {
            handle.cancel("enough");
            yield_times(2).await;
            let inner = timeout(&timer, Duration::ZERO, pending::<()>()).await;
            assert!(inner.is_err(), "a timeout is of use in an exit");
            let scope = log.scope("in the exit").yields(1);
            scope.using(async |_| yield_times(1).await).await
        });
        let ended = scope.with(async |_| ok(())).await;
        ledger.say("after");
        yield_times(1).await;
        ended
    });
    assert!(ended.await.is_err());
    assert_eq!(
        ledger.trace(),
        "+in the exit ~in the exit -in the exit after"
    );
}
