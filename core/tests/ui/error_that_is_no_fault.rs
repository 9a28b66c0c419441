use withal_core::{sync, with};

#[derive(Debug)]
struct Silent;

async fn silent() -> Result<(), Silent> {
    with(sync(1), async |_| Err(Silent)).await
}

fn main() {}
