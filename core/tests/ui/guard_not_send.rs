use std::rc::Rc;
use withal_core::{Never, Outcome, Propagate, Scope};

struct Shared;

impl Scope for Shared {
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

fn main() {}
