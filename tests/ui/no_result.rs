//! The function of a scope returns a `Result`.

#[withal::scope]
async fn nothing() {
    yield_!();
}

#[withal::scope]
async fn number() -> u32 {
    yield_!();
    7
}

fn main() {}
