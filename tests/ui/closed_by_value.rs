//! What the yield gave is lent to what is closed.

#[withal::scope]
async fn by_value() -> Result<(), withal::Report> {
    let stack: withal::ExitStack = withal::ExitStack::new();
    let outcome = yield_!();
    stack.close(outcome).await?;
    Ok(())
}

fn main() {}
