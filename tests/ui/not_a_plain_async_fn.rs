//! The attributes stand on a plain `async fn`, of which they make another function.

#[withal::scope]
fn not_async() -> Result<(), withal::Never> {
    yield_!();
    Ok(())
}

#[withal::scope]
async unsafe fn not_safe() -> Result<(), withal::Never> {
    yield_!();
    Ok(())
}

#[withal::scope]
async extern "C" fn not_rust() -> Result<(), withal::Never> {
    yield_!();
    Ok(())
}

#[withal::scope]
const fn constant() -> Result<(), withal::Never> {
    yield_!();
    Ok(())
}

#[withal::scope]
struct NoFunction;

trait Connect {
    #[withal::scope]
    async fn connect() -> Result<(), withal::Never>;
}

#[withal::within(withal::null(()))]
fn also_not_async() {}

#[withal::test(smol)]
fn test_that_is_not_async() {}

fn main() {}
