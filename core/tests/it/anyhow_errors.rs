//! With the feature `anyhow`, exits see through `anyhow::Error`.

use std::future::pending;
use std::io;
use std::num::ParseIntError;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use withal_core::{Kept, Outcome, Reason, ScopeExt, acquire, suppress, until};
use withal_testing::{LostErrors, block_on};

fn parse(text: &str) -> anyhow::Result<u32> {
    text.parse::<u32>()
        .context("reading the port")
        .context("reading the settings")
}

#[test]
fn a_cause_is_suppressed() {
    let parsed = suppress::<ParseIntError>().with(async |()| parse("x"));
    assert!(block_on(parsed).unwrap().is_none());
    let parsed = suppress::<io::Error>().with(async |()| parse("x"));
    assert_eq!(
        block_on(parsed).unwrap_err().to_string(),
        "reading the settings"
    );
    let parsed = suppress::<io::Error>()
        .or::<ParseIntError>()
        .with(async |()| parse("x"));
    assert!(block_on(parsed).unwrap().is_none());
}

#[test]
fn an_exit_finds_a_cause() {
    let found = Arc::new(Mutex::new(Vec::new()));
    let seen = found.clone();
    let scope = acquire(async || anyhow::Ok(())).release(async move |(), outcome: Outcome<'_>| {
        let mut seen = seen.lock().unwrap();
        seen.push(outcome.downcast_ref::<ParseIntError>().is_some());
        seen.push(outcome.downcast_ref::<io::Error>().is_some());
        if let Outcome::Failure(failure) = outcome {
            let error = failure.exactly::<anyhow::Error>();
            seen.push(error.is_some_and(|error| error.chain().count() == 3));
        }
        if let Kept::Failure(kept) = outcome.keep() {
            seen.push(kept.map(|_: &ParseIntError| ()).is_some());
        }
        Ok(())
    });
    let failed = block_on(scope.with(async |()| parse("x"))).unwrap_err();
    assert_eq!(*found.lock().unwrap(), [true, false, true, true]);
    // Nothing was added to the error on its way.
    assert_eq!(failed.chain().count(), 3);
}

#[test]
fn the_error_of_an_exit_is_found_in_what_a_canceller_reports() {
    let scope = acquire(async || anyhow::Ok(()))
        .release(async |(), _| Err::<(), _>(parse("x").unwrap_err()))
        .named("settings");
    let waits = scope.using(async |()| pending::<()>().await);
    let cut = block_on(until(async { Reason::Shutdown }, waits)).unwrap_err();
    let exit = &cut.exits()[0];
    assert!(exit.downcast_ref::<ParseIntError>().is_some());
    assert_eq!(exit.error().unwrap().to_string(), "reading the settings");
}

#[test]
fn beside_an_anyhow_error_the_exit_goes_to_the_hook() {
    let lost = LostErrors::listen();
    let scope = acquire(async || anyhow::Ok(()))
        .release(async |(), _| Err::<(), _>(anyhow::anyhow!("no goodbye")))
        .named("beside anyhow");
    let failed = block_on(scope.with(async |()| parse("x"))).unwrap_err();
    assert_eq!(failed.to_string(), "reading the settings");
    let heard = lost.containing("exit of `beside anyhow`");
    assert_eq!(heard.len(), 1);
    assert!(heard[0].ends_with("no goodbye"));
}
