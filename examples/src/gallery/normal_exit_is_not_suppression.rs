//! An exit that would suppress everything has nothing to suppress when the body succeeds: the value arrives.
//!
//! Run it: `cargo run -p withal-examples -- run normal_exit_is_not_suppression`

use withal::{Never, Recover, Report, Runtime, ScopeExt, acquire};

use crate::Transcript;

pub(crate) const TITLE: &str = "suppression leaves a success alone";
pub(crate) const TRANSCRIPT: &[&str] = &["exit after success", "value Some(42)"];

pub(crate) async fn run<R: Runtime>(_: &R, out: &Transcript) -> Result<(), Report> {
    let log = out.clone();
    let swallow = acquire(async || Ok::<_, Never>(())).release(async move |(), outcome| {
        log.line(format_args!("exit after {outcome}"));
        Ok(Recover::Suppress)
    });
    let value = swallow.with(async |()| Ok::<_, Report>(42)).await?;
    out.line(format_args!("value {value:?}"));
    Ok(())
}
