//! Scopes from two closures: everything is inferred, and the future is `Send`.

use std::io;
use std::sync::{Arc, Mutex};

use withal_core::{Outcome, Propagate, Recover, ScopeExt, acquire, with};
use withal_testing::{block_on, yield_now};

use crate::app_error::AppError;

struct Connection {
    address: String,
}

async fn connect(address: &str) -> io::Result<Connection> {
    yield_now().await;
    if address.is_empty() {
        return Err(io::Error::other("no address"));
    }
    Ok(Connection {
        address: address.to_owned(),
    })
}

type Log = Arc<Mutex<Vec<String>>>;

fn say(log: &Log, text: impl Into<String>) {
    log.lock().unwrap().push(text.into());
}

async fn query(log: Log, address: &str) -> Result<usize, AppError> {
    let tag = String::from("pg");
    let released = log.clone();
    with(
        acquire(async || connect(address).await).release(async move |connection, outcome| {
            yield_now().await;
            say(&released, format!("{tag} {} {outcome}", connection.address));
            yield_now().await;
            Ok(())
        }),
        async |connection| {
            say(&log, "query");
            yield_now().await;
            Ok(connection.address.len() + "3".parse::<usize>()?)
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_borrowed_local_and_a_captured_clone_spawned() {
    let log = Log::default();
    let length = tokio::spawn({
        let log = log.clone();
        async move {
            let address = String::from("localhost");
            query(log, &address).await
        }
    });
    assert_eq!(length.await.unwrap().unwrap(), 12);
    assert_eq!(*log.lock().unwrap(), ["query", "pg localhost success"]);
}

#[test]
fn an_acquire_that_fails_releases_nothing() {
    let log = Log::default();
    let failed = block_on(query(log.clone(), "")).unwrap_err();
    assert_eq!(failed.to_string(), "io: no address");
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn a_release_sees_the_error_and_may_pass_it_on() {
    let log = Log::default();
    let seen = log.clone();
    let scope = acquire(async || connect("db").await).release(async move |_, outcome| {
        let found = outcome.downcast_ref::<std::num::ParseIntError>().is_some();
        say(&seen, format!("{outcome}, found: {found}"));
        Ok(Propagate)
    });
    let failed: anyhow::Result<u32> = block_on(scope.with(async |_| {
        // The error itself, not in a box.
        Ok("x".parse::<u32>()?)
    }));
    assert!(failed.is_err());
    let log = log.lock().unwrap();
    assert!(log[0].starts_with("failure: invalid digit"), "{log:?}");
    assert_eq!(log[0].ends_with("found: true"), cfg!(feature = "anyhow"));
}

#[test]
fn a_release_that_recovers_says_so_in_the_type() {
    let scope = || {
        acquire(async || Ok::<_, AppError>(7)).release(async |_, outcome: Outcome<'_>| {
            Ok(match outcome {
                Outcome::Failure(_) => Recover::Suppress,
                _ => Recover::Propagate,
            })
        })
    };
    let well: Option<u32> = block_on(scope().with(async |n| Ok::<_, AppError>(*n))).unwrap();
    assert_eq!(well, Some(7));
    let failed = async |_: &mut _| Err::<u32, AppError>(io::Error::other("no").into());
    assert_eq!(block_on(scope().with(failed)).unwrap(), None);
}

#[test]
fn a_release_that_fails() {
    let scope = acquire(async || io::Result::Ok(())).release(async |(), _| {
        yield_now().await;
        Err::<(), _>(io::Error::other("disk full"))
    });
    let failed = block_on(scope.with(async |()| Ok::<_, AppError>(1)));
    assert_eq!(failed.unwrap_err().to_string(), "io: disk full");
}

#[test]
fn plain_functions_are_closures_too() {
    async fn close(_: Connection, outcome: Outcome<'_>) -> io::Result<()> {
        assert!(outcome.is_success());
        Ok(())
    }
    async fn open() -> io::Result<Connection> {
        connect("db").await
    }
    let length = acquire(open)
        .release(close)
        .using(async |c| c.address.len());
    assert_eq!(block_on(length).unwrap(), 2);
}

#[test]
fn the_combinators_take_it_as_any_scope() {
    let scope = acquire(async || connect("db").await).release(async |_, _| Ok(()));
    let address = scope
        .named("database")
        .view_as(|connection| &mut connection.address)
        .protected();
    let length = address.boxed().using(async |address| address.len());
    assert_eq!(block_on(length).unwrap(), 2);
}
