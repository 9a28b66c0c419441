//! Functions whose whole body is in a scope: the decorator tests, and `TestContextDecorator`.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use withal_core::{Bracket, Never, Outcome, Propagate, Recover, Runtime, Scope, ScopeExt, sync};

use super::managers::{by_closures, by_trait};
use crate::conformance::entries::{error, seen};
use crate::cut::{poll_once, yield_now};
use crate::ledger::{Injected, Ledger, ok};

type Recursion<'a> = Pin<Box<dyn Future<Output = Result<(), Injected>> + Send + 'a>>;

/// A function whose whole body is in a scope calls itself: each call has a scope of its own.
pub async fn recursive<R: Runtime>(_: R) {
    fn recurse(ledger: &Ledger, depth: usize) -> Recursion<'_> {
        Box::pin(async move {
            let woohoo = ledger.scope(format!("{depth}")).yields(1);
            woohoo
                .with(async |_| match depth {
                    10 => ok(()),
                    _ => recurse(ledger, depth + 1).await,
                })
                .await
        })
    }
    let ledger = Ledger::new();
    assert_eq!(recurse(&ledger, 1).await, Ok(()));
    ledger.check();
    assert_eq!(ledger.entered(), 10);
    let expected: Vec<_> = (1..=10)
        .map(|depth| format!("+{depth}"))
        .chain(
            (1..=10)
                .rev()
                .flat_map(|depth| [format!("~{depth}"), format!("-{depth}")]),
        )
        .collect();
    assert_eq!(ledger.trace(), expected.join(" "));
}

/// A function whose whole body is in a scope: entered during the call only.
pub async fn decorator<R: Runtime>(_: R) {
    async fn test(ledger: &Ledger) -> Result<(), Injected> {
        let context = ledger.scope("context");
        context.using(async |_| assert_eq!(ledger.live(), 1)).await
    }
    let ledger = Ledger::new();
    let call = test(&ledger);
    assert_eq!(ledger.entered(), 0);
    assert_eq!(call.await, Ok(()));
    assert_eq!(ledger.live(), 0);
    assert_eq!(ledger.outcome("context").as_deref(), Some("success"));
}

/// The same, and the function fails.
pub async fn decorator_with_exception<R: Runtime>(_: R) {
    async fn test(ledger: &Ledger) -> Result<(), Injected> {
        let context = ledger.scope("context");
        context.with(async |_| Err(error("foo"))).await
    }
    let ledger = Ledger::new();
    assert_eq!(test(&ledger).await, Err(error("foo")));
    assert_eq!(ledger.live(), 0);
    let outcome = ledger.outcome("context").unwrap();
    assert_eq!(outcome, "failure: injected error: foo");
}

/// A method whose whole body is in a scope has its receiver and its arguments as they are.
pub async fn decorating_method<R: Runtime>(_: R) {
    #[derive(Debug, Default, PartialEq)]
    struct Test<'a>(&'a str, String, Option<u8>);

    impl<'a> Test<'a> {
        async fn method(&mut self, a: &'a str, b: String, c: Option<u8>) -> Result<(), Never> {
            sync(()).using(async |()| *self = Test(a, b, c)).await
        }
    }
    let mut test = Test::default();
    let Ok(()) = test.method("a", "b".to_owned(), None).await;
    assert_eq!(test, Test("a", "b".to_owned(), None));
    let Ok(()) = test.method("a", "b".to_owned(), Some(3)).await;
    assert_eq!(test.2, Some(3));
}

/// A manager that notes what its exit sees, and catches if it is told to.
struct Context {
    exc: Arc<Mutex<Vec<String>>>,
    catch: Recover,
}

impl Scope for Context {
    type Guard = Self;
    type Error = Never;
    type Verdict = Recover;

    async fn enter(self) -> Result<Self, Never> {
        Ok(self)
    }

    async fn exit(me: Self, outcome: Outcome<'_>) -> Result<Recover, Never> {
        yield_now().await;
        me.exc.lock().unwrap().push(seen("exc", &outcome));
        Ok(me.catch)
    }
}

fn context(exc: &Arc<Mutex<Vec<String>>>, catch: Recover) -> Context {
    let exc = exc.clone();
    Context { exc, catch }
}

/// The exit is told of a success.
pub async fn contextdecorator<R: Runtime>(_: R) {
    let exc = Arc::default();
    let Ok(ended) = context(&exc, Recover::Propagate)
        .using(async |c| Arc::ptr_eq(&c.exc, &exc))
        .await;
    assert_eq!(ended, Some(true));
    assert_eq!(*exc.lock().unwrap(), ["exc:ok"]);
}

/// The exit is told the error, and may catch it.
pub async fn contextdecorator_with_exception<R: Runtime>(_: R) {
    let exc = Arc::default();
    let run = async |catch| {
        let body = async |_: &mut Context| Err::<(), _>(error("foo"));
        context(&exc, catch).with(body).await
    };
    assert_eq!(run(Recover::Propagate).await, Err(error("foo")));
    assert_eq!(run(Recover::Suppress).await, Ok(None));
    assert_eq!(*exc.lock().unwrap(), ["exc:foo", "exc:foo"]);
}

/// A function that makes a scope makes a new one for each use.
pub async fn contextmanager_as_decorator<R: Runtime>(_: R) {
    async fn test(ledger: &Ledger, x: &str) -> Result<(), Injected> {
        by_closures(ledger).using(async |_| ledger.say(x)).await
    }
    let ledger = Ledger::new();
    assert_eq!(test(&ledger, "something").await, Ok(()));
    assert_eq!(test(&ledger, "else").await, Ok(()));
    assert_eq!(ledger.trace(), "1 something 999 1 else 999");
}

/// The methods are on whatever is a scope, wherever its type comes from; until it is run, nothing happens.
pub async fn contextdecorator_as_mixin<R: Runtime>(_: R) {
    async fn foreign<S>(scope: S) -> Result<(), S::Error>
    where
        S: Bracket<Held: 'static, Verdict = Propagate>,
    {
        let mut run = Box::pin(scope.using(async |_| ()));
        assert!(poll_once(&mut run).await.is_pending());
        run.await
    }
    let ledger = Ledger::new();
    let never_run = by_trait(&ledger);
    assert_eq!(foreign(by_trait(&ledger)).await, Ok(()));
    drop(never_run);
    assert_eq!(ledger.trace(), "1 999");
}
