//! A scope yields in each build.

#[withal::scope]
async fn on_unix() -> Result<(), withal::Never> {
    #[cfg(unix)]
    yield_!();
    Ok(())
}

#[withal::scope]
async fn in_a_let() -> Result<(), withal::Never> {
    #[cfg(unix)]
    let _outcome = yield_!();
    Ok(())
}

#[withal::scope]
async fn in_a_block() -> Result<(), withal::Never> {
    #[cfg(unix)]
    {
        yield_!();
    }
    Ok(())
}

fn main() {}
