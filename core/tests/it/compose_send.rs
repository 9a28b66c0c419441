//! Compositions can be spawned: their futures are `Send`, with all that they borrow.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use withal_core::{
    BoxScope, Never, Outcome, Propagate, Scope, ScopeExt, acquire, join, join_all, lazy, null,
    race, shared, sync, timeout,
};
use withal_testing::{Injected, Ledger, Manual, Traced, yield_now};

use crate::app_error::AppError;
use crate::sample::Sample;

type Boxed = Box<dyn Error + Send + Sync>;

/// Spawns on several threads, so that the future must be `Send`, and waits.
fn spawned<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(future).await.unwrap() })
}

fn file() -> Sample<io::Error> {
    Sample::new(1)
}

#[test]
fn each_composition_around_borrowed_locals() {
    let sum = spawned(async {
        let text = String::from("ab");
        let size = |value: u32| value as usize + text.len();
        let mut sum = (file(), file(), sync(1))
            .with(async |(a, b, _)| {
                yield_now().await;
                io::Result::Ok(size(a.value) + size(b.value))
            })
            .await?;
        sum += [file(), file()]
            .using(async |[a, b]| size(a.value) + size(b.value))
            .await?;
        sum += vec![file()]
            .using(async |all| all.len() + text.len())
            .await?;
        sum += Some(file())
            .using(async |one| one.as_ref().map_or(0, |one| size(one.value)))
            .await?;
        sum += join(file(), file())
            .with(async |(a, _)| io::Result::Ok(size(a.value)))
            .await?;
        sum += join_all(vec![file(), file()])
            .using(async |all| size(all[1].value))
            .await?;
        sum += file()
            .then_enter(|file| null(file.value))
            .with(async |(_, n)| io::Result::Ok(size(*n)))
            .await?;
        sum += file()
            .or_enter(file())
            .with(async |file| io::Result::Ok(size(file.value)))
            .await?;
        sum += race(file(), file())
            .with(async |file| io::Result::Ok(size(file.value)))
            .await?;
        sum += lazy(file)
            .with(async |file| io::Result::Ok(size(file.get().await?.value)))
            .await?;
        let file = shared(file);
        sum += (file.clone(), file)
            .with(async |(a, b)| {
                yield_now().await;
                io::Result::Ok(size(a.value) + b.value as usize - 1)
            })
            .await?;
        io::Result::Ok(sum)
    });
    assert_eq!(sum.unwrap(), 6 + 6 + 3 + 3 * 8);
}

/// What a release logs into: a trait object, whose type has a lifetime in it.
trait Metrics: Send + Sync {
    fn note(&self, text: &'static str);
}

impl Metrics for Ledger {
    fn note(&self, text: &'static str) {
        self.say(text);
    }
}

#[test]
fn around_exits_with_a_static_lifetime_in_their_types() {
    let ledger = Ledger::new();
    let metrics: Arc<dyn Metrics> = Arc::new(ledger.clone());
    spawned(async move {
        let name: &'static str = "released";
        let scope = move || {
            let metrics = metrics.clone();
            acquire(async || io::Result::Ok(1_u8)).release(async move |_, _| {
                yield_now().await;
                metrics.note(name);
                Ok(())
            })
        };
        (scope(), scope())
            .with(async |(a, b)| io::Result::Ok(*a + *b))
            .await?;
        [scope()].using(async |_| ()).await?;
        vec![scope()].using(async |_| ()).await?;
        Some(scope()).using(async |_| ()).await?;
        join(scope(), scope())
            .with(async |_| io::Result::Ok(()))
            .await?;
        join_all([scope()]).using(async |_| ()).await?;
        scope()
            .then_enter(|_| scope())
            .with(async |_| io::Result::Ok(()))
            .await?;
        scope()
            .or_enter(scope())
            .with(async |_| io::Result::Ok(()))
            .await?;
        race(scope(), scope())
            .with(async |_| io::Result::Ok(()))
            .await?;
        lazy({
            let scope = scope.clone();
            move || scope().boxed()
        })
        .with(async |lazy| lazy.get().await.map(drop))
        .await?;
        let both = shared(scope.clone());
        (both.clone(), both.protected())
            .with(async |(a, b)| io::Result::Ok(**a + **b))
            .await?;
        (scope(), scope())
            .named("pair")
            .protected()
            .with(async |_| io::Result::Ok(()))
            .await?;
        let open = (scope(), scope())
            .open()
            .await
            .map_err(|_| io::Error::other("no"))?;
        open.close(Outcome::Success)
            .await
            .map_err(|_| io::Error::other("no"))?;
        io::Result::Ok(())
    })
    .unwrap();
    assert_eq!(
        ledger.trace().split(' ').count(),
        2 + 1 + 1 + 1 + 2 + 1 + 2 + 1 + 1 + 1 + 1 + 2 + 2
    );
}

#[test]
fn around_errors_with_a_hidden_lifetime() {
    struct File(Result<u32, &'static str>);
    impl Scope for File {
        type Guard = u32;
        type Error = Boxed;
        type Verdict = Propagate;
        async fn enter(self) -> Result<u32, Boxed> {
            yield_now().await;
            Ok(self.0?)
        }
        async fn exit(_: u32, _: Outcome<'_>) -> Result<Propagate, Boxed> {
            yield_now().await;
            Ok(Propagate)
        }
    }
    fn boxed() -> File {
        File(Ok(1))
    }
    let failed = spawned(async {
        let broken = || File(Err("broken"));
        let text = String::from("4");
        let n = (boxed(), file())
            .with(async |(a, b)| Ok::<_, Boxed>(*a + b.value + text.parse::<u32>()?))
            .await?;
        assert_eq!(n, 6);
        join_all(vec![boxed()])
            .with(async |_| Ok::<_, Boxed>(()))
            .await?;
        boxed()
            .then_enter(|_| boxed())
            .with(async |_| Ok::<_, Boxed>(()))
            .await?;
        lazy(boxed)
            .with(async |lazy| Ok::<_, Boxed>(*lazy.get().await?))
            .await?;
        shared(boxed)
            .with(async |shared| Ok::<_, Boxed>(**shared))
            .await?;
        broken()
            .or_enter(boxed())
            .with(async |_| Ok::<_, Boxed>(()))
            .await?;
        race(broken(), broken())
            .with(async |_| Ok::<_, Boxed>(()))
            .await
    });
    assert_eq!(failed.unwrap_err().to_string(), "broken");
}

#[test]
fn nested_in_each_other_and_in_a_canceller() {
    let ledger = Ledger::new();
    let names = spawned({
        let ledger = ledger.clone();
        async move {
            let scope = |name: &str| ledger.scope(name).yields(1);
            let boxed: BoxScope<withal_testing::TracedGuard, Injected> = scope("e").boxed();
            let all = (
                scope("a"),
                [scope("b"), scope("c")],
                (scope("d"), boxed),
                Some(join(scope("f"), scope("g"))),
            );
            let rt = Manual::new();
            let body = all.with(async |(a, [b, c], (d, e), joined)| {
                yield_now().await;
                let (f, g) = joined.as_mut().unwrap();
                let names = [&*a, b, c, d, e.view(), f, g].map(|guard| guard.name().to_owned());
                Ok::<_, AppError>(names.concat())
            });
            timeout(&rt, Duration::from_secs(1), body).await.unwrap()
        }
    });
    assert_eq!(names.unwrap(), "abcdefg");
    ledger.check();
    assert!(
        ledger.trace().ends_with("~e -e ~d -d ~c -c ~b -b ~a -a"),
        "{}",
        ledger.trace()
    );
}

#[test]
fn of_a_helper_that_knows_nothing_of_its_scopes() {
    use withal_core::{Member, Output};
    async fn both<A, B>(a: A, b: B) -> bool
    where
        A: Member<Held: 'static, Part: 'static, Rest: 'static> + Send,
        B: Member<Held: 'static, Part: 'static, Rest: 'static> + Send,
    {
        let done: Result<Output<(A, B), ()>, _> = (a, b).using(async |_| yield_now().await).await;
        done.is_ok()
    }
    let never: fn(Never) -> bool = |never| match never {};
    let _ = never;
    assert!(spawned(both(sync(1), file())));
    let traced: fn(&Ledger) -> Traced = |ledger| ledger.scope("a");
    let ledger = Ledger::new();
    assert!(spawned(both(traced(&ledger), [traced(&ledger)])));
}
