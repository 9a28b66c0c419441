//! What becomes of errors in an exit stack: the tests of `TestBaseExitStack` and `TestAsyncExitStack` about chains, contexts and suppression.

use std::error::Error;
use std::fmt;

use withal_core::{
    ExitStack, Member, Outcome, Propagate, Recover, Report, Runtime, ScopeExt, acquire,
};

use crate::conformance::entries::{error, raises, says, sees, suppresses, texts};
use crate::cut::yield_now;
use crate::ledger::{Injected, Ledger};

/// An exit that does not suppress: the body's error is passed on.
pub async fn exit_raise<R: Runtime>(_: R) {
    let ended = ExitStack::recovering().with(async |stack| {
        stack.push((), async |(), _| Recover::Propagate);
        Err::<(), Report>(error("ZeroDivisionError").into())
    });
    assert_eq!(texts(&ended.await.unwrap_err()), ["ZeroDivisionError"]);
}

/// An exit that suppresses.
pub async fn exit_suppress<R: Runtime>(_: R) {
    let ended = ExitStack::recovering().with(async |stack| {
        stack.push((), async |(), _| Recover::Suppress);
        Err::<(), Report>(error("ZeroDivisionError").into())
    });
    assert!(ended.await.unwrap().is_none());
}

/// The body fails and so does a callback: the body's error is not lost, and is as it was.
pub async fn exit_exception_traceback<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        raises(stack, "ValueError");
        Err::<(), Report>(error("ZeroDivisionError").into())
    });
    let report = ended.await.unwrap_err();
    assert_eq!(texts(&report), ["ZeroDivisionError", "ValueError"]);
    assert!(report.primary().location().is_none(), "nothing was added");
    let callback = &report.others()[0];
    assert_eq!(callback.scope(), Some("defer"));
    assert!(callback.location().unwrap().file().ends_with("entries.rs"));
}

/// A scope whose exit fails with these errors, the first of them first.
fn raising<const N: usize>(
    errors: &'static [&'static str; N],
) -> impl Member<Held: 'static, View = (), Part = (), Rest: 'static, Error = Report, Verdict = Propagate>
{
    acquire(async || Ok::<_, Report>(())).release(async |(), _| {
        yield_now().await;
        Err::<(), _>(several(errors))
    })
}

fn several(errors: &[&str]) -> Report {
    let mut report = Report::from(error(errors[0]));
    for text in &errors[1..] {
        report.add(error(text));
    }
    report
}

/// What nested scopes give, which a stack must give as well: what was suppressed is gone, everything else is there.
pub async fn exit_exception_chaining_reference<R: Runtime>(_: R) {
    let suppressor =
        acquire(async || Ok::<_, Report>(())).release(async |(), _| Ok(Recover::Suppress));
    let ended = raising(&["IndexError"])
        .with(async |()| {
            raising(&["AttributeError", "KeyError"])
                .with(async |()| {
                    suppressor
                        .with(async |()| {
                            raising(&["ValueError"])
                                .with(async |()| Err::<(), Report>(error("ZeroDivision").into()))
                                .await
                        })
                        .await?;
                    Ok(())
                })
                .await
        })
        .await;
    let left = texts(&ended.unwrap_err());
    assert_eq!(left, ["AttributeError", "KeyError", "IndexError"]);
}

/// The suppressor sees the newest error; what it has handled is gone, what comes later is all there.
pub async fn async_exit_exception_chaining<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::recovering().with(async |stack| {
        raises(stack, "IndexError");
        raises(stack, "KeyError");
        raises(stack, "AttributeError");
        suppresses(stack, &ledger);
        raises(stack, "ValueError");
        Err::<(), Report>(error("ZeroDivisionError").into())
    });
    let left = texts(&ended.await.unwrap_err());
    assert_eq!(left, ["AttributeError", "KeyError", "IndexError"]);
    assert_eq!(ledger.trace(), "suppressed:ValueError");
}

/// The same with callbacks that are not async.
pub async fn exit_exception_chaining<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::recovering().with(async |stack| {
        stack.callback(|| Err::<(), _>(error("IndexError")));
        stack.callback(|| Err::<(), _>(error("KeyError")));
        stack.callback(|| Err::<(), _>(error("AttributeError")));
        suppresses(stack, &ledger);
        stack.callback(|| Err::<(), _>(error("ValueError")));
        Err::<(), Report>(error("ZeroDivisionError").into())
    });
    let left = texts(&ended.await.unwrap_err());
    assert_eq!(left, ["AttributeError", "KeyError", "IndexError"]);
    assert_eq!(ledger.trace(), "suppressed:ValueError");
}

/// An exit that replaces the error and keeps nothing of the old one: one entry that suppresses, and one that fails outside of it.
fn my_cm(ledger: &Ledger) -> ExitStack<Recover> {
    let stack = ExitStack::recovering();
    raises(&stack, "MyException");
    suppresses(&stack, ledger);
    stack
}

/// What was replaced for good does not come back, be the exit in a stack or not.
pub async fn async_exit_exception_explicit_none_context<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let alone = my_cm(&ledger).with(async |_| Err::<(), Report>(error("IndexError").into()));
    assert_eq!(texts(&alone.await.unwrap_err()), ["MyException"]);
    let inside = ExitStack::recovering().with(async |stack| {
        sees(stack, &ledger, "outer");
        let inner = stack.enter(my_cm(&ledger)).await?;
        drop(inner);
        Err::<(), Report>(error("IndexError").into())
    });
    assert_eq!(texts(&inside.await.unwrap_err()), ["MyException"]);
    assert_eq!(
        ledger.trace(),
        "suppressed:IndexError suppressed:IndexError outer:MyException"
    );
}

/// The same with exits that never suspend.
pub async fn exit_exception_explicit_none_context<R: Runtime>(_: R) {
    let ended = ExitStack::recovering().with(async |stack| {
        stack.callback(|| Err::<(), _>(error("MyException")));
        stack.push((), async |(), _| Recover::Suppress);
        Err::<(), Report>(error("IndexError").into())
    });
    let report = ended.await.unwrap_err();
    // It is the only one, and so it can be had by value.
    assert_eq!(report.downcast::<Injected>().unwrap(), error("MyException"));
}

/// A body that succeeds: the errors of exits are not hidden by the exits after them; one that suppresses drops those before it.
pub async fn exit_exception_non_suppressing<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        says(stack, &ledger, "runs");
        raises(stack, "IndexError");
        Ok::<_, Report>(())
    });
    assert_eq!(texts(&ended.await.unwrap_err()), ["IndexError"]);
    let ended = ExitStack::recovering().with(async |stack| {
        raises(stack, "KeyError");
        suppresses(stack, &ledger);
        raises(stack, "IndexError");
        Ok::<_, Report>(())
    });
    assert_eq!(texts(&ended.await.unwrap_err()), ["KeyError"]);
    assert_eq!(ledger.trace(), "runs suppressed:IndexError");
}

/// Each exit replaces the error: all are there, each once, in the order of time.
pub async fn exit_exception_with_correct_context<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        for text in [&["exc4"], &["exc3"], &["exc2"]] {
            stack.enter(raising(text)).await?;
        }
        Err::<(), Report>(error("exc1").into())
    });
    let all = texts(&ended.await.unwrap_err());
    assert_eq!(all, ["exc1", "exc2", "exc3", "exc4"]);
}

/// Exits that have several errors themselves.
pub async fn exit_exception_with_existing_context<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        stack.callback(|| Err::<(), _>(several(&["exc4", "exc5"])));
        stack.callback(|| Err::<(), _>(several(&["exc2", "exc3"])));
        Err::<(), Report>(error("exc1").into())
    });
    let all = texts(&ended.await.unwrap_err());
    assert_eq!(all, ["exc1", "exc2", "exc3", "exc4", "exc5"]);
}

/// The only entry suppresses: nothing escapes.
pub async fn body_exception_suppress<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::recovering().with(async |stack| {
        suppresses(stack, &ledger);
        Err::<(), Report>(error("1/0").into())
    });
    assert!(ended.await.unwrap().is_none());
}

/// The outermost entry suppresses what the inner exits came up with; the body's value stays.
pub async fn exit_exception_chaining_suppress<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::recovering().with(async |stack| {
        suppresses(stack, &ledger);
        raises(stack, "ZeroDivisionError");
        raises(stack, "KeyError");
        Ok::<_, Report>(7)
    });
    assert_eq!(ended.await.unwrap(), Some(7));
    assert_eq!(ledger.trace(), "suppressed:ZeroDivisionError");
}

/// A new error with the body's as its cause.
#[derive(Debug)]
struct Unique(Injected);

impl fmt::Display for Unique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("new exception")
    }
}

impl Error for Unique {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// An inner exit that passes the error on does not count as one that fails, and an outer one wraps it.
pub async fn dont_reraise_runtime_error<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        stack.push((), async |(), outcome: Outcome<'_>| {
            match outcome.downcast_ref::<Injected>() {
                Some(cause) => Err(Unique(cause.clone())),
                None => Ok(()),
            }
        });
        stack.push((), async |(), outcome: Outcome<'_>| {
            assert!(outcome.downcast_ref::<Injected>().is_some());
        });
        Err::<(), Report>(error("please no infinite loop").into())
    });
    let report = ended.await.unwrap_err();
    assert_eq!(report.len(), 2);
    let unique = report.others()[0].downcast_ref::<Unique>().unwrap();
    let cause = unique.source().unwrap();
    assert_eq!(
        cause.downcast_ref(),
        Some(&error("please no infinite loop"))
    );
    assert!(cause.source().is_none());
}
