//! Measures the time of a body: as an async scope, and as a plain guard that measures until it is dropped.
//!
//! Run it: `cargo run -p withal-examples -- run timer`

use std::time::Duration;

use withal::{Never, Report, Runtime, ScopeExt, acquire, sync};

use crate::Transcript;

pub(crate) const TITLE: &str = "a scope that measures its body, and a sync guard beside it";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "started 0.00 s ago",
    "working",
    "elapsed 1.00 s",
    "parse: elapsed 0.10 s",
    "fetch: elapsed 0.20 s",
];

/// Says when it is dropped how long it has lived.
struct Stopwatch<R: Runtime> {
    name: &'static str,
    started: Duration,
    rt: R,
    out: Transcript,
}

impl<R: Runtime> Drop for Stopwatch<R> {
    fn drop(&mut self) {
        let elapsed = (self.rt.now() - self.started).as_secs_f64();
        let name = self.name;
        self.out.line(format_args!("{name}elapsed {elapsed:.2} s"));
    }
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    // The body sees the start time; the exit takes it back and says how long it was.
    let timer = |name: &'static str| {
        let (clock, log) = (rt.clone(), out.clone());
        acquire(async || Ok::<_, Never>(rt.now())).release(async move |started: Duration, _| {
            let elapsed = (clock.now() - started).as_secs_f64();
            log.line(format_args!("{name}elapsed {elapsed:.2} s"));
            Ok(())
        })
    };
    let Ok(()) = timer("")
        .using(async |started| {
            let ago = (rt.now() - *started).as_secs_f64();
            out.line(format_args!("started {ago:.2} s ago"));
            out.line("working");
            rt.sleep(Duration::from_secs(1)).await;
        })
        .await;

    // The sync variant, inside of an async one with a name.
    timer("fetch: ")
        .with(async |_| {
            rt.sleep(Duration::from_millis(100)).await;
            let parse = sync(Stopwatch {
                name: "parse: ",
                started: rt.now(),
                rt: rt.clone(),
                out: out.clone(),
            });
            let Ok(()) = parse
                .using(async |_| rt.sleep(Duration::from_millis(100)).await)
                .await;
            Ok(())
        })
        .await
}
