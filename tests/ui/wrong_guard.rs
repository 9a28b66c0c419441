//! What is yielded has the type that the attribute says.

#[withal::scope(yields = String)]
async fn number() -> Result<(), withal::Never> {
    let number = 7;
    yield_!(number);
    Ok(())
}

#[withal::scope]
async fn nothing() -> Result<(), withal::Never> {
    let text = String::new();
    let outcome = yield_!(text);
    Ok(drop(outcome))
}

fn main() {}
