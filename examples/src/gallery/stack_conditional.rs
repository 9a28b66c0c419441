//! An exit stack: a scope that is entered only if it is asked for.
//!
//! Run it: `cargo run -p withal-examples -- run stack_conditional`

use std::time::Duration;

use withal::{ExitStack, Never, Report, Runtime, acquire};

use crate::Transcript;

pub(crate) const TITLE: &str = "an exit stack, with a lock only if it is asked for";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "acquire db",
    "acquire client",
    "acquire lock",
    "use db and client",
    "release lock",
    "release client",
    "release db",
    "acquire db",
    "acquire client",
    "use db and client",
    "release client",
    "release db",
];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    update(rt, out, true).await?;
    update(rt, out, false).await
}

async fn update<R: Runtime>(rt: &R, out: &Transcript, exclusive: bool) -> Result<(), Report> {
    let resource = |name: &'static str| {
        let (timer, log) = (rt.clone(), out.clone());
        acquire(async move || {
            out.line(format_args!("acquire {name}"));
            Ok::<_, Never>(name.to_owned())
        })
        .release(async move |name: String, _| {
            timer.sleep(Duration::from_millis(50)).await;
            log.line(format_args!("release {name}"));
            Ok(())
        })
    };
    ExitStack::with(async |stack| {
        let Ok(db) = stack.enter(resource("db")).await;
        let Ok(client) = stack.enter(resource("client")).await;
        if exclusive {
            // The stack holds it: not to the end of this block, but to that of the body.
            let Ok(_) = stack.enter(resource("lock")).await;
        }
        out.line(format_args!("use {} and {}", *db, *client));
        Ok(())
    })
    .await
}
