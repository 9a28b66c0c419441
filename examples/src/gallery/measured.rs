//! A function that runs inside of a scope, made anew for each call.
//!
//! Run it: `cargo run -p withal-examples -- run measured`

use std::time::Duration;

use withal::{Never, Report, Runtime, scope, within};

use crate::Transcript;

pub(crate) const TITLE: &str = "a function that is measured at each call";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "[fetch] start",
    "[fetch] done in 1.000 s",
    "data",
    "[fetch] start",
    "[fetch] done in 1.000 s",
    "data",
];

#[scope]
async fn measure(name: &'static str, rt: impl Runtime, out: Transcript) -> Result<(), Never> {
    let start = rt.now();
    out.line(format_args!("[{name}] start"));
    yield_!();
    let elapsed = (rt.now() - start).as_secs_f64();
    out.line(format_args!("[{name}] done in {elapsed:.3} s"));
    Ok(())
}

/// The scope may use the arguments; the value of the function comes through.
#[within(measure("fetch", rt.clone(), out.clone()))]
async fn fetch<R: Runtime>(rt: &R, out: &Transcript) -> &'static str {
    rt.sleep(Duration::from_secs(1)).await;
    "data"
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    for _ in 0..2 {
        let data = fetch(rt, out).await;
        out.line(data);
    }
    Ok(())
}
