//! Shared scopes: the first one enters, the last one exits, and all others have the same guard meanwhile.

mod guards;
mod sweeps;
mod turns;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::{join, join3};
use withal_core::{
    ExitStack, Outcome, Report, Runtime, ScopeError, ScopeExt, Shared, join as joined, shared,
    suppress, with_report,
};

use crate::cut::{poll_once, yield_times};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, Ledger, Traced, ok};

pub use guards::*;
pub use sweeps::*;
pub use turns::*;

/// A shared scope whose generations are `db1`, `db2` … in the ledger, each as `dress` makes it.
fn database(
    ledger: &Ledger,
    dress: impl Fn(usize, Traced) -> Traced + Send + Sync + 'static,
) -> Shared<Traced> {
    let (ledger, count) = (ledger.clone(), AtomicUsize::new(0));
    shared(move || {
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        dress(number, ledger.scope(format!("db{number}")))
    })
}

/// Uses it for so many polls, and gives the name of the generation.
async fn use_for(database: &Shared<Traced>, polls: usize) -> Result<String, Injected> {
    let body = async |guard: &mut withal_core::SharedGuard<crate::TracedGuard>| {
        yield_times(polls).await;
        guard.name().to_owned()
    };
    database.clone().using(body).await
}

/// Those who come while it is used share it; it exits after the last one, and who comes later has another.
pub async fn one_enter_one_exit<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let database = database(&ledger, |_, scope| scope.yields(1));
    let late = async {
        yield_times(4).await;
        assert!(database.is_entered());
        use_for(&database, 4).await
    };
    let users = join3(use_for(&database, 3), use_for(&database, 5), late);
    let (a, b, c) = users.await;
    assert_eq!([a.unwrap(), b.unwrap(), c.unwrap()], ["db1"; 3]);
    assert_eq!(ledger.trace(), "+db1 ~db1 -db1");
    assert_eq!((database.is_entered(), database.users()), (false, 0));
    assert_eq!(use_for(&database, 1).await.unwrap(), "db2");
    assert_eq!(ledger.trace(), "+db1 ~db1 -db1 +db2 ~db2 -db2");
}

/// The exit is that of the last block: it is told how that one has ended, and its error is returned there.
pub async fn the_last_one_is_told<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let database = database(&ledger, |_, scope| scope.exit_fails());
    let failing = |polls, text: &'static str| {
        let body = async move |_: &mut _| {
            yield_times(polls).await;
            Err::<(), _>(Injected(text.to_owned()))
        };
        with_report(database.clone(), body)
    };
    let ending = |polls| {
        let body = async move |_: &mut _| {
            yield_times(polls).await;
            ok(())
        };
        with_report(database.clone(), body)
    };
    let (failed, ended) = join(failing(1, "first"), ending(2)).await;
    assert_eq!(failed, Err(ScopeError::Body(Injected("first".to_owned()))));
    assert_eq!(
        ended,
        Err(ScopeError::Exit(Injected("exit db1".to_owned())))
    );
    assert_eq!(ledger.outcome("db1").as_deref(), Some("success"));
    let (ended, failed) = join(ending(1), failing(2, "last")).await;
    assert_eq!(ended, Ok(()));
    let (body, exit) = (Injected("last".to_owned()), Injected("exit db2".to_owned()));
    assert_eq!(failed, Err(ScopeError::BodyAndExit { body, exit }));
    assert_eq!(
        ledger.outcome("db2").as_deref(),
        Some("failure: injected error: last")
    );
}

/// An exit that may suppress suppresses the error of the last block; that of another one has its caller.
pub async fn the_error_of_the_last_one_is_suppressed<R: Runtime>(_: R) {
    let suppressing = shared(suppress::<Injected>);
    let failing = |polls| {
        suppressing.clone().with(async move |_| {
            yield_times(polls).await;
            Err::<(), _>(Injected(polls.to_string()))
        })
    };
    let ended = join(failing(1), failing(2)).await;
    assert_eq!(ended, (Err(Injected("1".to_owned())), Ok(None)));
}

/// It is a member of everything, and may be one several times.
pub async fn in_company<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let database = database(&ledger, |_, scope| scope.yields(1));
    let db = || database.clone();
    let names = (db(), [db(), db()], Some(joined(db(), db().protected())))
        .with(async |(a, [b, c], more)| {
            let (d, e) = more.as_ref().unwrap();
            assert_eq!(database.users(), 5);
            yield_times(1).await;
            ok([&*a, b, c, d, e].map(|guard| guard.name().to_owned()))
        })
        .await;
    assert_eq!(names.unwrap(), ["db1"; 5]);
    let open = db().open().await.unwrap();
    let named = db().named("mine").boxed().open().await.unwrap();
    let ended = ExitStack::with(async |stack| {
        let lease = stack.enter(db()).await?;
        stack.enter(db()).await?;
        assert_eq!((open.name(), lease.name()), ("db2", "db2"));
        assert_eq!(database.users(), 4);
        Ok::<_, Report>(())
    });
    ended.await.unwrap();
    assert_eq!(database.users(), 2);
    open.close(Outcome::Success).await.unwrap();
    assert_eq!(ledger.trace(), "+db1 ~db1 -db1 +db2");
    named.close(Outcome::Success).await.unwrap();
    assert_eq!(ledger.trace(), "+db1 ~db1 -db1 +db2 ~db2 -db2");
}

/// A user of a user, and one shared scope inside of another.
pub async fn nested<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let database = database(&ledger, |_, scope| scope.yields(1));
    let count = Arc::new(AtomicUsize::new(0));
    let session = shared({
        let (ledger, database) = (ledger.clone(), database.clone());
        move || {
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            (database.clone(), ledger.scope(format!("s{number}")))
        }
    });
    let both = || {
        session.clone().using(async |outer| {
            yield_times(1).await;
            let inner = use_for(&database, 3).await;
            assert_eq!(inner.unwrap(), outer.0.name());
        })
    };
    let (a, b) = join(both(), both()).await;
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(ledger.trace(), "+db1 +s1 ~s1 -s1 ~db1 -db1");
    ledger.check();
}

/// An exit that panics is that of the last one, and keeps nobody from entering again.
pub async fn a_panic_of_the_exit<R: Runtime>(_: R) {
    hush_injected_panics();
    let ledger = Ledger::new();
    let database = database(&ledger, |number, scope| match number {
        1 => scope.yields(2).exit_panics(),
        _ => scope,
    });
    let last = crate::caught(use_for(&database, 1));
    let mut last = Box::pin(last);
    for _ in 0..5 {
        assert!(poll_once(&mut last).await.is_pending());
    }
    let (ended, waited) = join(last, use_for(&database, 1)).await;
    assert_eq!(ended.unwrap_err(), "injected panic: exit db1");
    assert_eq!(waited.unwrap(), "db2");
    assert_eq!(ledger.trace(), "+db1 ~db1 !db1 +db2 ~db2 -db2");
}
