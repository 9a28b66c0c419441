//! A yield does not stand where it may run twice, or later, or not at all.

#[withal::scope]
async fn in_a_closure() -> Result<(), withal::Never> {
    let later = async || yield_!();
    Ok(drop(later().await))
}

#[withal::scope]
async fn in_an_async_block() -> Result<(), withal::Never> {
    async { yield_!() }.await;
    Ok(())
}

#[withal::scope]
async fn in_loops() -> Result<(), withal::Never> {
    for _ in 0..2 {
        yield_!();
    }
    Ok(())
}

#[withal::scope]
async fn in_a_nested_function() -> Result<(), withal::Never> {
    async fn nested() {
        yield_!();
    }
    nested().await;
    Ok(())
}

#[withal::scope]
async fn in_another_macro() -> Result<(), withal::Never> {
    println!("{}", yield_!());
    Ok(())
}

#[withal::scope]
async fn in_the_middle() -> Result<(), withal::Never> {
    let both = (1, yield_!());
    Ok(drop(both))
}

fn not_in_a_scope() {
    withal::yield_!(());
}

fn main() {}
