use withal_core::{Never, Outcome, Propagate, Scope};

struct NoExit;

impl Scope for NoExit {
    type Guard = ();
    type Error = Never;
    type Verdict = Propagate;

    async fn enter(self) -> Result<(), Never> {
        Ok(())
    }
}

struct NoEnter;

impl Scope for NoEnter {
    type Guard = ();
    type Error = Never;
    type Verdict = Propagate;

    async fn exit((): (), _: Outcome<'_>) -> Result<Propagate, Never> {
        Ok(Propagate)
    }
}

struct Misspelled;

impl Scope for Misspelled {
    type Guard = ();
    type Error = Never;
    type Verdict = Propagate;

    async fn unter(self) -> Result<(), Never> {
        Ok(())
    }

    async fn exit((): (), _: Outcome<'_>) -> Result<Propagate, Never> {
        Ok(Propagate)
    }
}

fn main() {}
