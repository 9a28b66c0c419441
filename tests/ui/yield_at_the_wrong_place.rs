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

#[withal::scope]
async fn in_the_other_loops() -> Result<(), withal::Never> {
    while true {
        yield_!();
    }
    loop {
        yield_!();
    }
}

#[withal::scope]
async fn in_a_select() -> Result<(), withal::Never> {
    withal::select! {
        _ = yield_!() => {}
    }
    Ok(())
}

#[withal::scope]
async fn in_a_guard_of_a_match() -> Result<(), withal::Never> {
    match 1 {
        1 if yield_!().is_success() => {}
        _ => {}
    }
    Ok(())
}

#[withal::scope]
async fn in_a_chain() -> Result<(), withal::Never> {
    if true && yield_!().is_success() {}
    Ok(())
}

fn not_in_a_scope() {
    withal::yield_!(());
}

fn main() {}
