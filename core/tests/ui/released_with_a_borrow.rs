use withal_core::{Never, ScopeExt, acquire};

async fn borrows() -> Result<usize, Never> {
    let tag = String::from("tag");
    let scope = acquire(async || Ok(1)).release(async |_, _| {
        println!("{tag}");
        Ok(())
    });
    scope.using(async |_| 1).await
}

fn main() {}
