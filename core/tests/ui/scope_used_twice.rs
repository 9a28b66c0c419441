use withal_core::{Never, sync, using};

async fn twice() -> Result<usize, Never> {
    let scope = sync(vec![1]);
    let first = using(scope, async |list| list.len()).await?;
    let second = using(scope, async |list| list.len()).await?;
    Ok(first + second)
}

fn main() {}
