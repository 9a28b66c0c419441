use withal_core::{Never, ScopeExt, sync};

async fn length() -> Result<usize, Never> {
    sync(vec![1]).with(async |list| Ok(list.len())).await
}

fn main() {}
