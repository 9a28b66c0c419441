//! A program that waits for Ctrl-C. Its scopes exit, from the inside out, and see why.
//!
//! Run it: `cargo run -p withal-examples -- run wait --runtime smol`, and press Ctrl-C.

use std::future::pending;
use std::time::Duration;

use withal::{Never, Report, Runtime, ScopeExt, acquire};

use crate::Transcript;

pub(crate) const TITLE: &str = "waits for Ctrl-C and stops gracefully";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "database is open",
    "server is open",
    "waiting for Ctrl-C",
    "server is closed: Shutdown",
    "database is closed: Shutdown",
];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let part = |name: &'static str| {
        let (timer, log) = (rt.clone(), out.clone());
        acquire(async move || {
            out.line(format_args!("{name} is open"));
            Ok::<_, Never>(())
        })
        .release(async move |(), outcome| {
            timer.sleep(Duration::from_millis(50)).await;
            if let Some(reason) = outcome.reason() {
                log.line(format_args!("{name} is closed: {reason:?}"));
            }
            Ok(())
        })
    };
    part("database")
        .with(async |()| {
            part("server")
                .with(async |()| {
                    out.line("waiting for Ctrl-C");
                    pending().await
                })
                .await
        })
        .await
}
