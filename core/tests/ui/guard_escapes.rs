use withal_core::{Never, sync, using};

async fn escapes() -> Result<usize, Never> {
    let list = using(sync(vec![1]), async |list| list).await?;
    Ok(list.len())
}

fn main() {}
