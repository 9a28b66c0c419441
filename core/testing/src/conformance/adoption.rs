//! Who adopts what: the cases that broke simpler algorithms.

use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use withal_core::{Runtime, ScopeExt, Task, acquire, isolated, timeout};

use crate::cut::{cut_after, poll_once, spawn_abortable, yield_now, yield_times};
use crate::ledger::{Injected, Ledger, ok};

const SOON: Duration = Duration::from_millis(1);
const FOREVER: Duration = Duration::from_secs(1 << 30);

type Parked = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A scope whose body never ends.
fn parked(ledger: &Ledger, name: &str) -> Parked {
    let scope = ledger.scope(name).exit_yields(2);
    Box::pin(async move {
        let _ = scope.using(async |_| pending::<()>().await).await;
    })
}

/// A scope whose body never ends, and whose exit waits for `gate`.
fn gated(ledger: &Ledger, name: &'static str, gate: oneshot::Receiver<()>) -> Parked {
    let ledger = ledger.clone();
    Box::pin(async move {
        ledger.say(format!("+{name}"));
        let scope = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
            ledger.say(format!("~{name}"));
            let _ = gate.await;
            ledger.say(format!("-{name}"));
            ok(())
        });
        let _ = scope.using(async |()| pending::<()>().await).await;
    })
}

/// A timeout at the root of an aborted task.
pub async fn a_timeout_at_the_root_is_aborted<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (entered, is_entered) = oneshot::channel();
    let (timer, scope) = (rt.clone(), ledger.scope("a").exit_yields(2));
    let task = spawn_abortable(&rt, async move {
        let body = scope.using(async move |_| {
            let _ = entered.send(());
            pending::<()>().await;
        });
        let _ = timeout(&timer, FOREVER, body).await;
    });
    assert!(is_entered.await.is_ok());
    task.abort();
    ledger.settled().await;
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// An exit whose `select!` drops a nested scope waits for that.
pub async fn an_exit_drops_a_nested_scope<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let inner = ledger.clone();
    let scope = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
        inner.say("~X");
        drop(select(parked(&inner, "inner"), Box::pin(yield_times(2))).await);
        yield_times(9).await;
        inner.say("-X");
        ok(())
    });
    assert_eq!(scope.with(async |()| ok(())).await, Ok(()));
    assert_eq!(ledger.trace(), "~X +inner ~inner -inner -X");
    // Also when the exit ends first.
    let ledger = Ledger::new();
    let inner = ledger.clone();
    let scope = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
        let _ = cut_after(1, parked(&inner, "inner")).await;
        ok(())
    });
    assert_eq!(scope.with(async |()| ok(())).await, Ok(()));
    assert_eq!(ledger.trace(), "+inner ~inner -inner");
}

/// Nested timeouts and scopes of an aborted task unwind last in, first out.
pub async fn an_aborted_nest_is_one_job<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (entered, is_entered) = oneshot::channel();
    let (timer, scopes) = (rt.clone(), ledger.clone());
    let task = spawn_abortable(&rt, async move {
        let body = scopes.scope("a").exit_yields(2).with(async |a| {
            let inner = scopes.scope("b").inside(a).exit_yields(2).with(async |b| {
                let c = scopes.scope("c").inside(b).exit_yields(2);
                c.with(async |_| {
                    let _ = entered.send(());
                    ok(pending::<()>().await)
                })
                .await
            });
            let _ = timeout(&timer, FOREVER, inner).await;
            ok(())
        });
        let _ = timeout(&timer, FOREVER, body).await;
    });
    assert!(is_entered.await.is_ok());
    task.abort();
    ledger.settled().await;
    ledger.check();
    assert_eq!(ledger.trace(), "+a +b +c ~c -c ~b -b ~a -a");
}

/// A stranger that is dropped inside of a scope is not adopted by it, and so cannot deadlock with it.
pub async fn a_stranger_is_not_adopted<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (go, gate) = oneshot::channel();
    let mut stranger = gated(&ledger, "stranger", gate);
    assert!(poll_once(&mut stranger).await.is_pending());
    let body = async {
        let scope = ledger.scope("a");
        let ended = scope.using(async move |_| drop(stranger)).await;
        assert_eq!(ended, Ok(()));
        go.send(()).is_ok()
    };
    assert!(timeout(&rt, FOREVER, body).await.expect("no deadlock"));
    while !ledger.trace().contains("-stranger") {
        rt.sleep(SOON).await;
    }
}

/// A future that runs under several timeouts, by reference, is adopted by the scope around them.
pub async fn by_reference_over_several_timeouts<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let ended = ledger
        .scope("a")
        .with(async |_| {
            let mut inner = parked(&ledger, "f");
            for _ in 0..3 {
                assert!(timeout(&rt, Duration::ZERO, &mut inner).await.is_err());
            }
            drop(inner);
            ok(())
        })
        .await;
    assert_eq!(ended, Ok(()));
    // The first timeout cuts it gracefully: it exits in place.
    assert_eq!(ledger.trace(), "+a +f ~f -f ~a -a");
}

/// A task that an executor happens to poll inside of a body stays a root of its own.
pub async fn spawned_tasks_are_roots<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (go, gate) = oneshot::channel();
    let mut task = Task::new(gated(&ledger, "task", gate));
    let ended = ledger
        .scope("request")
        .with(async |_| {
            assert!(poll_once(&mut task).await.is_pending());
            drop(task);
            ok(())
        })
        .await;
    assert_eq!(ended, Ok(()));
    assert!(
        ledger.trace().contains("-request"),
        "the task's exit does not hold it up"
    );
    assert!(!ledger.trace().contains("-task"));
    assert!(go.send(()).is_ok());
    while !ledger.trace().contains("-task") {
        rt.sleep(SOON).await;
    }
}

/// A synchronous section in a body does not wait for what the body would have to drive.
pub async fn a_synchronous_bridge<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ledger
        .scope("a")
        .with(async |_| {
            isolated(|| {
                futures::executor::block_on(async {
                    let (released, is_released) = oneshot::channel();
                    let scope = acquire(async || Ok::<_, Injected>(released))
                        .release(async move |released, _| ok(released.send(()).unwrap_or(())));
                    let permit = scope.using(async |_| pending::<()>().await);
                    drop(cut_after(1, permit).await);
                    assert!(is_released.await.is_ok());
                });
            });
            ok(())
        })
        .await;
    assert_eq!(ended, Ok(()));
    ledger.check();
}

/// A busy body does not starve what it has adopted, and they take turns.
pub async fn a_busy_body_does_not_starve_orphans<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let polls = AtomicUsize::new(0);
    let mut orphan_ended_at = None;
    let ended = ledger
        .scope("server")
        .with(async |_| {
            let _ = cut_after(1, parked(&ledger, "conn")).await;
            std::future::poll_fn(|cx| {
                let now = polls.fetch_add(1, Ordering::Relaxed);
                if ledger.trace().contains("-conn") {
                    orphan_ended_at.get_or_insert(now);
                }
                cx.waker().wake_by_ref();
                if now < 1000 {
                    std::task::Poll::Pending
                } else {
                    std::task::Poll::Ready(())
                }
            })
            .await;
            ok(())
        })
        .await;
    assert_eq!(ended, Ok(()));
    assert!(
        orphan_ended_at.is_some_and(|polls| polls < 10),
        "{orphan_ended_at:?}"
    );
}

/// An orphan that is adopted in the last poll of a body has a waker.
pub async fn an_orphan_of_the_last_poll<R: Runtime>(rt: R) {
    for _ in 0..20 {
        let (ledger, timer) = (Ledger::new(), rt.clone());
        let ended = ledger
            .scope("a")
            .with(async |_| {
                let timer = timer.clone();
                let scope = acquire(async || Ok::<_, Injected>(()))
                    .release(async move |(), _| ok(timer.sleep(SOON).await));
                let orphan = scope.using(async |()| pending::<()>().await);
                drop(cut_after(1, orphan).await);
                ok(())
            })
            .await;
        assert_eq!(ended, Ok(()));
    }
}

/// Waking one of many orphans polls that one.
pub async fn many_orphans_cost_no_more_polls<R: Runtime>(_: R) {
    const ORPHANS: usize = 16_000;
    let polls = Arc::new(AtomicUsize::new(0));
    let gates = Arc::new(Mutex::new(Vec::new()));
    let ledger = Ledger::quiet();
    let ended = ledger
        .scope("a")
        .with(async |_| {
            for _ in 0..ORPHANS {
                let (polls, gates) = (polls.clone(), gates.clone());
                let scope = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
                    let (go, mut gate) = oneshot::channel::<()>();
                    gates.lock().unwrap().push(go);
                    std::future::poll_fn(|cx| {
                        polls.fetch_add(1, Ordering::Relaxed);
                        Pin::new(&mut gate).poll(cx).map(drop)
                    })
                    .await;
                    ok(())
                });
                let orphan = scope.using(async |()| pending::<()>().await);
                drop(cut_after(1, orphan).await);
            }
            yield_times(2).await;
            loop {
                let Some(go) = gates.lock().unwrap().pop() else {
                    break;
                };
                let _ = go.send(());
                yield_now().await;
            }
            ok(())
        })
        .await;
    assert_eq!(ended, Ok(()));
    let polls = polls.load(Ordering::Relaxed);
    assert_eq!(polls, 2 * ORPHANS, "one poll to suspend and one to end");
}

/// Orphans of parents in a set, whose wakers change all the time.
pub async fn wakers_that_change<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let mut parents: FuturesUnordered<_> = (0..50)
        .map(|_| {
            let ledger = ledger.clone();
            Box::pin(async move {
                let outer = ledger.scope("p");
                let ended = outer.using(async |outer| {
                    let orphan = ledger.scope("o").inside(outer).exit_yields(3);
                    let orphan = orphan.using(async |_| pending::<()>().await);
                    drop(cut_after(1, orphan).await);
                    yield_times(2).await;
                });
                ended.await
            })
        })
        .collect();
    while let Some(ended) = parents.next().await {
        assert_eq!(ended, Ok(()));
    }
    ledger.check();
    assert_eq!(ledger.entered(), 100);
}

/// I2: what was moved out of a body and lives on is no longer inside.
pub async fn moved_out_of_the_body<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let moved = ledger
        .scope("a")
        .with(async |_| {
            let mut inner = parked(&ledger, "m");
            assert!(poll_once(&mut inner).await.is_pending());
            Ok::<_, Injected>(inner)
        })
        .await;
    assert_eq!(ledger.trace(), "+a +m ~a -a");
    drop(moved);
    ledger.settled().await;
    assert_eq!(ledger.trace(), "+a +m ~a -a ~m -m");
}

/// I3: a started exit goes on when its future is dropped, and is not started again.
pub async fn a_started_exit_goes_on<R: Runtime>(_: R) {
    for polls in 1..6 {
        let ledger = Ledger::new();
        let scope = ledger.scope("a").exit_yields(5);
        drop(cut_after(polls, scope.using(async |_| ())).await);
        ledger.settled().await;
        assert_eq!(ledger.trace(), "+a ~a -a");
        assert_eq!(ledger.outcome("a").as_deref(), Some("success"));
    }
}

/// I5: siblings concurrently, parents after all their children.
pub async fn siblings_run_concurrently<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let tree = ledger.scope("p").using(async |p| {
        let child = |name: &str| {
            let scope = ledger.scope(name).inside(p).exit_yields(2);
            scope.using(async |_| pending::<()>().await)
        };
        let (x, y) = (child("x"), child("y"));
        let _ = futures::future::join(x, y).await;
    });
    drop(cut_after(1, tree).await);
    ledger.settled().await;
    let trace = ledger.trace();
    assert!(
        trace.starts_with("+p +x +y ~x ~y ") && trace.ends_with(" ~p -p"),
        "{trace}"
    );
    ledger.check();
}

/// Frames beyond the array of ids: lineage holds at any depth.
pub async fn deep_lineage<R: Runtime>(_: R) {
    fn nest(ledger: &Ledger, depth: usize) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if depth == 0 {
                let orphan = ledger.scope("orphan").exit_yields(3);
                let orphan = orphan.using(async |_| pending::<()>().await);
                drop(cut_after(1, orphan).await);
                return;
            }
            let scope = ledger.scope(format!("{depth}"));
            let _ = scope.using(async |_| nest(ledger, depth - 1).await).await;
        })
    }
    let ledger = Ledger::new();
    nest(&ledger, 100).await;
    ledger.check();
    let trace = ledger.trace();
    assert!(
        trace.contains("+1 +orphan ~orphan -orphan ~1 -1"),
        "{trace}"
    );
    // A stranger at that depth is still told apart.
    let ledger = Ledger::new();
    let (go, gate) = oneshot::channel();
    let mut stranger = gated(&ledger, "stranger", gate);
    assert!(poll_once(&mut stranger).await.is_pending());
    fn drop_deep<'a>(
        ledger: &'a Ledger,
        depth: usize,
        stranger: Parked,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            if depth == 0 {
                return drop(stranger);
            }
            let scope = ledger.scope("s");
            let body = async move |_: &mut _| drop_deep(ledger, depth - 1, stranger).await;
            let _ = scope.using(body).await;
        })
    }
    drop_deep(&ledger, 80, stranger).await;
    assert!(!ledger.trace().contains("-stranger"));
    assert!(go.send(()).is_ok());
    while !ledger.trace().contains("-stranger") {
        yield_now().await;
    }
}

/// A winner is chosen while the loser is in its exit: the exit goes on beside the body.
pub async fn a_loser_in_its_exit<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ledger
        .scope("o")
        .with(async |o| {
            let loser = Box::pin(
                ledger
                    .scope("l")
                    .inside(o)
                    .exit_yields(6)
                    .using(async |_| ()),
            );
            let Either::Right(_) = select(loser, Box::pin(yield_times(2))).await else {
                panic!("the exit takes longer");
            };
            ledger.say("won");
            yield_times(1).await;
            ok(())
        })
        .await;
    assert_eq!(ended, Ok(()));
    assert_eq!(ledger.trace(), "+o +l ~l won -l ~o -o");
}
