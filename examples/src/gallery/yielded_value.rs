//! What a scope yields: a value that the exit takes back and changes, or nothing at all.
//!
//! Run it: `cargo run -p withal-examples -- run yielded_value`

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use withal::{Never, Report, Runtime, ScopeExt, acquire};

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

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let (timer, log) = (rt.clone(), out.clone());
    let session = acquire(async || {
        out.line("create session");
        rt.sleep(Duration::from_millis(50)).await;
        let connected = Arc::new(AtomicBool::new(true));
        Ok::<_, Never>(Session { id: 1, connected })
    })
    // The release may outlive this function, so that it owns what it uses.
    .release(async move |session: Session, _| {
        timer.sleep(Duration::from_millis(50)).await;
        session.connected.store(false, Ordering::Relaxed);
        log.line("close session");
        Ok(())
    });
    let Ok(session) = session
        .using(async |session| {
            out.line(&session);
            session.clone()
        })
        .await;
    out.line(session);

    let log = out.clone();
    let maintenance = acquire(async || {
        out.line("maintenance begins");
        Ok::<_, Never>(())
    })
    .release(async move |(), _| {
        log.line("maintenance ends");
        Ok(())
    });
    let Ok(()) = maintenance
        .using(async |()| out.line("nobody but us"))
        .await;
    Ok(())
}
