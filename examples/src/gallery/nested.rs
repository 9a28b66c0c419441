//! Three scopes, one in the other: entered from the outside in, exited from the inside out. A tuple of scopes does the same.
//!
//! Run it: `cargo run -p withal-examples -- run nested`

use std::time::Duration;

use withal::{Never, Report, Runtime, ScopeExt, acquire};

use crate::Transcript;

pub(crate) const TITLE: &str = "three scopes, one in the other";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "acquire A",
    "acquire B",
    "acquire C",
    "use A B C",
    "release C",
    "release B",
    "release A",
    "as a tuple",
    "acquire A",
    "acquire B",
    "acquire C",
    "use A B C",
    "release C",
    "release B",
    "release A",
];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
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
    resource("A")
        .with(async |a| {
            resource("B")
                .with(async |b| {
                    resource("C")
                        .with(async |c| {
                            out.line(format_args!("use {a} {b} {c}"));
                            Ok::<_, Report>(())
                        })
                        .await
                })
                .await
        })
        .await?;

    out.line("as a tuple");
    (resource("A"), resource("B"), resource("C"))
        .with(async |(a, b, c)| {
            out.line(format_args!("use {a} {b} {c}"));
            Ok(())
        })
        .await
}
