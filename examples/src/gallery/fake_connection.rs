//! A connection that takes its time: half a second to connect, a tenth to query, a tenth to close.
//!
//! Run it: `cargo run -p withal-examples -- run fake_connection`
//!
//! Usually only the guard has the methods, so that a query without a connection does not compile:
//!
//! ```compile_fail
//! struct Connect; // the scope
//! struct Connection; // its guard
//! impl Connection { fn query(&self, sql: &str) {} }
//! Connect.query("SELECT 1"); // no method named `query` found for struct `Connect`
//! ```
//!
//! Here one type is both, as in dynamic languages, and a query that comes too early is an error.

use std::time::Duration;

use withal::{Never, Outcome, Propagate, Report, Runtime, Scope, ScopeExt};

use crate::Transcript;

pub(crate) const TITLE: &str = "a connection that cannot be used before it is open";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "not connected",
    "connect localhost:5432",
    "result of SELECT * FROM users",
    "close",
];

struct Connection<R> {
    connected: bool,
    rt: R,
    out: Transcript,
}

impl<R: Runtime> Connection<R> {
    async fn query(&self, sql: &str) -> Result<String, Report> {
        if !self.connected {
            return Err(Report::msg("not connected"));
        }
        self.rt.sleep(Duration::from_millis(100)).await;
        Ok(format!("result of {sql}"))
    }
}

impl<R: Runtime> Scope for Connection<R> {
    type Guard = Self;
    type Error = Never;
    type Verdict = Propagate;

    async fn enter(mut self) -> Result<Self, Never> {
        self.out.line("connect localhost:5432");
        self.rt.sleep(Duration::from_millis(500)).await;
        self.connected = true;
        Ok(self)
    }

    async fn exit(connection: Self, _: Outcome<'_>) -> Result<Propagate, Never> {
        connection.rt.sleep(Duration::from_millis(100)).await;
        connection.out.line("close");
        Ok(Propagate)
    }
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let connection = Connection {
        connected: false,
        rt: rt.clone(),
        out: out.clone(),
    };
    if let Err(error) = connection.query("SELECT 1").await {
        out.line(error);
    }
    connection
        .with(async |connection| {
            out.line(connection.query("SELECT * FROM users").await?);
            Ok(())
        })
        .await
}
