//! What a scope yields: a value that the exit takes back and changes, or nothing at all.
//!
//! Run it: `cargo run -p withal-examples -- run yielded_value`

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use withal::{Never, Report, Runtime, ScopeExt, scope};

use crate::Transcript;

pub(crate) const TITLE: &str = "the value of a scope, and a scope without one";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "create session",
    "session 1 connected",
    "close session",
    "session 1 disconnected",
    "maintenance begins",
    "nobody but us",
    "maintenance ends",
];

/// A session; its clones are the same session.
#[derive(Clone)]
struct Session {
    id: u32,
    connected: Arc<AtomicBool>,
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connected = self.connected.load(Ordering::Relaxed);
        let state = if connected {
            "connected"
        } else {
            "disconnected"
        };
        write!(f, "session {} {state}", self.id)
    }
}

/// The body gets the session, and the exit changes it.
#[scope(yields = Session)]
async fn session(rt: impl Runtime, out: Transcript) -> Result<(), Never> {
    out.line("create session");
    rt.sleep(Duration::from_millis(50)).await;
    let connected = Arc::new(AtomicBool::new(true));
    let session = Session { id: 1, connected };
    yield_!(session);
    rt.sleep(Duration::from_millis(50)).await;
    session.connected.store(false, Ordering::Relaxed);
    out.line("close session");
    Ok(())
}

/// A scope that has nothing to give.
#[scope]
async fn maintenance(out: Transcript) -> Result<(), Never> {
    out.line("maintenance begins");
    yield_!();
    out.line("maintenance ends");
    Ok(())
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let session = session(rt.clone(), out.clone()).with(async |session| {
        out.line(&session);
        Ok::<_, Report>(session.clone())
    });
    out.line(session.await?);

    maintenance(out.clone())
        .with(async |()| Ok(out.line("nobody but us")))
        .await
}
