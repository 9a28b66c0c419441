//! The exit sees the body's error: its type, its text. The error goes on to the caller.
//!
//! Run it: `cargo run -p withal-examples -- run sees_error`

use withal::{Never, Outcome, Propagate, Report, Runtime, Scope, ScopeExt};

use crate::Transcript;

pub(crate) const TITLE: &str = "an exit that looks at the body's error";
pub(crate) const TRANSCRIPT: &[&str] = &["body", "exit: ValueError test", "caught test"];

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct ValueError(&'static str);

/// Watches how its body ends.
struct Watch(Transcript);

impl Scope for Watch {
    type Guard = Transcript;
    type Error = Never;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Transcript, Never> {
        Ok(self.0)
    }

    async fn exit(out: Transcript, outcome: Outcome<'_>) -> Result<Propagate, Never> {
        match outcome.downcast_ref::<ValueError>() {
            Some(error) => out.line(format_args!("exit: ValueError {error}")),
            None => out.line(format_args!("exit: {outcome}")),
        }
        Ok(Propagate)
    }
}

pub(crate) async fn run<R: Runtime>(_: &R, out: &Transcript) -> Result<(), Report> {
    let failed = Watch(out.clone())
        .with(async |_| {
            out.line("body");
            Err::<(), _>(ValueError("test"))
        })
        .await;
    if let Err(error) = failed {
        out.line(format_args!("caught {error}"));
    }
    Ok(())
}
