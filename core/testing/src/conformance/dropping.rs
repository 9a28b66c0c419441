//! Hard drops at every poll, wherever the future is: each entered scope exits exactly once, inside out, and knows why.

use std::time::Duration;

use futures::StreamExt;
use futures::future::{Either, join, select};
use futures::stream::FuturesUnordered;
use withal_core::{Runtime, ScopeExt, Task, timeout};

use crate::cut::{cut_after, yield_times};
use crate::drop_sweep::{drop_sweep, drop_sweep_and};
use crate::ledger::{Injected, Ledger, ok};

const DROPPED: &str = "cancelled: the future was dropped";
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// Three nested scopes whose enters, bodies and exits all suspend. `x.` in the trace says that the body of `x` has ended.
///
/// # Errors
///
/// None by itself.
///
/// # Cancel safety
///
/// That is what it is for.
pub async fn three(ledger: Ledger) -> Result<(), Injected> {
    let scope = |name: &str| ledger.scope(name).yields(2);
    scope("a")
        .with(async |a| {
            yield_times(1).await;
            scope("b")
                .inside(a)
                .with(async |b| {
                    scope("c")
                        .inside(b)
                        .with(async |_| {
                            yield_times(2).await;
                            ledger.say("c.");
                            ok(())
                        })
                        .await?;
                    yield_times(1).await;
                    ledger.say("b.");
                    ok(())
                })
                .await?;
            ledger.say("a.");
            ok(())
        })
        .await
}

/// Checks that each exit has seen `Success` if the body had ended, and else `reason`.
///
/// # Panics
///
/// If one has seen another.
pub fn check_outcomes(ledger: &Ledger, names: &[&str], reason: &str) {
    let trace = ledger.trace();
    let marks: Vec<&str> = trace.split(' ').collect();
    for name in names {
        let Some(outcome) = ledger.outcome(name) else {
            assert!(!marks.contains(&&*format!("+{name}")), "{trace}");
            continue;
        };
        let ended = marks.contains(&&*format!("{name}."));
        let expected = if ended { "success" } else { reason };
        assert_eq!(outcome, expected, "outcome of {name} in: {trace}");
    }
}

const ABC: [&str; 3] = ["a", "b", "c"];

/// As it is.
pub async fn plain<R: Runtime>(_: R) {
    let polls = drop_sweep_and(
        |ledger| three(ledger.clone()),
        |ledger, _| check_outcomes(ledger, &ABC, DROPPED),
    )
    .await;
    assert!(polls > 15, "every phase suspends: {polls}");
}

/// Inside of a timeout that does not strike.
pub async fn inside_a_timeout<R: Runtime>(rt: R) {
    drop_sweep_and(
        |ledger| timeout(&rt, FOREVER, three(ledger.clone())),
        |ledger, _| check_outcomes(ledger, &ABC, DROPPED),
    )
    .await;
}

/// The losing branch of a `select!` inside of a scope; and the whole of it dropped at every poll.
pub async fn losing_a_select<R: Runtime>(_: R) {
    for steps in 0..20 {
        let program = |ledger: &Ledger| {
            let ledger = ledger.clone();
            async move {
                ledger
                    .scope("o")
                    .using(async |_| {
                        let loser = Box::pin(three(ledger.clone()));
                        match select(loser, Box::pin(yield_times(steps))).await {
                            Either::Left(_) => {}
                            Either::Right(((), loser)) => drop(loser),
                        }
                        yield_times(2).await;
                        ledger.say("o.");
                    })
                    .await
            }
        };
        drop_sweep_and(program, |ledger, _| {
            check_outcomes(ledger, &["o", "a", "b", "c"], DROPPED);
            let trace = ledger.trace();
            let last = trace.split(' ').next_back().unwrap_or_default();
            assert!(last == "-o" || !trace.contains("+o"), "I2: {trace}");
        })
        .await;
    }
}

/// The losing branch of a `select!` at the root.
pub async fn losing_a_select_at_the_root<R: Runtime>(_: R) {
    for steps in 0..20 {
        let ledger = Ledger::new();
        let loser = Box::pin(three(ledger.clone()));
        drop(select(loser, Box::pin(yield_times(steps))).await);
        ledger.settled().await;
        ledger.check();
        check_outcomes(&ledger, &ABC, DROPPED);
    }
}

/// Members of a `FuturesUnordered`.
pub async fn in_futures_unordered<R: Runtime>(_: R) {
    drop_sweep(|ledger| {
        let set: FuturesUnordered<_> = (0..3).map(|_| three(ledger.clone())).collect();
        let outer = ledger.scope("o").yields(1);
        async move { outer.using(async move |_| set.count().await).await }
    })
    .await;
    drop_sweep(|ledger| {
        let set: FuturesUnordered<_> = (0..3).map(|_| three(ledger.clone())).collect();
        set.count()
    })
    .await;
}

/// Members of a `join!`.
pub async fn in_join<R: Runtime>(_: R) {
    drop_sweep(|ledger| join(three(ledger.clone()), three(ledger.clone()))).await;
    drop_sweep(|ledger| {
        let pair = join(three(ledger.clone()), three(ledger.clone()));
        let outer = ledger.scope("o").yields(1);
        async move { outer.using(async move |_| pair.await).await }
    })
    .await;
}

/// A spawned task that is dropped after so many polls.
pub async fn aborted_task<R: Runtime>(rt: R) {
    for polls in 0.. {
        let ledger = Ledger::new();
        let (done, completed) = futures::channel::oneshot::channel();
        let program = cut_after(polls, three(ledger.clone()));
        rt.spawn(Task::new(async move {
            let _ = done.send(program.await.is_some());
        }));
        let completed = completed.await.expect("the task says how it ended");
        ledger.settled().await;
        ledger.check();
        check_outcomes(&ledger, &ABC, DROPPED);
        if completed {
            break;
        }
    }
}

/// Dropped under one scope and under a timeout, which has it released before it returns.
pub async fn adopted_by_a_timeout<R: Runtime>(rt: R) {
    for polls in 0..25 {
        let ledger = Ledger::new();
        let body = cut_after(polls, three(ledger.clone()));
        let _ = timeout(&rt, FOREVER, body).await;
        ledger.check();
        check_outcomes(&ledger, &ABC, DROPPED);
    }
}

/// The exit itself is dropped at every poll, with a scope inside of it.
pub async fn scopes_inside_of_an_exit<R: Runtime>(_: R) {
    drop_sweep(|ledger| {
        let ledger = ledger.clone();
        let inner = ledger.clone();
        let outer = withal_core::acquire(async || {
            yield_times(1).await;
            Ok::<_, Injected>(())
        })
        .release(async move |(), _| three(inner).await);
        async move { outer.with(async |()| ok(yield_times(1).await)).await }
    })
    .await;
}

/// An enter that is protected is driven to its end, and then exited; one that is not is dropped.
pub async fn protected_enter<R: Runtime>(_: R) {
    let mut rescued = 0;
    drop_sweep_and(
        |ledger| {
            let scope = ledger.scope("p").yields(3).protected();
            async move { scope.using(async |_| yield_times(1).await).await }
        },
        |ledger, completed| {
            check_outcomes(ledger, &[], DROPPED);
            if !completed && ledger.entered() == 1 {
                rescued += 1;
            }
        },
    )
    .await;
    assert!(rescued >= 3, "{rescued}");
    // At the first poll it starts; from then on it is never lost.
    let ledger = Ledger::new();
    let scope = ledger.scope("p").enter_yields(3).protected();
    drop(cut_after(1, scope.using(async |_| ())).await);
    ledger.settled().await;
    assert_eq!(ledger.trace(), "+p ~p -p");
    assert_eq!(ledger.outcome("p").as_deref(), Some(DROPPED));
    let ledger = Ledger::new();
    let scope = ledger.scope("q").enter_yields(3);
    drop(cut_after(1, scope.using(async |_| ())).await);
    ledger.settled().await;
    assert_eq!(ledger.trace(), "");
}

/// An owned open scope, dropped unclosed and closed at every poll.
pub async fn open_scopes<R: Runtime>(_: R) {
    drop_sweep(|ledger| {
        let scope = ledger.scope("a").yields(2);
        async move {
            let open = scope.open().await?;
            yield_times(2).await;
            open.close(withal_core::Outcome::Success).await?;
            Ok::<_, Injected>(())
        }
    })
    .await;
    // Dropped in a body, it is released before that body's scope.
    let ledger = Ledger::new();
    let ended = ledger
        .scope("o")
        .with(async |o| {
            let open = ledger.scope("a").inside(o).exit_yields(3).open().await?;
            yield_times(1).await;
            drop(open);
            ok(())
        })
        .await;
    assert_eq!(ended, Ok(()));
    assert_eq!(ledger.trace(), "+o +a ~a -a ~o -o");
}
