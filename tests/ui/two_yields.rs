//! A scope yields once, also if only one of two yields were run.

#[withal::scope]
async fn one_after_the_other() -> Result<(), withal::Never> {
    yield_!();
    yield_!();
    Ok(())
}

#[withal::scope]
async fn one_or_the_other(left: bool) -> Result<(), withal::Never> {
    if left {
        yield_!();
    } else {
        yield_!();
    }
    Ok(())
}

fn main() {}
