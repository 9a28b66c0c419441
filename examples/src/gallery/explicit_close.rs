//! A value with an async `close`: closed at the end of the block, or earlier by hand, but once.
//!
//! Run it: `cargo run -p withal-examples -- run explicit_close`

use std::time::Duration;

use withal::{Close, Never, Report, Runtime, ScopeExt, closing};

use crate::Transcript;

pub(crate) const TITLE: &str = "`closing(value)`, also closed earlier by hand";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "acquired",
    "using",
    "closed",
    "acquired",
    "using",
    "closed",
    "closed by hand, the body goes on",
];

struct Resource<R> {
    open: bool,
    rt: R,
    out: Transcript,
}

impl<R: Runtime> Resource<R> {
    async fn acquire(rt: R, out: Transcript) -> Self {
        rt.sleep(Duration::from_millis(50)).await;
        out.line("acquired");
        Self {
            open: true,
            rt,
            out,
        }
    }

    fn work(&self) {
        self.out.line("using");
    }
}

impl<R: Runtime> Close for Resource<R> {
    type Error = Never;

    async fn close(&mut self) -> Result<(), Never> {
        if self.open {
            self.rt.sleep(Duration::from_millis(50)).await;
            self.open = false;
            self.out.line("closed");
        }
        Ok(())
    }
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let resource = Resource::acquire(rt.clone(), out.clone()).await;
    let Ok(()) = closing(resource)
        .using(async |resource| resource.work())
        .await;

    let resource = Resource::acquire(rt.clone(), out.clone()).await;
    closing(resource)
        .with(async |resource| {
            resource.work();
            let Ok(()) = resource.close().await;
            out.line("closed by hand, the body goes on");
            Ok(())
        })
        .await
}
