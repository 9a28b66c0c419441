//! Suppressing by type: exactly what was asked for, wherever it is found.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::io;
use std::num::ParseIntError;

use withal_core::{Kind, Reason, Report, ScopeExt, suppress, suppress_nothing, until};
use withal_testing::{Injected, Ledger, block_on, caught};

use crate::app_error::AppError;

type Boxed = Box<dyn Error + Send + Sync>;

fn parse_error() -> ParseIntError {
    "x".parse::<u32>().unwrap_err()
}

#[test]
fn the_one_type() {
    let parse = async |text: &str| {
        let parsed = suppress::<ParseIntError>().with(async |()| text.parse::<u32>());
        parsed.await
    };
    assert_eq!(block_on(parse("4")), Ok(Some(4)));
    assert_eq!(block_on(parse("x")), Ok(None));
}

#[test]
fn another_type_is_passed_on() {
    let failed = suppress::<fmt::Error>().with(async |()| "x".parse::<u32>());
    assert_eq!(block_on(failed), Err(parse_error()));
    // An enum that has the error inside is a type of its own.
    let inside =
        suppress::<ParseIntError>().with(async |()| Err::<(), _>(AppError::Parse(parse_error())));
    assert!(matches!(block_on(inside), Err(AppError::Parse(_))));
}

#[test]
fn one_of_several_types() {
    async fn run(error: Option<Boxed>) -> Result<Option<u32>, Boxed> {
        suppress::<ParseIntError>()
            .or::<fmt::Error>()
            .or::<io::Error>()
            .with(async |()| error.map_or(Ok(1), Err))
            .await
    }
    assert_eq!(block_on(run(None)).unwrap(), Some(1));
    assert_eq!(block_on(run(Some(parse_error().into()))).unwrap(), None);
    assert_eq!(block_on(run(Some(fmt::Error.into()))).unwrap(), None);
    assert_eq!(
        block_on(run(Some(io::Error::other("disk").into()))).unwrap(),
        None
    );
    let other = block_on(run(Some(Injected("other".to_owned()).into())));
    assert!(other.unwrap_err().is::<Injected>());
}

#[test]
fn none_is_given_and_nothing_is_suppressed() {
    let failed = suppress_nothing().with(async |()| "x".parse::<u32>());
    assert_eq!(block_on(failed), Err(parse_error()));
    assert_eq!(
        block_on(suppress_nothing().using(async |()| 7)),
        Ok(Some(7))
    );
    let report = suppress_nothing().with(async |()| Err::<(), _>(Report::msg("whole")));
    assert_eq!(block_on(report).unwrap_err().to_string(), "whole");
    let started = suppress_nothing().or::<ParseIntError>();
    assert_eq!(
        block_on(started.with(async |()| "x".parse::<u32>())),
        Ok(None)
    );
}

#[test]
fn a_string_is_no_type_of_error() {
    let failed = suppress::<fmt::Error>().with(async |()| Err::<(), _>("text".to_owned()));
    assert_eq!(block_on(failed), Err("text".to_owned()));
}

/// A report with a `ParseIntError` first, and the errors of two exits after it.
async fn three(ledger: &Ledger) -> Result<(), Report> {
    let outer = ledger.scope("outer").exit_fails().named("outer");
    outer
        .with(async |_| {
            let inner = ledger.scope("inner").exit_fails().named("inner");
            inner
                .with(async |_| Err::<(), Report>(parse_error().into()))
                .await
        })
        .await
}

#[test]
fn the_primary_of_a_report_is_picked_and_the_next_is_promoted() {
    let ledger = Ledger::new();
    let rest = suppress::<ParseIntError>().with(async |()| three(&ledger).await);
    let rest = block_on(rest).unwrap_err();
    assert_eq!(rest.len(), 2);
    assert_eq!(rest.primary().scope(), Some("inner"));
    assert_eq!(rest.to_string(), "injected error: exit inner");
    assert_eq!(rest.others()[0].scope(), Some("outer"));
    ledger.check();
}

#[test]
fn the_others_of_a_report_are_picked_and_the_primary_stays() {
    let ledger = Ledger::new();
    let rest = suppress::<Injected>().with(async |()| three(&ledger).await);
    let rest = block_on(rest).unwrap_err();
    assert_eq!(rest.len(), 1);
    assert_eq!(
        rest.primary().downcast_ref::<ParseIntError>(),
        Some(&parse_error())
    );
}

#[test]
fn a_report_of_nothing_else_is_suppressed() {
    let ledger = Ledger::new();
    let both = suppress::<Injected>().or::<ParseIntError>();
    assert!(
        block_on(both.with(async |()| three(&ledger).await))
            .unwrap()
            .is_none()
    );
    // One after the other, from the inside out.
    let outer = suppress::<ParseIntError>().with(async |()| {
        let inner = suppress::<Injected>().with(async |()| three(&ledger).await);
        inner.await
    });
    assert!(block_on(outer).unwrap().is_none());
}

#[test]
fn a_report_without_a_match_is_whole() {
    let ledger = Ledger::new();
    let whole = suppress::<fmt::Error>().with(async |()| three(&ledger).await);
    let whole = block_on(whole).unwrap_err();
    assert_eq!(whole.len(), 3);
    assert!(whole.entries().all(|entry| entry.kind() == Kind::Failed));
}

#[test]
fn a_type_inside_of_a_box() {
    let boxed = suppress::<ParseIntError>().with(async |()| Err::<(), Boxed>(parse_error().into()));
    assert!(block_on(boxed).unwrap().is_none());
}

#[test]
fn never_a_panic() {
    let panics = suppress::<Injected>().with(async |()| -> Result<(), Injected> {
        panic!("from the body");
    });
    assert_eq!(block_on(caught(panics)).unwrap_err(), "from the body");
}

#[test]
fn never_a_cancellation() {
    let waits = suppress::<withal_core::Cancelled>()
        .or::<Injected>()
        .with(async |()| pending::<Result<(), Injected>>().await);
    let stop = async { Reason::Requested("enough") };
    let cut = block_on(until(stop, waits)).unwrap_err();
    assert_eq!(cut.cancelled().reason, Reason::Requested("enough"));
}
