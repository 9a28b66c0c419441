//! A directory that exists only inside of a block. It is made and removed where blocking is allowed.
//!
//! Run it: `cargo run -p withal-examples -- run temp_dir`

use std::path::PathBuf;

use withal::{Report, Runtime, ScopeExt, fs};

use crate::Transcript;

pub(crate) const TITLE: &str = "a directory that is gone after its block";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "inside: there with a draft of 5 bytes",
    "after the block: gone",
    "caught: bad idea",
    "after an error: gone",
];

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let state = async |path: PathBuf| {
        let exists = rt.unblock(move || path.exists()).await;
        if exists { "there" } else { "gone" }
    };

    let write = fs::temp_dir(rt).with(async |dir| {
        let draft = dir.path().join("draft");
        fs::create(rt, &draft)
            .with(async |file| file.write_all(b"words").await)
            .await?;
        let read = fs::open(rt, &draft).with(async |file| file.metadata().await);
        let length = read.await?.len();
        let state = state(dir.path().to_owned()).await;
        out.line(format_args!(
            "inside: {state} with a draft of {length} bytes"
        ));
        Ok::<_, Report>(dir.path().to_owned())
    });
    let path = write.await?;
    out.line(format_args!("after the block: {}", state(path).await));

    let mut path = PathBuf::new();
    let fail = fs::temp_dir(rt).with(async |dir| {
        path = dir.path().to_owned();
        Err::<(), _>(Report::msg("bad idea"))
    });
    if let Err(error) = fail.await {
        out.line(format_args!("caught: {error}"));
    }
    out.line(format_args!("after an error: {}", state(path).await));
    Ok(())
}
