//! A file: written, read back, and closed whatever the body does.
//!
//! Run it: `cargo run -p withal-examples -- run file`

use std::io::{self, SeekFrom};

use withal::fs::{self, OpenFile};
use withal::{Protected, Report, Runtime, ScopeExt, acquire};

use crate::Transcript;

pub(crate) const TITLE: &str = "a file, and a wrapper that says when it is open";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "opened",
    "closed after success",
    "opened",
    "closed after success",
    "read back: hello, world",
    "opened",
    "closed after failure: no time to read",
    "caught: no time to read",
    "accepted a byte where no disk reaches",
    "the exit says that it could not be written",
];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    // A scope around another one: it opens the file, and closes it with the outcome of its own body.
    let loud = |file: Protected<OpenFile<R>>| {
        let log = out.clone();
        acquire(async move || {
            let file = file.open().await?;
            out.line("opened");
            io::Result::Ok(file)
        })
        .release(async move |file, outcome| {
            let closed = file.close(outcome).await;
            log.line(format_args!("closed after {outcome}"));
            closed
        })
    };
    let dir = fs::temp_dir(rt);
    dir.with(async |dir| {
        let path = dir.path().join("greeting");
        loud(fs::create(rt, &path))
            .with(async |file| file.write_all(b"hello, world").await)
            .await?;
        let read = loud(fs::open(rt, &path)).with(async |file| {
            let mut text = String::new();
            file.read_to_string(&mut text).await?;
            io::Result::Ok(text)
        });
        out.line(format_args!("read back: {}", read.await?));

        let hasty = loud(fs::open(rt, &path));
        let failed = hasty.with(async |_| Err::<(), _>(Report::msg("no time to read")));
        if let Err(error) = failed.await {
            out.line(format_args!("caught: {error}"));
        }

        // Files write behind their body; the exit waits, and tells.
        let failed = fs::create(rt, &path).with(async |file| {
            file.seek(SeekFrom::Start(i64::MAX as u64)).await?;
            file.write_all(b"!").await?;
            out.line("accepted a byte where no disk reaches");
            io::Result::Ok(())
        });
        if failed.await.is_err() {
            out.line("the exit says that it could not be written");
        }
        Ok(())
    })
    .await
}
