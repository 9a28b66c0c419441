//! Who uses what a recovering scope gives sees that it may be missing.

use withal::{Recover, ScopeExt};

#[withal::scope]
async fn handler() -> Result<Recover, std::io::Error> {
    yield_!();
    Ok(Recover::Suppress)
}

async fn number() -> std::io::Result<u32> {
    handler().with(async |()| Ok(7)).await
}

fn main() {}
