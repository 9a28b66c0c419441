//! A scope as one `async fn`: what comes before the yield acquires, what comes after it releases.
//!
//! Run it: `cargo run -p withal-examples -- run decorated`

use std::time::Duration;

use withal::{Never, Report, Runtime, ScopeExt, scope};

use crate::Transcript;

pub(crate) const TITLE: &str = "a scope as one async function";
pub(crate) const TRANSCRIPT: &[&str] = &["acquire B", "using B", "release B"];

/// The body sees the name. The scope owns its arguments, for it may outlive the call.
#[scope(yields = String)]
async fn resource(name: String, rt: impl Runtime, out: Transcript) -> Result<(), Never> {
    rt.sleep(Duration::from_millis(100)).await;
    out.line(format_args!("acquire {name}"));
    yield_!(name);
    rt.sleep(Duration::from_millis(100)).await;
    out.line(format_args!("release {name}"));
    Ok(())
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    resource("B".to_owned(), rt.clone(), out.clone())
        .with(async |name| Ok(out.line(format_args!("using {name}"))))
        .await
}
