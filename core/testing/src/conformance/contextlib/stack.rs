//! The exit stack: `TestBaseExitStack` and `TestAsyncExitStack`, without what is about errors.

use withal_core::{
    ExitStack, Member, Never, Outcome, Propagate, Recover, Report, Runtime, Scope, ScopeExt,
    acquire,
};

use crate::conformance::entries::{error, says, seen, sees, suppresses, texts, waits};
use crate::cut::{poll_once, yield_now};
use crate::ledger::{Ledger, Traced};

/// An empty stack is entered and exited.
pub async fn no_resources<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        assert!(stack.is_empty());
        Ok::<_, Report>(1)
    });
    assert_eq!(ended.await.unwrap(), 1);
}

/// The arguments with which the callbacks of Python's tests are called.
const ARGUMENTS: [&str; 7] = [
    "",
    "1",
    "1, 2",
    "example=1",
    "1, example=1",
    "1, 2, example=1",
    "1, 2, self=3, callback=4",
];

/// Callbacks are called last in, first out, each with what it was given.
pub async fn callback<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        for arguments in ARGUMENTS.iter().rev() {
            let ledger = ledger.clone();
            stack.callback(move || ledger.say(format!("({arguments})")));
        }
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    let expected = ARGUMENTS.map(|arguments| format!("({arguments})"));
    assert_eq!(ledger.trace(), expected.join(" "));
}

/// So are async callbacks.
pub async fn async_callback<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        for arguments in ARGUMENTS.iter().rev() {
            says(stack, &ledger, format!("({arguments})"));
        }
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    let expected = ARGUMENTS.map(|arguments| format!("({arguments})"));
    assert_eq!(ledger.trace(), expected.join(" "));
}

/// Exits without enters: inside of the one that suppresses they see the error, outside of it a success.
async fn pushed(ledger: &Ledger) -> Result<Option<()>, Report> {
    let guard = || async { ledger.scope("cm").enter().await };
    ExitStack::recovering()
        .with(async |stack| {
            sees(stack, ledger, "a");
            // The exit of a scope whose enter is not run by the stack.
            stack.push(guard().await?, async |guard, outcome| {
                Traced::exit(guard, outcome).await
            });
            suppresses(stack, ledger);
            sees(stack, ledger, "b");
            sees(stack, ledger, "c");
            Err(error("ZeroDivisionError").into())
        })
        .await
}

/// The scenario with exits that suspend.
pub async fn async_push<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    assert!(pushed(&ledger).await.unwrap().is_none());
    assert_eq!(
        ledger.trace(),
        "+cm c:ZeroDivisionError b:ZeroDivisionError suppressed:ZeroDivisionError ~cm -cm a:ok"
    );
    assert_eq!(ledger.outcome("cm").as_deref(), Some("success"));
    ledger.check();
}

/// The same with exits that do not.
pub async fn push<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::recovering().with(async |stack| {
        for (name, verdict) in [
            ("a", Recover::Propagate),
            ("b", Recover::Suppress),
            ("c", Recover::Propagate),
        ] {
            let ledger = ledger.clone();
            stack.push(verdict, async move |verdict, outcome: Outcome<'_>| {
                ledger.say(seen(name, &outcome));
                verdict
            });
        }
        Err::<(), Report>(error("ZeroDivisionError").into())
    });
    assert!(ended.await.unwrap().is_none());
    assert_eq!(
        ledger.trace(),
        "c:ZeroDivisionError b:ZeroDivisionError a:ok"
    );
}

/// A scope that says 1 when it is entered and 3 when it exits, and has 42.
fn test_cm(
    ledger: &Ledger,
) -> impl Member<Held: 'static, Part = u32, Rest: 'static, Error = Never, Verdict = Propagate> + use<>
{
    let (setup, teardown) = (ledger.clone(), ledger.clone());
    acquire(async move || {
        setup.say("1");
        Ok::<_, Never>(42)
    })
    .release(async move |_, _| {
        teardown.say("3");
        Ok(())
    })
}

/// A scope is entered at once, its guard is there, and it exits before what was added earlier.
pub async fn enter_async_context<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        says(stack, &ledger, "4");
        let Ok(guard) = stack.enter(test_cm(&ledger)).await;
        assert_eq!(*guard, 42);
        ledger.say("2");
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    assert_eq!(ledger.trace(), "1 2 3 4");
}

/// The same among callbacks that are not async.
pub async fn enter_context<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        let last = ledger.clone();
        stack.callback(move || last.say("4"));
        let Ok(_) = stack.enter(test_cm(&ledger)).await;
        ledger.say("2");
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    assert_eq!(ledger.trace(), "1 2 3 4");
}

/// An enter that fails adds nothing.
pub async fn enter_async_context_fails<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        let failed = stack.enter(ledger.scope("a").yields(1).enter_fails());
        assert_eq!(failed.await.map(|_| ()), Err(error("enter a")));
        assert!(stack.is_empty());
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    assert_eq!(ledger.trace(), "");
}

/// Closed by hand inside of the body: the exits run there, and not again.
pub async fn close<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        says(stack, &ledger, "1");
        stack.close(Outcome::Success).await?;
        ledger.say("2");
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    assert_eq!(ledger.trace(), "1 2");
}

/// All entries move to a new stack, and none is run.
pub async fn pop_all<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let taken = ExitStack::with(async |stack| {
        says(stack, &ledger, "4");
        says(stack, &ledger, "3");
        let taken = stack.take();
        assert!(stack.is_empty() && !stack.is_closed());
        assert_eq!(taken.len(), 2);
        ledger.say("1");
        Ok::<_, Report>(taken)
    });
    let taken = taken.await.unwrap();
    ledger.say("2");
    assert!(taken.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "1 2 3 4");
}

/// Many entries of every kind: no recursion.
pub async fn excessive_nesting<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        for _ in 0..10_000 {
            stack.callback(|| ());
            stack.defer(async || yield_now().await);
            stack.push((), async |(), _| ());
        }
        assert_eq!(stack.len(), 30_000);
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    // Stacks inside of stacks.
    let mut nested = ExitStack::new();
    for _ in 0..100 {
        let outer = ExitStack::new();
        assert!(outer.enter(nested).await.is_ok());
        nested = outer;
    }
    assert!(nested.close(Outcome::Success).await.is_ok());
}

/// A verdict without an error means nothing.
pub async fn truthy_without_an_error<R: Runtime>(_: R) {
    let stack = ExitStack::recovering();
    stack.push((), async |(), _| Recover::Suppress);
    let verdict = stack.close(Outcome::Success).await;
    assert_eq!(verdict.unwrap(), Recover::Propagate);
}

/// What is added while the stack unwinds runs next.
pub async fn pushed_while_unwinding<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        says(stack, &ledger, "a");
        let (handle, log) = (stack.handle(), ledger.clone());
        stack.defer(async move || {
            log.say("b");
            says(&handle.stack().unwrap(), &log, "c");
        });
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    assert_eq!(ledger.trace(), "b c a");
}

/// An entry that fails is not tried again; all others run, each once.
pub async fn every_entry_once<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    for (name, fails) in [("a", false), ("b", true), ("c", false), ("d", true)] {
        let scope = ledger.scope(name).yields(1);
        let scope = if fails { scope.exit_fails() } else { scope };
        assert!(stack.enter(scope).await.is_ok());
    }
    let first = stack.close(Outcome::Success).await.unwrap_err();
    assert_eq!(texts(&first), ["exit d", "exit b"]);
    let again = stack.close(Outcome::Success).await.unwrap_err();
    assert_eq!(texts(&again), texts(&first));
    assert_eq!(ledger.trace(), "+a +b +c +d ~d !d ~c -c ~b !b ~a -a");
    ledger.check();
}

/// Sync and async entries share one order, and those that are sync do not suspend.
pub async fn one_order<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    for name in ["a", "b"] {
        let log = ledger.clone();
        stack.callback(move || log.say(name));
    }
    let go = waits(&stack, &ledger, "c");
    for name in ["d", "e"] {
        let log = ledger.clone();
        stack.callback(move || log.say(name));
    }
    let mut closing = Box::pin(stack.close(Outcome::Success));
    assert!(poll_once(&mut closing).await.is_pending());
    assert_eq!(ledger.trace(), "e d");
    assert_eq!(go.send(()), Ok(()));
    assert!(poll_once(&mut closing).await.is_ready());
    assert_eq!(ledger.trace(), "e d c b a");
}
