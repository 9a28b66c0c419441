use withal_core::{ExitStack, Report};

struct Connection;

async fn entered(stack: &ExitStack) -> Result<(), Report> {
    let _connection = stack.enter(Connection).await?;
    Ok(())
}

fn main() {}
