use withal_core::{Never, sync, using};

async fn after() -> Result<usize, Never> {
    let mut kept = None;
    using(sync(vec![1]), async |list| kept = Some(list)).await?;
    Ok(kept.map_or(0, |list| list.len()))
}

fn main() {}
