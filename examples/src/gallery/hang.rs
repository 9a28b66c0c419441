//! A program with an exit that never ends. The first Ctrl-C begins it, the second gives it up and says where it was entered.
//!
//! Run it: `cargo run -p withal-examples -- run hang --runtime smol`, and press Ctrl-C twice.

use std::future::pending;
use std::time::Duration;

use withal::{Never, Report, Runtime, ScopeExt, acquire};

use crate::Transcript;

pub(crate) const TITLE: &str = "waits for Ctrl-C, and its exit hangs until the second one";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "waiting for Ctrl-C",
    "exit: Shutdown",
    "the other side does not answer",
];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let (timer, log) = (rt.clone(), out.clone());
    let queue = acquire(async || Ok::<_, Never>(())).release(async move |(), outcome| {
        if let Some(reason) = outcome.reason() {
            log.line(format_args!("exit: {reason:?}"));
        }
        timer.sleep(Duration::from_millis(50)).await;
        log.line("the other side does not answer");
        pending::<Result<(), Never>>().await
    });
    queue
        .named("queue")
        .with(async |()| {
            out.line("waiting for Ctrl-C");
            pending().await
        })
        .await
}
