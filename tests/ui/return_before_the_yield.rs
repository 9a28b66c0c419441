//! What is certain not to yield is no scope; what follows the error is not told again at its callers.

#[withal::scope]
async fn early(skip: bool) -> Result<(), withal::Never> {
    if skip {
        return Ok(());
    }
    yield_!();
    Ok(())
}

#[withal::scope]
async fn late(skip: bool) -> Result<(), withal::Never> {
    let check = || {
        for _ in 0..2 {
            return Ok::<_, ()>(skip);
        }
        Err(())
    };
    yield_!();
    if check().is_ok() {
        return Ok(());
    }
    Ok(())
}

fn main() {
    drop((early(true), late(true)));
}
