//! Several guards are a tuple, and the yield is a macro.

#[withal::scope(yields = (u32, u32))]
async fn two() -> Result<(), withal::Never> {
    let (a, b) = (1, 2);
    yield_!(a, b);
    Ok(())
}

#[withal::scope]
async fn in_a_constant() -> Result<(), withal::Never> {
    const {
        yield_!();
    }
    Ok(())
}

fn main() {}
