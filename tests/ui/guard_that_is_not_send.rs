//! A scope is `Send`, unless it says that it is local.

use std::rc::Rc;

#[withal::scope(yields = Rc<u8>)]
async fn shared() -> Result<(), withal::Never> {
    let shared = Rc::new(7);
    yield_!(shared);
    Ok(())
}

fn main() {}
