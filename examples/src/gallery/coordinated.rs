//! A database, a cache and a queue, opened together. If one does not open, those before it are released and see why; those after it are never touched.
//!
//! Run it: `cargo run -p withal-examples -- run coordinated`

use std::time::Duration;

use withal::{ExitStack, Report, Runtime, ScopeExt, acquire};

use crate::Transcript;

pub(crate) const TITLE: &str = "three opened together, of which the second may fail";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "open database",
    "open cache",
    "open queue",
    "use database, cache, queue",
    "close queue after success",
    "close cache after success",
    "close database after success",
    "open database",
    "cannot open cache",
    "close database after failure: cache: connection refused",
    "caught: cache: connection refused",
    "a tuple does the same",
];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let tuple = Transcript::new();
    for (out, by_tuple) in [(out, false), (&tuple, true)] {
        together(rt, out, None, by_tuple).await?;
        if let Err(report) = together(rt, out, Some("cache"), by_tuple).await {
            out.line(format_args!("caught: {report}"));
        }
    }
    if tuple.lines() == out.lines() {
        out.line("a tuple does the same");
    }
    Ok(())
}

async fn together<R: Runtime>(
    rt: &R,
    out: &Transcript,
    down: Option<&str>,
    by_tuple: bool,
) -> Result<(), Report> {
    let service = |name: &'static str| {
        let (timer, log) = (rt.clone(), out.clone());
        acquire(async move || {
            rt.sleep(Duration::from_millis(100)).await;
            if down == Some(name) {
                out.line(format_args!("cannot open {name}"));
                return Err(Report::msg(format!("{name}: connection refused")));
            }
            out.line(format_args!("open {name}"));
            Ok(name.to_owned())
        })
        .release(async move |name: String, outcome| {
            timer.sleep(Duration::from_millis(50)).await;
            log.line(format_args!("close {name} after {outcome}"));
            Ok(())
        })
    };
    let [database, cache, queue] = ["database", "cache", "queue"].map(service);
    if by_tuple {
        let all = (database, cache, queue).with(async |(database, cache, queue)| {
            out.line(format_args!("use {database}, {cache}, {queue}"));
            Ok(())
        });
        return all.await;
    }
    ExitStack::with(async |stack| {
        let database = stack.enter(database).await?;
        let cache = stack.enter(cache).await?;
        let queue = stack.enter(queue).await?;
        out.line(format_args!("use {}, {}, {}", *database, *cache, *queue));
        Ok(())
    })
    .await
}
