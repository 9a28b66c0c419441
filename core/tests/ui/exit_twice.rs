use withal_core::{Bracket, Never, Outcome, ScopeExt, sync};

async fn closed_twice() -> Result<(), Never> {
    let open = sync(1).open().await?;
    open.close(Outcome::Success).await?;
    open.close(Outcome::Success).await?;
    Ok(())
}

async fn exited_twice<S: Bracket>(held: S::Held) {
    let _ = S::end(held, Outcome::Success).await;
    let _ = S::end(held, Outcome::Success).await;
}

fn main() {}
