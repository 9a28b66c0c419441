//! A scope that borrows its arguments does not outlive them: it is run by `with_local`.

use withal::ScopeExt;

#[withal::scope(yields = usize)]
async fn length(text: &str) -> Result<(), withal::Never> {
    let length = text.len();
    yield_!(length);
    Ok(())
}

fn main() {
    let text = String::from("text");
    let _ = length(&text).using(async |length| *length);
}
