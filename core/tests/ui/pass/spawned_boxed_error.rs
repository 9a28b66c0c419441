//! The commonest error of an application has a hidden lifetime, and can be spawned all the same.

use std::error::Error;

use withal_core::{Outcome, Propagate, Scope, ScopeExt, sync, with};

type Boxed = Box<dyn Error + Send + Sync>;

fn spawn<F: Future<Output: Send> + Send + 'static>(future: F) -> F::Output {
    withal_testing::block_on(future)
}

struct File;

impl Scope for File {
    type Guard = u32;
    type Error = Boxed;
    type Verdict = Propagate;

    async fn enter(self) -> Result<u32, Boxed> {
        Ok(1)
    }

    async fn exit(_: u32, _: Outcome<'_>) -> Result<Propagate, Boxed> {
        Ok(Propagate)
    }
}

async fn parse(text: &str) -> Result<u32, Boxed> {
    sync(1).with(async |n| Ok(*n + text.parse::<u32>()?)).await
}

fn main() {
    let text = String::from("4");
    let nested = spawn(async move {
        with(File, async |file| {
            File.with(async |other| Ok::<_, Boxed>(*file + *other + parse(&text).await?))
                .await
        })
        .await
    });
    assert_eq!(nested.unwrap(), 7);
    let in_between = spawn(async {
        let n = sync(2).with(async |n| Ok::<_, Boxed>(*n)).await?;
        let Ok(m) = sync(3).using(async |m| *m).await;
        Ok::<_, Boxed>(m + n)
    });
    assert!(in_between.is_ok_and(|n| n == 5));
}
