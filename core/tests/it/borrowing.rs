//! Scopes that borrow: only what is held from enter to exit must be `'static`.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::{FutureExt, try_join_all};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use withal_core::{
    LocalScope, Outcome, Propagate, Reason, Scope, ScopeExt, until, with, with_local,
};
use withal_testing::{block_on, yield_now};

use crate::app_error::AppError;

struct Pool {
    permits: Arc<Semaphore>,
    returned: Arc<AtomicUsize>,
}

impl Pool {
    fn new(size: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(size)),
            returned: Arc::default(),
        }
    }

    fn returned(&self) -> usize {
        self.returned.load(Ordering::SeqCst)
    }
}

struct Connection {
    _permit: OwnedSemaphorePermit,
    returned: Arc<AtomicUsize>,
}

impl Scope for &Pool {
    type Guard = Connection;
    type Error = io::Error;
    type Verdict = Propagate;

    async fn enter(self) -> io::Result<Connection> {
        let permit = self.permits.clone().acquire_owned().await;
        yield_now().await;
        Ok(Connection {
            _permit: permit.map_err(io::Error::other)?,
            returned: self.returned.clone(),
        })
    }

    async fn exit(connection: Connection, _: Outcome<'_>) -> io::Result<Propagate> {
        yield_now().await;
        connection.returned.fetch_add(1, Ordering::SeqCst);
        Ok(Propagate)
    }
}

/// A savepoint: its guard borrows the connection, so that it is a scope for `with_local`.
struct Savepoint<'a>(&'a mut Vec<&'static str>);

impl<'a> LocalScope for Savepoint<'a> {
    type Guard = &'a mut Vec<&'static str>;
    type Error = io::Error;
    type Verdict = Propagate;

    async fn enter(self) -> io::Result<Self::Guard> {
        self.0.push("savepoint");
        Ok(self.0)
    }

    async fn exit(log: Self::Guard, outcome: Outcome<'_>) -> io::Result<Propagate> {
        yield_now().await;
        log.push(if outcome.is_success() {
            "release"
        } else {
            "roll back"
        });
        Ok(Propagate)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_borrowed_pool_in_spawned_tasks() {
    let pool = Arc::new(Pool::new(2));
    let tasks = (0..6).map(|n| {
        let pool = pool.clone();
        tokio::spawn(async move {
            let label = format!("task {n}");
            pool.with(async |_| {
                yield_now().await;
                Ok::<_, AppError>(label.len())
            })
            .await
        })
    });
    let lengths = try_join_all(tasks).await.unwrap();
    assert!(lengths.into_iter().all(|length| length.unwrap() == 6));
    assert_eq!(pool.returned(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_on_the_stack_of_its_task() {
    let returned = tokio::spawn(async {
        let pool = Pool::new(1);
        let one = with(&pool, async |_| io::Result::Ok(1)).await?;
        let rest = try_join_all((0..3).map(|n| (&pool).using(async move |_| n))).await?;
        let named = (&pool).named("pool").protects_nothing().await?;
        assert_eq!((one, rest, named), (1, vec![0, 1, 2], 9));
        io::Result::Ok(pool.returned())
    });
    assert_eq!(returned.await.unwrap().unwrap(), 5);
}

/// A method on a combinator over a borrowed scope.
trait ProtectsNothing {
    async fn protects_nothing(self) -> io::Result<u32>;
}

impl ProtectsNothing for withal_core::Named<&Pool> {
    async fn protects_nothing(self) -> io::Result<u32> {
        self.using(async |_| 9).await
    }
}

#[test]
fn borrowed_guards_nest() {
    async fn transfer(log: &mut Vec<&'static str>) -> Result<(), AppError> {
        with_local(Savepoint(log), async |log| {
            log.push("debit");
            let inner = with_local(Savepoint(log), async |log| {
                log.push("credit");
                "x".parse::<u32>().map_err(AppError::from)
            });
            assert!(inner.await.is_err());
            Ok(())
        })
        .await
    }
    let mut log = Vec::new();
    block_on(transfer(&mut log)).unwrap();
    let steps = [
        "savepoint",
        "debit",
        "savepoint",
        "credit",
        "roll back",
        "release",
    ];
    assert_eq!(log, steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_borrowed_guard_that_is_send_can_be_spawned() {
    let log = tokio::spawn(async {
        let mut log = Vec::new();
        // A guard with a lifetime in its type needs the box: without it the compiler finds its closure "not general enough" to be spawned.
        with_local(Savepoint(&mut log), async |log| {
            yield_now().await;
            log.push("body");
            io::Result::Ok(())
        })
        .boxed()
        .await?;
        io::Result::Ok(log)
    });
    let log = log.await.unwrap().unwrap();
    assert_eq!(log, ["savepoint", "body", "release"]);
}

#[test]
fn a_guard_that_is_not_send_exits_in_place_when_it_is_cancelled() {
    struct Counted(Rc<std::cell::Cell<&'static str>>);
    impl LocalScope for Counted {
        type Guard = Rc<std::cell::Cell<&'static str>>;
        type Error = io::Error;
        type Verdict = Propagate;
        async fn enter(self) -> io::Result<Self::Guard> {
            Ok(self.0)
        }
        async fn exit(guard: Self::Guard, outcome: Outcome<'_>) -> io::Result<Propagate> {
            yield_now().await;
            guard.set(match outcome.reason() {
                Some(Reason::Requested(why)) => why,
                _ => "something else",
            });
            Ok(Propagate)
        }
    }
    let told = Rc::new(std::cell::Cell::new("nothing"));
    let stop = async {
        yield_now().await;
        Reason::Requested("enough")
    };
    let body = with_local(Counted(told.clone()), async |_| {
        std::future::pending::<io::Result<()>>().await
    });
    assert!(block_on(until(stop, body)).is_err());
    assert_eq!(told.get(), "enough");
}
