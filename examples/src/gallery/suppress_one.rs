//! An exit that suppresses one type of error. The caller sees it in the type: an `Option` instead of the value.
//!
//! Run it: `cargo run -p withal-examples -- run suppress_one`

use withal::{Never, Outcome, Recover, Report, Runtime, Scope, ScopeExt, suppress};

use crate::Transcript;

pub(crate) const TITLE: &str = "an exit that suppresses one type of error";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "suppressed bad value",
    "goes on",
    "propagated: no such key",
    "suppress::<ValueError>() does the same",
];

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct ValueError(&'static str);

#[derive(Debug, thiserror::Error)]
#[error("no such key")]
struct KeyError;

/// Suppresses value errors and says so.
struct Forgiving(Transcript);

impl Scope for Forgiving {
    type Guard = Transcript;
    type Error = Never;
    type Verdict = Recover;

    async fn enter(self) -> Result<Transcript, Never> {
        Ok(self.0)
    }

    async fn exit(out: Transcript, outcome: Outcome<'_>) -> Result<Recover, Never> {
        Ok(match outcome.downcast_ref::<ValueError>() {
            Some(error) => {
                out.line(format_args!("suppressed {error}"));
                Recover::Suppress
            }
            None => Recover::Propagate,
        })
    }
}

pub(crate) async fn run<R: Runtime>(_: &R, out: &Transcript) -> Result<(), Report> {
    let forgiving = Forgiving(out.clone());
    let value = forgiving
        .with(async |_| Err::<u32, _>(ValueError("bad value")))
        .await?;
    if value.is_none() {
        out.line("goes on");
    }

    let forgiving = Forgiving(out.clone());
    if let Err(error) = forgiving.with(async |_| Err::<u32, _>(KeyError)).await {
        out.line(format_args!("propagated: {error}"));
    }

    // Nothing to say, only to suppress? There is a scope for that.
    let ready_made = suppress::<ValueError>();
    let value = ready_made
        .with(async |()| Err::<u32, _>(ValueError("bad value")))
        .await?;
    if value.is_none() {
        out.line("suppress::<ValueError>() does the same");
    }
    Ok(())
}
