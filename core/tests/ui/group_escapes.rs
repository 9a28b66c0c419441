use withal_core::{GroupError, Runtime, TaskGroup, task_group};

async fn escapes<R: Runtime>(rt: R) -> Result<bool, GroupError<String>> {
    let group = task_group(&rt, async |group: &TaskGroup<String>| Ok(group)).await?;
    Ok(group.is_empty())
}

fn main() {}
