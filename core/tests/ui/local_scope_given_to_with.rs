use std::rc::Rc;
use withal_core::{LocalScope, Never, Outcome, Propagate, with};

struct Shared;

impl LocalScope for Shared {
    type Guard = Rc<u32>;
    type Error = Never;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Rc<u32>, Never> {
        Ok(Rc::new(1))
    }

    async fn exit(_: Rc<u32>, _: Outcome<'_>) -> Result<Propagate, Never> {
        Ok(Propagate)
    }
}

async fn shared() -> Result<u32, std::io::Error> {
    with(Shared, async |n| Ok(**n)).await
}

fn main() {}
