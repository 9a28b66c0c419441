//! A body of 5 s under a timeout of 2 s. When the timeout returns, the scope inside has been released.
//!
//! Run it: `cargo run -p withal-examples -- run timeout`

use std::time::Duration;

use withal::{Never, Report, Runtime, ScopeExt, acquire, timeout};

use crate::Transcript;

pub(crate) const TITLE: &str = "a timeout that returns when everything inside has been released";
pub(crate) const TRANSCRIPT: &[&str] = &["start", "release inner", "timed out after 2 s"];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let limit = Duration::from_secs(2);
    let (timer, log) = (rt.clone(), out.clone());
    let inner = acquire(async || Ok::<_, Never>(())).release(async move |(), _| {
        timer.sleep(Duration::from_millis(100)).await;
        log.line("release inner");
        Ok(())
    });

    let body = inner.using(async |()| {
        out.line("start");
        rt.sleep(Duration::from_secs(5)).await;
        out.line("finished");
    });
    if timeout(rt, limit, body).await.is_err() {
        out.line(format_args!("timed out after {} s", limit.as_secs()));
    }
    Ok(())
}
