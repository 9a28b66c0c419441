//! A scope of two closures that handles one type of error, passes the others on, and always cleans up.
//!
//! Run it: `cargo run -p withal-examples -- run handler`

use std::time::Duration;

use withal::{Never, Outcome, Recover, Report, Runtime, ScopeExt, acquire};

use crate::Transcript;

pub(crate) const TITLE: &str = "a handler for one type of error, as a scope of two closures";
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

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let handler = || {
        let (timer, log) = (rt.clone(), out.clone());
        acquire(async || {
            out.line("set up");
            Ok::<_, Never>(())
        })
        .release(async move |(), outcome| {
            let mut verdict = Recover::Propagate;
            if let Some(error) = outcome.downcast_ref::<ValueError>() {
                log.line(format_args!("handled {error}"));
                verdict = Recover::Suppress;
            } else if let Outcome::Failure(error) = outcome {
                log.line(format_args!("passed on: {error}"));
            }
            timer.sleep(Duration::from_millis(50)).await;
            log.line("clean up");
            Ok(verdict)
        })
    };
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
