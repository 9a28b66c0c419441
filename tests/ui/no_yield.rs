//! A function without a yield is no scope.

#[withal::scope]
async fn session() -> Result<(), withal::Never> {
    Ok(())
}

fn main() {}
