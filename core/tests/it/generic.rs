//! Helpers that are generic over scopes and bodies: written once, boxed and spawned.

use std::future::Future;
use std::io;
use std::pin::Pin;

use futures::future::{BoxFuture, FutureExt};
use withal_core::{Bracket, Fault, Outcome, Output, Raise, Scope, ScopeExt, SendFn, sync, with};
use withal_testing::{Injected, Ledger, Manual, block_on, yield_now};

use crate::app_error::AppError;
use crate::sample::Sample;

/// Says that a future is `Send` and `'static`, as a spawn does.
fn sent<T>(future: impl Future<Output = T> + Send + 'static) -> BoxFuture<'static, T> {
    Box::pin(future)
}

#[test]
fn over_a_scope() {
    async fn twice<S>(first: S, second: S) -> Result<(), S::Error>
    where
        S: Scope<Guard: 'static>,
    {
        with(first, async |_| {
            with(second, async |_| {
                yield_now().await;
                Ok(())
            })
            .await
        })
        .await
        .map(drop)
    }
    let ledger = Ledger::new();
    let done = sent(twice(ledger.scope("a"), ledger.scope("b")));
    block_on(done).unwrap();
    assert_eq!(ledger.trace(), "+a +b ~b -b ~a -a");
}

#[test]
fn over_anything_that_runs_as_a_scope() {
    async fn look<S, T>(scope: S, look: fn(&S::View) -> T) -> Result<Output<S, T>, S::Error>
    where
        S: Bracket<Held: 'static>,
    {
        scope.using(async |view| look(view)).await
    }
    let ledger = Ledger::new();
    let name = |guard: &withal_testing::TracedGuard| guard.name().to_owned();
    let plain = sent(look(ledger.scope("a"), name));
    assert_eq!(block_on(plain).unwrap(), "a");
    let combined = ledger.scope("b").named("b").protected().boxed();
    assert_eq!(block_on(sent(look(combined, name))).unwrap(), "b");
    ledger.check();
}

#[test]
fn over_the_error_of_the_body() {
    async fn size<S, E, How>(scope: S) -> Result<Output<S, usize>, E>
    where
        S: Bracket<Held: 'static, Error: Raise<E, How>>,
        E: Fault,
    {
        let size = |view: &S::View| size_of_val(view);
        scope.with(async |view| Ok(size(view))).await
    }
    let sized: Result<usize, AppError> = block_on(sent(size(Sample::<io::Error>::new(1))));
    assert!(sized.unwrap() > 0);
    let sized: Result<usize, anyhow::Error> = block_on(sent(size(sync(1_u64))));
    assert_eq!(sized.unwrap(), 8);
}

/// Needs both bounds on the body: the first for inference, [`SendFn`] for `Send`.
fn with_connection<T, E>(
    body: impl AsyncFnOnce(&mut Vec<u8>) -> Result<T, E>
    + for<'a> SendFn<(&'a mut Vec<u8>,), Result<T, E>>
    + 'static,
) -> BoxFuture<'static, Result<T, E>>
where
    T: Send + 'static,
    E: Fault,
{
    Box::pin(async move {
        sync(vec![1])
            .with(async |bytes| {
                yield_now().await;
                body.call_send((bytes,)).await
            })
            .await
    })
}

#[test]
fn over_the_body() {
    let added = 2;
    let length = with_connection(async move |bytes| {
        bytes.push(added);
        yield_now().await;
        Ok::<_, io::Error>(bytes.len())
    });
    assert_eq!(block_on(length).unwrap(), 2);
    let failed = with_connection(async |_| Err::<(), _>(io::Error::other("no")));
    assert_eq!(block_on(failed).unwrap_err().to_string(), "no");
}

#[test]
fn async_recursion() {
    fn tree(ledger: Ledger, depth: u32) -> BoxFuture<'static, Result<u32, Injected>> {
        async move {
            let name = depth.to_string();
            ledger
                .scope(&*name)
                .with(async |_| {
                    if depth == 0 {
                        return Ok(1);
                    }
                    let left = tree(ledger.clone(), depth - 1).await?;
                    Ok(left + tree(ledger.clone(), depth - 1).await?)
                })
                .await
        }
        .boxed()
    }
    let ledger = Ledger::new();
    assert_eq!(block_on(tree(ledger.clone(), 3)), Ok(8));
    assert_eq!(ledger.entered(), 15);
    ledger.check();

    async fn chain(ledger: &Ledger, depth: usize) -> Result<usize, Injected> {
        if depth == 0 {
            return Ok(0);
        }
        let scope = ledger.scope("link");
        scope
            .with(async |_| Ok(1 + Box::pin(chain(ledger, depth - 1)).await?))
            .await
    }
    let depth = sent({
        let ledger = ledger.clone();
        async move { chain(&ledger, 20).await }
    });
    assert_eq!(block_on(depth), Ok(20));
    ledger.check();
}

/// What `async_trait` makes of an async method.
trait Repository {
    fn find<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<usize, AppError>>;
}

struct Database {
    ledger: Ledger,
    queries: usize,
}

impl Repository for Database {
    fn find<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<usize, AppError>> {
        Box::pin(self.ledger.scope(name).with(async move |guard| {
            yield_now().await;
            Ok(guard.name().len() + self.queries)
        }))
    }
}

impl Database {
    async fn count(&self, names: &[&str]) -> Result<usize, AppError> {
        let mut sum = 0;
        for name in names {
            sum += self.find(name).await?;
        }
        Ok(sum)
    }

    async fn query(&mut self, text: &str) -> Result<usize, Injected> {
        let scope = self.ledger.scope("query");
        scope
            .with(async |_| {
                self.queries += text.len();
                yield_now().await;
                Ok(self.queries)
            })
            .await
    }
}

#[test]
fn methods_on_references_and_trait_objects() {
    let ledger = Ledger::new();
    let mut database = Database {
        ledger: ledger.clone(),
        queries: 0,
    };
    let found = sent(async move {
        database.query("one").await.map_err(AppError::from)?;
        let counted = database.count(&["a", "bb"]).await?;
        let repository: Box<dyn Repository + Send + Sync> = Box::new(database);
        Ok::<_, AppError>(counted + repository.find("c").await?)
    });
    assert_eq!(block_on(found).unwrap(), 4 + 5 + 4);
    assert_eq!(ledger.entered(), 4);
    ledger.check();
}

/// A trait of a user over everything that runs as a scope.
trait Counted: Bracket<Held: 'static> {
    fn counted<T>(
        self,
        ledger: &Ledger,
        body: impl AsyncFnOnce(&mut Self::View) -> T,
    ) -> impl Future<Output = Result<Output<Self, T>, Self::Error>> {
        ledger.say("counted");
        self.using(body)
    }
}
impl<S: Bracket<Held: 'static>> Counted for S {}

#[test]
fn a_blanket_extension_trait() {
    let ledger = Ledger::new();
    let counted = sent({
        let ledger = ledger.clone();
        async move {
            let word = String::from("word");
            let scope = ledger.scope("a").named("other");
            scope.counted(&ledger, async |_| word.len()).await
        }
    });
    assert_eq!(block_on(counted), Ok(4));
    assert_eq!(ledger.trace(), "counted +a ~a -a");
}

#[test]
fn the_bodies_of_until_and_timeout() {
    fn bounded<F: Future>(
        body: F,
    ) -> impl Future<Output = Result<F::Output, withal_core::Elapsed>> {
        let rt = Manual::new();
        withal_core::timeout(&rt, std::time::Duration::from_secs(1), body)
    }
    let ledger = Ledger::new();
    let pinned: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(bounded(
        ledger.scope("a").using(async |guard| guard.name().len()),
    ));
    assert_eq!(block_on(pinned).unwrap(), Ok(1));
}

#[test]
fn an_exit_that_is_generic_over_what_it_keeps() {
    struct Keep<T>(T);
    impl<T: Clone + Send + Sync + 'static> Scope for Keep<T> {
        type Guard = T;
        type Error = withal_core::Never;
        type Verdict = withal_core::Propagate;
        async fn enter(self) -> Result<T, Self::Error> {
            Ok(self.0)
        }
        async fn exit(guard: T, _: Outcome<'_>) -> Result<Self::Verdict, Self::Error> {
            yield_now().await;
            drop(guard.clone());
            Ok(withal_core::Propagate)
        }
    }
    let Ok(length) = block_on(sent(Keep("abc".to_owned()).using(async |text| text.len())));
    assert_eq!(length, 3);
}
