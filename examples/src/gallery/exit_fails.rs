//! An exit that fails itself. Its error is there at once, and it never hides the body's.
//!
//! Run it: `cargo run -p withal-examples -- run exit_fails`

use withal::{Report, Runtime, ScopeError, ScopeExt, acquire};

use crate::Transcript;

pub(crate) const TITLE: &str = "an exit that fails, after a success and after an error";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "at the `with`: disk full",
    "the exit failed",
    "- exit: disk full",
    "the body failed, and then the exit: disk full",
    "- body: bad value",
    "- exit: disk full",
    "bad value",
    "- also: disk full",
];

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct ValueError(&'static str);

#[derive(Debug, thiserror::Error)]
#[error("disk full")]
struct FlushError;

pub(crate) async fn run<R: Runtime>(_: &R, out: &Transcript) -> Result<(), Report> {
    // A file whose last write fails, which comes out when it is flushed.
    let file = || acquire(async || Ok(())).release(async |(), _| Err::<(), _>(FlushError));

    // The body has succeeded, and so the exit's error is the result, here and not at the end of the program.
    if let Err(error) = file().with(async |()| Ok::<_, Report>("written")).await {
        out.line(format_args!("at the `with`: {error}"));
    }

    // `with_report` says what failed, typed: the exit alone …
    let failed = file()
        .with_report(async |()| Ok::<_, ValueError>("written"))
        .await;
    say(out, failed);
    // … or both.
    let failed = file()
        .with_report(async |()| Err::<&str, _>(ValueError("bad value")))
        .await;
    say(out, failed);

    // A body whose error is a `Report` keeps both, too.
    let failed = file()
        .with(async |()| Err::<&str, Report>(ValueError("bad value").into()))
        .await;
    if let Err(report) = failed {
        out.line(&report);
        for entry in report.others() {
            let also = entry
                .downcast_ref::<FlushError>()
                .expect("there is no other error");
            out.line(format_args!("- also: {also}"));
        }
    }
    Ok(())
}

fn say(out: &Transcript, result: Result<&str, ScopeError<ValueError, FlushError>>) {
    if let Err(error) = result {
        out.line(&error);
        if let Some(body) = error.body() {
            out.line(format_args!("- body: {body}"));
        }
        if let Some(exit) = error.exit() {
            out.line(format_args!("- exit: {exit}"));
        }
    }
}
