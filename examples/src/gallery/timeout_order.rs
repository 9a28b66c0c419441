//! A timeout in the connection's block bounds the query and keeps the connection; around the block it bounds the waiting for one, too.
//!
//! Run it: `cargo run -p withal-examples -- run timeout_order`

use std::time::Duration;

use withal::{Never, Report, Runtime, ScopeExt, acquire, timeout};

use crate::Transcript;

pub(crate) const TITLE: &str = "a timeout inside of a connection's block, and around it";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "inside: the query",
    "- taken",
    "- timed out",
    "- the connection still works",
    "- returned after success",
    "around: the query",
    "- taken",
    "- returned after cancelled: the time was up",
    "- timed out",
    "around: the waiting",
    "- timed out",
];

const LIMIT: Duration = Duration::from_millis(200);
const SHORT: Duration = Duration::from_millis(50);
const TOO_LONG: Duration = Duration::from_secs(5);

struct Connection<R>(R);

impl<R: Runtime> Connection<R> {
    async fn query(&self, takes: Duration) {
        self.0.sleep(takes).await;
    }
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    // A stand-in for a pool: what it does is to let us wait for a connection.
    let checkout = |wait| {
        let log = out.clone();
        acquire(async move || {
            rt.sleep(wait).await;
            out.line("- taken");
            Ok::<_, Never>(Connection(rt.clone()))
        })
        .release(async move |_connection, outcome| {
            log.line(format_args!("- returned after {outcome}"));
            Ok(())
        })
    };

    out.line("inside: the query");
    let Ok(()) = checkout(SHORT)
        .using(async |connection| {
            if timeout(rt, LIMIT, connection.query(TOO_LONG))
                .await
                .is_err()
            {
                out.line("- timed out");
            }
            connection.query(SHORT).await;
            out.line("- the connection still works");
        })
        .await;

    for (protects, wait) in [("query", SHORT), ("waiting", TOO_LONG)] {
        out.line(format_args!("around: the {protects}"));
        let block = checkout(wait).using(async |connection| connection.query(TOO_LONG).await);
        if timeout(rt, LIMIT, block).await.is_err() {
            out.line("- timed out");
        }
    }
    Ok(())
}
