use withal_core::{Never, Outcome, Propagate, Scope, with};

struct Savepoint<'a>(&'a mut Vec<u32>);

impl<'a> Scope for Savepoint<'a> {
    type Guard = &'a mut Vec<u32>;
    type Error = Never;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Self::Guard, Never> {
        Ok(self.0)
    }

    async fn exit(_: Self::Guard, _: Outcome<'_>) -> Result<Propagate, Never> {
        Ok(Propagate)
    }
}

async fn borrows() -> Result<(), std::io::Error> {
    let mut log = vec![1];
    with(Savepoint(&mut log), async |log| Ok(log.push(2))).await
}

fn main() {}
