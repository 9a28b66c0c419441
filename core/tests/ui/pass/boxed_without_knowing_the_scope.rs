//! A helper that knows nothing of its scope boxes the future, whatever the scope may suppress.

use std::pin::Pin;

use withal_core::{Bracket, Output, ScopeExt, suppress, sync};

type Sent<T> = Pin<Box<dyn Future<Output = T> + Send>>;

fn length<S>(scope: S) -> Sent<Result<Output<S, usize>, S::Error>>
where
    S: Bracket<Held: 'static, View: Send> + Send + 'static,
{
    Box::pin(scope.using(async |view| {
        std::future::ready(()).await;
        size_of_val(view)
    }))
}

fn main() {
    let Ok(plain) = withal_testing::block_on(length(sync(1_u64).named("n")));
    assert_eq!(plain, 8);
    let Ok(recovering) = withal_testing::block_on(length(suppress::<std::fmt::Error>()));
    assert_eq!(recovering, Some(0));
}
