//! A type that implements `Scope`: an async set-up, an async tear-down, and a method for the body.
//!
//! Run it: `cargo run -p withal-examples -- run resource`

use std::time::Duration;

use withal::{Never, Outcome, Propagate, Report, Runtime, Scope, ScopeExt};

use crate::Transcript;

pub(crate) const TITLE: &str = "a type that implements `Scope`";
pub(crate) const TRANSCRIPT: &[&str] = &["acquire A", "use A", "release A"];

/// A scope and its own guard: what it is made of is also what the body works with.
struct Resource<R> {
    name: &'static str,
    rt: R,
    out: Transcript,
}

impl<R> Resource<R> {
    fn work(&self) {
        self.out.line(format_args!("use {}", self.name));
    }
}

impl<R: Runtime> Scope for Resource<R> {
    type Guard = Self;
    type Error = Never;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Self, Never> {
        self.rt.sleep(Duration::from_millis(100)).await;
        self.out.line(format_args!("acquire {}", self.name));
        Ok(self)
    }

    async fn exit(resource: Self, _: Outcome<'_>) -> Result<Propagate, Never> {
        resource.rt.sleep(Duration::from_millis(100)).await;
        resource.out.line(format_args!("release {}", resource.name));
        Ok(Propagate)
    }
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let resource = Resource {
        name: "A",
        rt: rt.clone(),
        out: out.clone(),
    };
    resource
        .with(async |resource| {
            resource.work();
            Ok(())
        })
        .await
}
