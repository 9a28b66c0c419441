//! Scopes whose type is hidden: lists of them, and dependencies that a test swaps.

use std::io;

use futures::future::FutureExt;
use withal_core::{BoxScope, Never, Outcome, Recover, ScopeExt, acquire, null, suppress, sync};
use withal_testing::{Injected, Ledger, LostErrors, TracedGuard, block_on, yield_now};

#[test]
fn a_list_of_different_scopes() {
    async fn sum(scopes: Vec<BoxScope<u32, io::Error>>) -> io::Result<u32> {
        let mut sum = 0;
        for scope in scopes {
            sum += scope.with(async |n| io::Result::Ok(*n)).await?;
        }
        Ok(sum)
    }
    let opened = || acquire(async || io::Result::Ok(1_u32)).release(async |_, _| Ok(()));
    let scopes = vec![
        opened().boxed(),
        opened().named("two").boxed(),
        opened().protected().boxed().boxed(),
        opened().view_as(|n| n).boxed(),
    ];
    assert_eq!(block_on(sum(scopes)).unwrap(), 4);
}

#[test]
fn nested_by_recursion_over_a_list() {
    async fn all(mut left: Vec<BoxScope<TracedGuard, Injected>>) -> Result<usize, Injected> {
        let Some(scope) = left.pop() else {
            return Ok(0);
        };
        let deeper = async |_: &mut TracedGuard| Ok(1 + Box::pin(all(left)).await?);
        scope.with(deeper).await
    }
    let ledger = Ledger::new();
    let scopes = ["c", "b", "a"].map(|name| ledger.scope(name).yields(1).boxed());
    assert_eq!(block_on(all(scopes.into())), Ok(3));
    assert_eq!(ledger.trace(), "+a +b +c ~c -c ~b -b ~a -a");
}

#[test]
fn one_that_recovers_says_so_in_its_type() {
    let scopes: [BoxScope<(), Never, Recover>; 2] = [
        suppress::<std::fmt::Error>().boxed(),
        suppress::<std::num::ParseIntError>().named("parse").boxed(),
    ];
    let parse = async |(): &mut ()| "x".parse::<u32>();
    let ended = scopes.map(|scope| block_on(scope.with(parse)));
    assert!(ended[0].is_err());
    assert_eq!(ended[1], Ok(None));
}

/// A dependency: what the program uses and what its test uses have one type.
trait Cache: Send {
    fn get(&mut self, key: &str) -> Option<usize>;
}
struct Real;
struct Fake(usize);
impl Cache for Real {
    fn get(&mut self, key: &str) -> Option<usize> {
        Some(key.len())
    }
}
impl Cache for Fake {
    fn get(&mut self, _: &str) -> Option<usize> {
        Some(self.0)
    }
}

fn real() -> BoxScope<dyn Cache, Never> {
    null(Real).view_as(|real| real as &mut dyn Cache).boxed()
}

fn fake() -> BoxScope<dyn Cache, Never> {
    sync(Fake(7)).view_as(|fake| fake as &mut dyn Cache).boxed()
}

#[test]
fn a_dependency_that_a_test_swaps() {
    async fn look_up(cache: BoxScope<dyn Cache, Never>) -> Option<usize> {
        let key = String::from("user");
        let Ok(found) = cache.using(async |cache| cache.get(&key)).await;
        found
    }
    assert_eq!(block_on(look_up(real())), Some(4));
    assert_eq!(block_on(look_up(fake())), Some(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trait_object_in_a_spawned_task() {
    // With a lifetime in the type of the view (`dyn Cache` has one) the compiler wants the box before it believes in `Send`.
    let found = tokio::spawn(async {
        let key = String::from("user");
        let cache = fake();
        cache
            .using(async |cache| {
                yield_now().await;
                cache.get(&key)
            })
            .boxed()
            .await
    });
    assert_eq!(found.await.unwrap(), Ok(Some(7)));

    /// A type with a name is believed without a box.
    struct Shared(Box<dyn Cache>);
    let found = tokio::spawn(async {
        let cache = sync(Shared(Box::new(Real)));
        cache.using(async |cache| cache.0.get("abc")).await
    });
    assert_eq!(found.await.unwrap(), Ok(Some(3)));
}

#[test]
fn it_keeps_its_name() {
    let lost = LostErrors::listen();
    let failing = |name| {
        acquire(async || Ok(()))
            .release(async |(), _: Outcome<'_>| Err::<(), _>("no goodbye".to_owned()))
            .named(name)
            .boxed()
    };
    let failed = async |(): &mut ()| Err::<(), _>("no body".to_owned());
    assert!(block_on(failing("hidden one").with(failed)).is_err());
    assert!(block_on(failing("hidden two").boxed().named("renamed").with(failed)).is_err());
    assert_eq!(lost.containing("exit of `hidden one`").len(), 1);
    assert_eq!(lost.containing("exit of `hidden two`").len(), 0);
    assert_eq!(lost.containing("exit of `renamed`").len(), 1);
}
