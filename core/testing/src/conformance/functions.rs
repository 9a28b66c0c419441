//! Scopes that are one async function: enter up to the yield point, exit from there on.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream::FuturesUnordered;
use withal_core::{
    ErasedFn, ExitStack, Kept, Open, Provide, Reason, Recover, Report, Runtime, ScopeError,
    ScopeExt, null, scope_fn, suppress, timeout, until, with_local,
};

use crate::conformance::dropping::check_outcomes;
use crate::cut::{caught, cut_after, spawn_abortable, yield_now, yield_times};
use crate::drop_sweep::drop_sweep_and;
use crate::faults::{fault_sweep, hush_injected_panics};
use crate::ledger::{Injected, Ledger, Traced, TracedGuard, ok};
use crate::lost::LostErrors;

const DROPPED: &str = "cancelled: the future was dropped";
const FOREVER: Duration = Duration::from_secs(1 << 30);
const ABC: [&str; 3] = ["a", "b", "c"];

type Function = ErasedFn<Open<Traced>, Result<(), Injected>>;

/// A function that opens `scope` and yields it. It says `<` at its yield point, and `>` before it closes what comes back.
pub(super) fn function(
    ledger: &Ledger,
    name: &'static str,
    outer: Option<&TracedGuard>,
) -> Function {
    let mut scope = ledger.scope(name).yields(1);
    if let Some(outer) = outer {
        scope = scope.inside(outer);
    }
    let ledger = ledger.clone();
    scope_fn(async move |p: Provide<Open<Traced>>| {
        yield_now().await;
        let open = scope.open().await?;
        yield_now().await;
        ledger.say(format!("<{name}"));
        let (open, outcome) = p.provide(open).await;
        yield_now().await;
        ledger.say(format!(">{name}"));
        open.close(&outcome).await?;
        Ok(())
    })
    .erased()
}

/// Three of them, nested. `x.` says that the body of `x` has ended.
async fn three(ledger: Ledger) -> Result<(), Injected> {
    let a = function(&ledger, "a", None).with(async |a| {
        let b = function(&ledger, "b", Some(a)).with(async |b| {
            yield_now().await;
            let c = function(&ledger, "c", Some(b)).with(async |_| {
                yield_times(2).await;
                ok(ledger.say("c."))
            });
            c.await?;
            ok(ledger.say("b."))
        });
        b.await?;
        yield_now().await;
        ok(ledger.say("a."))
    });
    a.await
}

/// Whoever has got to its yield point goes on from there, once; and who has not does not.
fn check_halves(ledger: &Ledger) {
    let trace = ledger.trace();
    let count = |mark: &str| trace.split(' ').filter(|other| *other == mark).count();
    for name in ABC {
        let provided = count(&format!("<{name}"));
        assert!(provided <= 1, "{name}: {trace}");
        assert_eq!(count(&format!(">{name}")), provided, "{name}: {trace}");
    }
}

/// Dropped at every poll, before, at and after the yield: as it is, inside of a timeout, and as the loser of a `select`.
pub async fn dropped_at_every_poll<R: Runtime>(rt: R) {
    let check = |ledger: &Ledger, _| {
        check_halves(ledger);
        check_outcomes(ledger, &ABC, DROPPED);
    };
    let polls = drop_sweep_and(|ledger| three(ledger.clone()), check).await;
    assert!(polls > 15, "every half suspends: {polls}");
    drop_sweep_and(|ledger| timeout(&rt, FOREVER, three(ledger.clone())), check).await;
    let bounded = |ledger: &Ledger| {
        let scope = function(ledger, "a", None).exit_within(&rt, FOREVER);
        scope.with(async |_| Ok::<_, Report>(yield_times(2).await))
    };
    drop_sweep_and(bounded, |ledger, _| check_halves(ledger)).await;
    for steps in 0..25 {
        let ledger = Ledger::new();
        let outer = ledger.scope("o").using(async |_| {
            let loser = Box::pin(three(ledger.clone()));
            if let Either::Right((_, loser)) = select(loser, Box::pin(yield_times(steps))).await {
                drop(loser);
            }
        });
        assert_eq!(outer.await, Ok(()));
        ledger.check();
        check(&ledger, false);
        assert!(ledger.trace().ends_with("~o -o"), "{}", ledger.trace());
    }
}

/// The same in a task that is aborted, and in a set that polls only who was woken.
pub async fn aborted_and_in_sets<R: Runtime>(rt: R) {
    for polls in 0..20 {
        let ledger = Ledger::new();
        let work = three(ledger.clone());
        let task = spawn_abortable(&rt, async move {
            let _ = work.await;
        });
        yield_times(polls).await;
        task.abort();
        ledger.settled().await;
        ledger.check();
        check_halves(&ledger);
    }
    let ledger = Ledger::new();
    let waits_in_a_set = scope_fn(async |p: Provide<()>| {
        let set: FuturesUnordered<_> = [p.provide(())].into_iter().collect();
        let given = set.collect::<Vec<_>>().await;
        ok(assert!(given[0].1.is_success()))
    });
    assert_eq!(waits_in_a_set.with(async |()| ok(())).await, Ok(()));
    drop(ledger);
}

/// Cancelled at every poll, everything is released in place, and each function is told why.
pub async fn cancelled_at_every_poll<R: Runtime>(_: R) {
    for polls in 0..40 {
        let ledger = Ledger::new();
        let signal = async {
            yield_times(polls).await;
            Reason::Requested("enough")
        };
        let ended = until(signal, three(ledger.clone())).await;
        assert_eq!(ledger.live(), 0, "{}", ledger.trace());
        ledger.check();
        check_halves(&ledger);
        if ended.is_err() {
            // What is cut before it has yielded is dropped by its function, and that by the canceller.
            check_outcomes(&ledger, &ABC, "cancelled: enough");
        }
    }
}

/// An error and a panic, and each pair of them, at every point before, at and after the yield.
pub async fn every_fault<R: Runtime>(_: R) {
    let runs = fault_sweep(|ledger| {
        let ledger = ledger.clone();
        async move {
            let halves = |name: &'static str| {
                let ledger = ledger.clone();
                scope_fn(async move |p: Provide<()>| {
                    ledger.point(&format!("before {name}"))?;
                    let inner = ledger.scope(name).yields(1).open().await?;
                    let ((), outcome) = p.provide(()).await;
                    inner.close(&outcome).await?;
                    ledger.point(&format!("after {name}"))
                })
            };
            let outer = halves("a").with(async |()| {
                let inner = halves("b").with(async |()| Ok::<_, Report>(ledger.point("body")?));
                inner.await?;
                yield_now().await;
                Ok::<_, Report>(ledger.point("end")?)
            });
            outer.await
        }
    })
    .await;
    assert!(runs > 60, "{runs}");
}

/// What a function says that it has been told.
fn tells(seen: &Arc<Mutex<Vec<String>>>) -> ErasedFn<u32, Result<(), Injected>> {
    let seen = seen.clone();
    scope_fn(async move |p: Provide<u32>| {
        let (number, outcome) = p.provide(1).await;
        let text = match &outcome {
            Kept::Failure(_) => outcome.map(|Injected(text)| format!("failed: {text}")),
            other => Some(other.to_string()),
        };
        let text = text.unwrap_or_else(|| format!("of another type: {outcome}"));
        seen.lock().unwrap().push(format!("{number}, {text}"));
        Ok(())
    })
    .erased()
}

/// The guard comes back as the body has left it, with the outcome: the error with its type, a panic, a cancellation.
pub async fn outcomes<R: Runtime>(rt: R) {
    hush_injected_panics();
    let seen = Arc::default();
    let add = async |n: &mut u32| ok(*n += 1);
    assert_eq!(tells(&seen).with(add).await, Ok(()));
    let fails = tells(&seen).with(async |_| Err::<(), _>(Injected("no luck".to_owned())));
    assert_eq!(fails.await, Err(Injected("no luck".to_owned())));
    let other = tells(&seen).with_report(async |_| Err::<(), _>("text".to_owned()));
    assert_eq!(other.await, Err(ScopeError::Body("text".to_owned())));
    let panics = tells(&seen).with(async |_| -> Result<(), Injected> { panic!("injected panic") });
    assert_eq!(caught(panics).await, Err("injected panic".to_owned()));
    let late = timeout(
        &rt,
        Duration::ZERO,
        tells(&seen).with(async |_| ok(pending().await)),
    );
    assert!(late.await.map(|_: Result<(), _>| ()).is_err());
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "2, success",
            "1, failed: no luck",
            "1, of another type: failure: text",
            "1, panic: injected panic",
            "1, cancelled: the time was up",
        ]
    );
}

/// A function that suppresses one type of error; a panic and a cancellation cannot be.
pub async fn verdicts<R: Runtime>(_: R) {
    hush_injected_panics();
    let handler = || {
        scope_fn(async |p: Provide<()>| {
            let ((), outcome) = p.provide(()).await;
            Ok::<_, Injected>(if outcome.is::<Injected>() || outcome.reason().is_some() {
                Recover::Suppress
            } else {
                Recover::Propagate
            })
        })
    };
    assert_eq!(handler().with(async |()| ok(7)).await, Ok(Some(7)));
    let failed = handler().with(async |()| Err::<u32, _>(Injected(String::new())));
    assert_eq!(failed.await, Ok(None));
    let other = handler().with_report(async |()| Err::<u32, _>(String::new()));
    assert_eq!(other.await, Err(ScopeError::Body(String::new())));
    let cut = handler().with(async |()| ok(pending::<u32>().await));
    let cut = until(async { Reason::Requested("enough") }, cut);
    assert!(cut.await.is_err());
}

/// What a function closes with what it was told sees the error itself, and may suppress it, in an `Open` and in a stack; also in place, and in a job.
pub async fn what_it_closes_is_told<R: Runtime>(_: R) {
    let seen = Arc::default();
    let around = || {
        let inner = tells(&seen);
        scope_fn(async move |p: Provide<()>| {
            let open = inner.open().await?;
            let stack = ExitStack::recovering();
            let Ok(handler) = stack.enter(suppress::<Injected>()).await;
            drop(handler);
            let ((), outcome) = p.provide(()).await;
            yield_now().await;
            open.close(&outcome).await?;
            ok(stack.close(&outcome).await.unwrap())
        })
        .erased()
    };
    let told = || std::mem::take(&mut *seen.lock().unwrap());
    let fails = async |()| Err::<(), _>(Injected("no luck".to_owned()));
    assert_eq!(around().with(async |()| fails(()).await).await, Ok(None));
    assert_eq!(told(), ["1, failed: no luck"]);
    assert_eq!(around().with(async |()| ok(7)).await, Ok(Some(7)));
    assert_eq!(told(), ["1, success"]);
    let other = around().with_report(async |()| Err::<(), _>("text".to_owned()));
    assert_eq!(other.await, Err(ScopeError::Body("text".to_owned())));
    assert_eq!(told(), ["1, of another type: failure: text"]);
    let local = with_local(around(), async |_| fails(()).await);
    assert_eq!(local.await, Ok(None));
    assert_eq!(told(), ["1, failed: no luck"]);
    // The exit has begun when it is dropped, and goes on as a job of the scope around it.
    let cut = null(()).with(async |()| {
        let run = around().with(async |()| fails(()).await);
        ok(cut_after(1, run).eagerly().await.is_none())
    });
    assert_eq!(cut.await, Ok(true));
    assert_eq!(told(), ["1, failed: no luck"]);
}

/// A close that was begun in the exit ends before it, also if its future is dropped, goes elsewhere or is forgotten: the error goes back to its owner.
pub async fn a_close_that_goes_elsewhere<R: Runtime>(_: R) {
    type Closing = Pin<Box<dyn Future<Output = ()> + Send>>;
    let fates: [fn(&Mutex<Vec<Closing>>, Closing); 3] = [
        |_, closing| drop(closing),
        |elsewhere, closing| elsewhere.lock().unwrap().push(closing),
        |_, closing| std::mem::forget(closing),
    ];
    for (fate, in_stack) in fates
        .into_iter()
        .flat_map(|fate| [(fate, false), (fate, true)])
    {
        let (ledger, elsewhere) = (Ledger::new(), Arc::default());
        let (inner, kept) = (ledger.clone(), Arc::clone(&elsewhere));
        let around = scope_fn(async move |p: Provide<()>| {
            let (stack, scope) = (ExitStack::new(), inner.scope("a").exit_yields(3));
            let open = if in_stack {
                drop(stack.enter(scope).await?);
                None
            } else {
                Some(scope.open().await?)
            };
            let ((), outcome) = p.provide(()).await;
            let mut closing: Closing = Box::pin(async move {
                match open {
                    Some(open) => drop(open.close(&outcome).await),
                    None => drop(stack.close(&outcome).await),
                }
            });
            let begun = poll_fn(|cx| Poll::Ready(closing.as_mut().poll(cx).is_pending()));
            assert!(begun.await);
            fate(&kept, closing);
            inner.say("rest");
            ok(())
        });
        let failed = Err::<(), _>(Injected("no luck".to_owned()));
        assert_eq!(around.with(async |()| failed.clone()).await, failed);
        assert_eq!(ledger.trace(), "+a ~a rest -a");
        let told = ledger.outcome("a").unwrap();
        assert_eq!(told, "failure: injected error: no luck");
        let kept = std::mem::take(&mut *elsewhere.lock().unwrap());
        for closing in kept {
            closing.await;
        }
    }
}

/// A return before the yield is a failed enter: no body, and what the function had opened is released first.
pub async fn early_return<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let program = async |ledger: &Ledger| {
        let inner = ledger.clone();
        let function = scope_fn(async move |p: Provide<()>| {
            let _open = inner.scope("a").yields(2).open().await?;
            yield_now().await;
            if inner.live() == 1 {
                return Err(Injected("early".to_owned()));
            }
            p.provide(()).await;
            Ok(())
        });
        let ended = function.with(async |()| ok(ledger.say("body"))).await;
        ledger.say("returned");
        ended
    };
    assert_eq!(program(&ledger).await, Err(Injected("early".to_owned())));
    assert_eq!(ledger.trace(), "+a ~a -a returned");
    drop_sweep_and(
        |ledger| {
            let ledger = ledger.clone();
            async move { program(&ledger).await }
        },
        |_, _| {},
    )
    .await;
}

/// What a function has opened and does not close itself is released before its exit ends, wherever that runs.
pub async fn what_it_leaves_open<R: Runtime>(_: R) {
    let forgetful = |ledger: &Ledger| {
        let ledger = ledger.clone();
        scope_fn(async move |p: Provide<()>| {
            let _open = ledger.scope("a").yields(2).open().await?;
            p.provide(()).await;
            ledger.say("rest");
            ok(())
        })
    };
    let ledger = Ledger::new();
    let ended = forgetful(&ledger).with(async |()| ok(ledger.say("body")));
    assert_eq!(ended.await, Ok(()));
    ledger.say("returned");
    assert_eq!(ledger.trace(), "+a body rest ~a -a returned");
    // At home, too: the scope around it in the same function waits for it.
    let ledger = Ledger::new();
    let inner = ledger.clone();
    let around = scope_fn(async move |p: Provide<()>| {
        let outer = inner.scope("o").open().await?;
        p.provide(()).await;
        let inside = forgetful(&inner).with(async |()| ok(())).await;
        outer.close(withal_core::Outcome::Success).await?;
        inside
    });
    let run = around.with(async |()| ok(pending::<()>().await));
    assert!(cut_after(3, run).eagerly().await.is_none());
    ledger.settled().await;
    assert_eq!(ledger.trace(), "+o +a rest ~a -a ~o -o");
}

/// One that returns without having provided anything panics in its enter, and never in a drop.
pub async fn without_providing<R: Runtime>(_: R) {
    let check = |ended: Result<_, String>| {
        let message = ended.map(|_: Result<(), Injected>| ()).unwrap_err();
        let (place, what) = message.split_once(") ").unwrap();
        assert!(
            place.starts_with("`scope_fn` (") && place.contains("functions.rs:"),
            "{message}"
        );
        assert_eq!(what, "has returned `Ok` without having yielded anything");
    };
    let empty = scope_fn(async |_: Provide<()>| ok(yield_now().await));
    check(caught(empty.with(async |()| ok(()))).await);
    // One that gives up waiting for its guard takes it back.
    let gives_up = scope_fn(async |p: Provide<()>| {
        let waits = cut_after(1, p.provide(()));
        ok(drop(waits.await))
    });
    check(caught(gives_up.with(async |()| ok(()))).await);
    let never_awaited = scope_fn(async |p: Provide<()>| {
        drop(p.provide(()));
        ok(pending::<()>().await)
    });
    let run = never_awaited.with(async |()| ok(()));
    assert!(cut_after(3, run).eagerly().await.is_none());
}

/// In tuples, in stacks, protected, and one made of what another one shows, they are scopes like any other.
pub async fn composed<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let pair = (
        function(&ledger, "a", None),
        function(&ledger, "b", None).protected(),
    );
    let ended = pair.with(async |(a, b)| ok(format!("{}{}", a.name(), b.name())));
    assert_eq!(ended.await, Ok("ab".to_owned()));
    let trace = ledger.trace();
    assert_eq!(trace, "+a <a +b <b >b ~b -b >a ~a -a");

    let ledger = Ledger::new();
    let stack = ExitStack::with(async |stack| {
        let a = stack.enter(function(&ledger, "a", None)).await?;
        let b = stack.enter(function(&ledger, "b", Some(&a))).await?;
        Ok::<_, Report>(b.name().len())
    });
    assert_eq!(stack.await.unwrap(), 1);
    assert_eq!(ledger.trace(), trace);

    let lost = LostErrors::listen();
    let fails = scope_fn(async |p: Provide<()>| {
        p.provide(()).await;
        Err::<(), _>(Injected("functions::composed".to_owned()))
    });
    let ended = fails
        .with(async |()| Err::<(), _>(Report::msg("body")))
        .await;
    assert_eq!(ended.unwrap_err().entries().count(), 2);
    assert!(lost.containing("functions::composed").is_empty());
}
