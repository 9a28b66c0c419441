use std::fmt;
use withal_core::{ScopeExt, suppress};

async fn length() -> Result<usize, fmt::Error> {
    let length: usize = suppress::<fmt::Error>()
        .with(async |()| Ok::<_, fmt::Error>(1))
        .await?;
    Ok(length)
}

fn main() {}
