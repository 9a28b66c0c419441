//! Feature `anyhow`: who asks an outcome or a report for a type sees through `anyhow::Error`.

use std::fmt;
use std::num::ParseIntError;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use withal::{Kept, Never, Outcome, ScopeExt, acquire, null, suppress};
use withal_testing::block_on;

#[derive(Debug, PartialEq)]
struct NoPort(&'static str);

impl fmt::Display for NoPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no port in {:?}", self.0)
    }
}

impl std::error::Error for NoPort {}

fn parse(text: &'static str) -> anyhow::Result<u16> {
    text.parse::<u16>()
        .context(NoPort(text))
        .context("reading the configuration")
}

/// Runs a body that fails with `parse("x")`, and gives what `look` makes of the outcome.
fn seen_by_exit<T: Send + 'static>(look: fn(Outcome<'_>) -> T) -> T {
    let seen = Arc::new(Mutex::new(None));
    let keeper = seen.clone();
    let scope = acquire(async || Ok::<_, Never>(())).release(async move |(), outcome| {
        *keeper.lock().unwrap() = Some(look(outcome));
        Ok(())
    });
    let ended: anyhow::Result<u16> = block_on(scope.with(async |()| parse("x")));
    // The caller gets its own error back, whole.
    let error = ended.unwrap_err();
    assert_eq!(error.to_string(), "reading the configuration");
    assert!(error.downcast_ref::<NoPort>().is_some());
    seen.lock().unwrap().take().expect("the exit has run")
}

#[test]
fn an_exit_sees_the_cause() {
    assert!(seen_by_exit(|outcome| outcome
        .downcast_ref::<ParseIntError>()
        .is_some()));
    assert!(seen_by_exit(|outcome| outcome
        .downcast_ref::<fmt::Error>()
        .is_none()));
}

#[test]
fn an_exit_sees_a_context_that_is_an_error() {
    assert!(seen_by_exit(
        |outcome| outcome.downcast_ref() == Some(&NoPort("x"))
    ));
}

#[test]
fn an_exit_sees_the_whole() {
    assert!(seen_by_exit(|outcome| match outcome {
        Outcome::Failure(failure) => failure.exactly::<anyhow::Error>().is_some(),
        _ => false,
    }));
}

#[test]
fn a_kept_outcome_sees_the_cause_and_expires() {
    let Kept::Failure(failure) = seen_by_exit(|outcome| outcome.keep()) else {
        panic!("the body has failed");
    };
    assert!(failure.is_expired());
    assert!(seen_by_exit(|outcome| match outcome.keep() {
        Kept::Failure(failure) => failure.map(|_: &ParseIntError| ()).is_some(),
        _ => false,
    }));
}

#[test]
fn suppress_finds_the_cause() {
    let parsed: anyhow::Result<Option<u16>> =
        block_on(suppress::<ParseIntError>().with(async |()| parse("x")));
    assert!(parsed.unwrap().is_none());
    let parsed: anyhow::Result<Option<u16>> =
        block_on(suppress::<fmt::Error>().with(async |()| parse("x")));
    assert!(parsed.is_err());
}

#[test]
fn an_error_of_a_scope_is_raised_into_anyhow() {
    let scope = acquire(async || Err::<(), _>(NoPort("y"))).release(async |(), _| Ok(()));
    let ended: anyhow::Result<()> = block_on(scope.with(async |()| Ok(())));
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&NoPort("y")));
    // A scope that cannot fail leaves the body's error as it is.
    let ended: anyhow::Result<()> = block_on(null(()).with(async |()| Err(NoPort("z").into())));
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&NoPort("z")));
}
