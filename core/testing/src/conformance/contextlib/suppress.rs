//! Suppressing by type: `TestSuppress`.

use std::error::Error;
use std::fmt;
use std::num::ParseIntError;

use withal_core::{ExitStack, Outcome, Report, Runtime, ScopeExt, suppress, suppress_nothing};

use crate::conformance::entries::{error, raises, sees, texts};
use crate::ledger::{Injected, Ledger};

type Boxed = Box<dyn Error + Send + Sync>;

fn type_error() -> ParseIntError {
    "x".parse::<u32>().unwrap_err()
}

/// The body sees nothing.
pub async fn no_result_from_enter<R: Runtime>(_: R) {
    let ended = suppress::<Injected>().using(async |view: &mut ()| *view);
    assert_eq!(ended.await, Ok(Some(())));
}

/// No error: the body's value.
pub async fn no_exception<R: Runtime>(_: R) {
    let ended = suppress::<Injected>().using(async |()| 2_u32.pow(5));
    assert_eq!(ended.await, Ok(Some(32)));
}

/// The type that was named.
pub async fn exact_exception<R: Runtime>(_: R) {
    let ended = suppress::<ParseIntError>().with(async |()| "x".parse::<u32>());
    assert_eq!(ended.await, Ok(None));
}

/// There are no subclasses; the type is found inside of the box that stands for all errors.
pub async fn exception_hierarchy<R: Runtime>(_: R) {
    let ended = suppress::<ParseIntError>()
        .with(async |()| Err::<(), Boxed>(type_error().into()))
        .await;
    assert!(ended.unwrap().is_none());
}

/// Another type is passed on.
pub async fn other_exception<R: Runtime>(_: R) {
    let ended = suppress::<ParseIntError>().with(async |()| Err::<(), _>(error("1/0")));
    assert_eq!(ended.await, Err(error("1/0")));
}

/// No type, nothing suppressed.
pub async fn no_args<R: Runtime>(_: R) {
    let ended = suppress_nothing().with(async |()| Err::<(), _>(error("1/0")));
    assert_eq!(ended.await, Err(error("1/0")));
}

/// Several types.
pub async fn multiple_exception_args<R: Runtime>(_: R) {
    for thrown in [Boxed::from(error("1/0")), Boxed::from(type_error())] {
        let either = suppress::<Injected>().or::<ParseIntError>();
        let ended = either.with(async |()| Err::<(), _>(thrown)).await;
        assert!(ended.unwrap().is_none());
    }
}

/// Reused and nested: the inner error is suppressed, the body goes on, and the outer one is suppressed.
pub async fn suppress_is_reentrant<R: Runtime>(_: R) {
    let ignore = suppress::<Injected>;
    let log = Ledger::new();
    assert_eq!(
        ignore()
            .with(async |()| Err::<(), _>(error("len(5)")))
            .await,
        Ok(None)
    );
    let ended = ignore().with(async |()| {
        let inner = ignore().with(async |()| Err::<(), _>(error("len(5)")));
        assert_eq!(inner.await, Ok(None));
        log.say("continued");
        Err::<(), _>(error("1/0"))
    });
    assert_eq!(ended.await, Ok(None));
    assert_eq!(log.trace(), "continued");
}

/// Two errors of one type around one of another.
fn group() -> Report {
    let mut group = Report::from(error("VE1"));
    group.add(type_error());
    group.add(error("VE2"));
    group
}

/// Out of several errors those that match are taken, and the rest is passed on in its order.
pub async fn suppress_exception_groups<R: Runtime>(_: R) {
    let values = suppress::<Injected>().with(async |()| Err::<(), _>(group()));
    let rest = values.await.unwrap_err();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest.primary().downcast_ref(), Some(&type_error()));
    let types = suppress::<ParseIntError>().with(async |()| Err::<(), _>(group()));
    assert_eq!(texts(&types.await.unwrap_err()), ["VE1", "VE2"]);
    let both = suppress::<Injected>().or::<ParseIntError>();
    assert!(
        both.with(async |()| Err::<(), _>(group()))
            .await
            .unwrap()
            .is_none()
    );
    let neither = suppress::<fmt::Error>().with(async |()| Err::<(), _>(group()));
    assert_eq!(neither.await.unwrap_err().len(), 3);
}

/// The same by the entry of a stack.
pub async fn suppress_exception_groups_in_a_stack<R: Runtime>(_: R) {
    let ended = ExitStack::recovering().with(async |stack| {
        let Ok(_) = stack.enter(suppress::<ParseIntError>()).await;
        Err::<(), _>(group())
    });
    assert_eq!(texts(&ended.await.unwrap_err()), ["VE1", "VE2"]);
    let ended = ExitStack::recovering().with(async |stack| {
        let either = suppress::<Injected>().or::<ParseIntError>();
        let Ok(_) = stack.enter(either).await;
        Err::<(), _>(group())
    });
    assert!(ended.await.unwrap().is_none());
}

/// Two entries that each suppress a part, with one between them that looks.
pub async fn suppress_exception_groups_bit_by_bit<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::recovering().with(async |stack| {
        let Ok(_) = stack.enter(suppress::<ParseIntError>()).await;
        let log = ledger.clone();
        stack.push((), async move |(), outcome: Outcome<'_>| {
            let handled = outcome.downcast_ref::<Injected>().is_some();
            log.say(if handled { "handled" } else { "rest" });
        });
        let Ok(_) = stack.enter(suppress::<Injected>()).await;
        Err::<(), _>(group())
    });
    assert!(ended.await.unwrap().is_none());
    assert_eq!(ledger.trace(), "rest");
}

/// The error of an exit is suppressed by an entry outside of it.
pub async fn suppress_error_of_an_exit<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::recovering().with(async |stack| {
        sees(stack, &ledger, "outer");
        let Ok(_) = stack.enter(suppress::<Injected>()).await;
        raises(stack, "exit");
        Ok::<_, Report>(7)
    });
    assert_eq!(ended.await.unwrap(), Some(7));
    assert_eq!(ledger.trace(), "outer:ok");
}

/// An exit with several errors: what is not named is passed on.
pub async fn suppress_exception_groups_of_an_exit<R: Runtime>(_: R) {
    let ended = ExitStack::recovering().with(async |stack| {
        let Ok(_) = stack.enter(suppress::<Injected>()).await;
        stack.callback(|| Err::<(), _>(group()));
        Ok::<_, Report>(())
    });
    let rest = ended.await.unwrap_err();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest.primary().downcast_ref(), Some(&type_error()));
}
