//! A scope as one function that handles one type of error at its yield, passes the others on, and always cleans up.
//!
//! Run it: `cargo run -p withal-examples -- run handler`

use std::time::Duration;

use withal::{Kept, Never, Recover, Report, Runtime, ScopeExt, scope};

use crate::Transcript;

pub(crate) const TITLE: &str = "a handler for one type of error, as one async function";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "set up",
    "handled bad value",
    "clean up",
    "goes on without a value",
    "set up",
    "passed on: no such key",
    "clean up",
    "caught no such key",
    "set up",
    "clean up",
    "value 42",
];

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct ValueError(&'static str);

#[derive(Debug, thiserror::Error)]
#[error("no such key")]
struct KeyError;

/// It may suppress, and says so in its type: its callers see an `Option`.
#[scope]
async fn handler(rt: impl Runtime, out: Transcript) -> Result<Recover, Never> {
    out.line("set up");
    let outcome = yield_!();
    let mut verdict = Recover::Propagate;
    if let Some(text) = outcome.map(|error: &ValueError| error.0) {
        out.line(format_args!("handled {text}"));
        verdict = Recover::Suppress;
    } else if let Kept::Failure(error) = outcome {
        out.line(format_args!("passed on: {error}"));
    }
    rt.sleep(Duration::from_millis(50)).await;
    out.line("clean up");
    Ok(verdict)
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let handler = || handler(rt.clone(), out.clone());
    // A handled error is `None`: what may be missing is in the type.
    let value = handler()
        .with(async |()| Err::<u32, _>(ValueError("bad value")))
        .await?;
    if value.is_none() {
        out.line("goes on without a value");
    }
    let failed = handler().with(async |()| Err::<u32, _>(KeyError)).await;
    if let Err(error) = failed {
        out.line(format_args!("caught {error}"));
    }
    if let Some(value) = handler().with(async |()| Ok::<_, Report>(42)).await? {
        out.line(format_args!("value {value}"));
    }
    Ok(())
}
