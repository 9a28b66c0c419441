//! Context managers, from closures and from the trait: `AsyncContextManagerTestCase`, its sync twin, and `TestContextDecorator`.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::sync::Arc;

use futures::channel::mpsc;
use futures::{FutureExt, SinkExt, StreamExt, stream};
use withal_core::{
    BoxScope, Cancelled, ExitStack, Never, Outcome, Propagate, Reason, Recover, Report, Runtime,
    Scope, ScopeError, ScopeExt, acquire, until,
};

use crate::conformance::entries::{error, texts};
use crate::cut::yield_now;
use crate::ledger::{Injected, Ledger, ok};

/// A function that yields once, as two closures: says 1, yields 42, says 999.
pub(super) fn by_closures(ledger: &Ledger) -> BoxScope<u32, Injected> {
    let (setup, teardown) = (ledger.clone(), ledger.clone());
    acquire(async move || {
        yield_now().await;
        setup.say("1");
        ok(42)
    })
    .release(async move |_, _| {
        yield_now().await;
        teardown.say("999");
        ok(())
    })
    .boxed()
}

/// The same as a type.
struct Woohoo(Ledger);

impl Scope for Woohoo {
    type Guard = (u32, Self);
    type Error = Injected;
    type Verdict = Propagate;

    async fn enter(self) -> Result<(u32, Self), Injected> {
        yield_now().await;
        self.0.say("1");
        Ok((42, self))
    }

    async fn exit((_, me): (u32, Self), _: Outcome<'_>) -> Result<Propagate, Injected> {
        yield_now().await;
        me.0.say("999");
        Ok(Propagate)
    }
}

pub(super) fn by_trait(ledger: &Ledger) -> BoxScope<u32, Injected> {
    Woohoo(ledger.clone()).view_as(|(number, _)| number).boxed()
}

const WAYS: [fn(&Ledger) -> BoxScope<u32, Injected>; 2] = [by_closures, by_trait];

/// A manager that is its own guard.
struct Manager(Arc<()>);

impl Scope for Manager {
    type Guard = Self;
    type Error = Injected;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Self, Injected> {
        Ok(self)
    }

    async fn exit(_: Self, _: Outcome<'_>) -> Result<Propagate, Injected> {
        Ok(Propagate)
    }
}

/// The manager itself may be what the body sees.
pub async fn enter<R: Runtime>(_: R) {
    let identity = Arc::new(());
    let manager = Manager(identity.clone());
    let same = manager.using(async |m| Arc::ptr_eq(&m.0, &identity));
    assert_eq!(same.await, Ok(true));
}

/// A stream that is suspended inside of a scope and dropped there: the scope exits, is told so, and nothing else becomes of it.
pub async fn async_gen_propagates_generator_exit<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ledger.scope("around").using(async |_| {
        let (mut items, mut rest) = mpsc::channel(0);
        let ctx = ledger.scope("ctx").yields(1);
        let generator = ctx.using(async move |_| while items.send(11).await.is_ok() {});
        let end = generator.into_stream().filter_map(async |_| None);
        let mut items = Box::pin(stream::select(
            stream::poll_fn(move |cx| rest.poll_next_unpin(cx)),
            end,
        ));
        assert_eq!(items.next().await, Some(11));
        drop(items);
    });
    assert_eq!(ended.await, Ok(()));
    assert_eq!(ledger.trace(), "+around +ctx ~ctx -ctx ~around -around");
    let outcome = ledger.outcome("ctx").unwrap();
    assert_eq!(outcome, "cancelled: the future was dropped");
}

/// Setup, body, teardown; the body has what was yielded.
pub async fn contextmanager_plain<R: Runtime>(_: R) {
    for way in WAYS {
        let ledger = Ledger::new();
        let ended = way(&ledger).using(async |x| {
            assert_eq!(ledger.trace(), "1");
            ledger.say(x.to_string());
        });
        assert_eq!(ended.await, Ok(()));
        assert_eq!(ledger.trace(), "1 42 999");
    }
}

/// The body fails: teardown runs, the error is passed on.
pub async fn contextmanager_finally<R: Runtime>(_: R) {
    for way in WAYS {
        let ledger = Ledger::new();
        let ended = way(&ledger).with(async |x| {
            ledger.say(x.to_string());
            Err::<(), _>(error("ZeroDivisionError"))
        });
        assert_eq!(ended.await, Err(error("ZeroDivisionError")));
        assert_eq!(ledger.trace(), "1 42 999");
    }
}

/// The error comes out as the very value that went in, with nothing around it.
pub async fn contextmanager_traceback<R: Runtime>(_: R) {
    let thrown = Arc::new(error("1/0"));
    let f = acquire(async || Ok::<_, Never>(())).release(async |(), _| {
        yield_now().await;
        Ok(())
    });
    let caught = f.with(async |()| Err::<(), _>(thrown.clone())).await;
    assert!(Arc::ptr_eq(&caught.unwrap_err(), &thrown));
    let stack = ExitStack::new();
    stack.defer(async || yield_now().await);
    let caught = stack
        .with_report(async |_| Err::<(), _>(thrown.clone()))
        .await;
    assert!(Arc::ptr_eq(caught.unwrap_err().body().unwrap(), &thrown));
}

/// An exit that lets the error be has not failed.
pub async fn contextmanager_no_reraise<R: Runtime>(_: R) {
    for way in WAYS {
        let ended = way(&Ledger::new()).with_report(async |_| Err::<(), _>(error("foo")));
        assert_eq!(ended.await, Err(ScopeError::Body(error("foo"))));
    }
}

/// An exit answers the body's error with another one: both are kept, and who wants the new one takes it.
pub async fn contextmanager_non_normalised<R: Runtime>(_: R) {
    let whoo = || {
        acquire(async || ok(())).release(async |(), outcome: Outcome<'_>| match outcome {
            Outcome::Failure(_) => Err(error("SyntaxError")),
            _ => Ok(()),
        })
    };
    let ended = whoo().with_report(async |()| Err::<(), _>(error("RuntimeError")));
    let both = ended.await.unwrap_err();
    assert_eq!(both.exit(), Some(&error("SyntaxError")));
    assert_eq!(both.body(), Some(&error("RuntimeError")));
    let ended = whoo().with(async |()| Err::<(), Report>(error("RuntimeError").into()));
    let both = texts(&ended.await.unwrap_err());
    assert_eq!(both, ["RuntimeError", "SyntaxError"]);
}

/// An exit that handles the error: it has its value, and the statement after the block runs.
pub async fn contextmanager_except<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let (setup, teardown) = (ledger.clone(), ledger.clone());
    let woohoo = acquire(async move || {
        setup.say("1");
        ok(42)
    })
    .release(async move |_, outcome| {
        Ok(match outcome.downcast_ref::<Injected>() {
            Some(Injected(text)) => {
                teardown.say(text);
                Recover::Suppress
            }
            None => Recover::Propagate,
        })
    });
    let ended = woohoo.with(async |x| {
        ledger.say(x.to_string());
        Err::<(), _>(error("999"))
    });
    assert_eq!(ended.await, Ok(None));
    ledger.say("after");
    assert_eq!(ledger.trace(), "1 42 999 after");
}

/// Errors and values of the body that look like a signal of the machinery are only errors and values.
pub async fn contextmanager_except_stopiter<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let woohoo = || {
        let ledger = ledger.clone();
        acquire(async || Ok::<_, Never>(())).release(async move |(), outcome: Outcome<'_>| {
            ledger.say(if outcome.reason().is_none() {
                "no"
            } else {
                "stop"
            });
            Ok(Recover::Propagate)
        })
    };
    for reason in [Reason::Dropped, Reason::Timeout, Reason::Shutdown] {
        let stop = Cancelled::from(reason);
        let raised = woohoo().with(async |()| Err::<(), _>(stop));
        assert_eq!(until(pending(), raised).await.unwrap(), Err(stop));
        let raised = ExitStack::with(async |_| Err::<(), Report>(stop.into())).await;
        assert_eq!(raised.unwrap_err().primary().downcast_ref(), Some(&stop));
    }
    let nothing = woohoo().using(async |()| None::<u32>);
    assert_eq!(nothing.await, Ok(Some(None)));
    assert_eq!(ledger.trace(), "no no no no");
}

/// An error with another one as its cause.
#[derive(Debug)]
struct Caught(Injected);

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("caught")
    }
}

impl Error for Caught {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// An exit wraps the body's error: the new error has the old one as its cause, and the old one is kept beside it.
pub async fn contextmanager_wrap_runtimeerror<R: Runtime>(_: R) {
    let woohoo =
        acquire(async || Ok::<_, Caught>(())).release(
            async |(), outcome: Outcome<'_>| match outcome.downcast_ref::<Injected>() {
                Some(cause) => Err(Caught(cause.clone())),
                None => Ok(()),
            },
        );
    let ended = woohoo.with(async |()| Err::<(), Report>(error("1 / 0").into()));
    let report = ended.await.unwrap_err();
    assert_eq!(report.primary().downcast_ref(), Some(&error("1 / 0")));
    let wrapped = report.others()[0].downcast_ref::<Caught>().unwrap();
    assert_eq!(wrapped.to_string(), "caught");
    let cause = wrapped.source().unwrap();
    assert_eq!(cause.downcast_ref(), Some(&error("1 / 0")));
}

/// The caller wraps the body's error: nothing takes the cause away again, whichever error it is.
pub async fn contextmanager_do_not_unchain_non_stopiteration_exceptions<R: Runtime>(_: R) {
    let ended = by_closures(&Ledger::new()).with(async |_| Err::<(), _>(error("chained")));
    let wrapped = ended.await.map_err(Caught).unwrap_err();
    let again = by_closures(&Ledger::new()).with_report(async |_| Err::<(), _>(wrapped));
    let ScopeError::Body(wrapped) = again.await.unwrap_err() else {
        unreachable!("the exit does not fail");
    };
    assert_eq!(
        wrapped.source().unwrap().downcast_ref(),
        Some(&error("chained"))
    );
}

/// What the arguments of the setup hold is let go when the setup has ended.
pub async fn nokeepref<R: Runtime>(_: R) {
    let argument = Arc::new(());
    let weak = Arc::downgrade(&argument);
    let woohoo = acquire(async move || {
        drop(argument);
        ok(())
    });
    let gone = woohoo.release(async |(), _| Ok(()));
    let gone = gone.using(async |()| weak.upgrade().is_none());
    assert_eq!(gone.await, Ok(true));
}
