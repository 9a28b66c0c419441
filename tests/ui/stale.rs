//! What was yielded in an inner block is back in that block only.

#[withal::scope(yields = u32)]
async fn counted(verbose: bool) -> Result<(), withal::Never> {
    let count = 0;
    let outcome = match verbose {
        true => yield_!(count),
        false => unreachable!(),
    };
    println!("{outcome}: counted {count}");
    Ok(())
}

#[withal::scope(yields = u32)]
async fn added(verbose: bool) -> Result<(), withal::Never> {
    let count = 0;
    if verbose {
        yield_!(count);
    } else {
        unreachable!();
    }
    Ok(drop(count + 1))
}

fn main() {}
