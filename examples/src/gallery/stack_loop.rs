//! An exit stack: scopes entered in a loop, as many as there happen to be, and exited in reverse.
//!
//! Run it: `cargo run -p withal-examples -- run stack_loop`

use std::time::Duration;

use withal::{ExitStack, Never, Report, Runtime, acquire};

use crate::Transcript;

pub(crate) const TITLE: &str = "an exit stack, entered in a loop";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "acquire 0",
    "acquire 1",
    "acquire 2",
    "using [0, 1, 2]",
    "release 2",
    "release 1",
    "release 0",
];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let resource = |number: usize| {
        let (timer, log) = (rt.clone(), out.clone());
        acquire(async move || {
            out.line(format_args!("acquire {number}"));
            Ok::<_, Never>(number)
        })
        .release(async move |number, _| {
            timer.sleep(Duration::from_millis(50)).await;
            log.line(format_args!("release {number}"));
            Ok(())
        })
    };
    ExitStack::with(async |stack| {
        let mut entered = Vec::new();
        for number in 0..3 {
            let Ok(resource) = stack.enter(resource(number)).await;
            entered.push(resource);
        }
        // What `enter` gives is a lease on the guard: the stack has it back when the lease is dropped.
        let numbers: Vec<usize> = entered.iter().map(|resource| **resource).collect();
        out.line(format_args!("using {numbers:?}"));
        Ok(())
    })
    .await
}
