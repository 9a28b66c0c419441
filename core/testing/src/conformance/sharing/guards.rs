//! What bodies do with the guards of a shared scope: each keeps to its own generation.

use std::mem::swap;

use withal_core::{ExitStack, Report, Runtime, ScopeExt, shared};

use crate::cut::{poll_once, yield_times};
use crate::ledger::{Injected, Ledger, TracedGuard, ok};
use crate::lost::LostErrors;

use super::{database, use_for};

const DROPPED: &str = "cancelled: the future was dropped";

/// Two users of different scopes swap their guards: each block releases what it has, and a later generation is not touched.
pub async fn swapped_guards<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let left = database(&ledger, |_, scope| scope.yields(1));
    let right = shared({
        let ledger = ledger.clone();
        move || ledger.scope("right").yields(1).exit_fails()
    });
    let swapped = left.clone().with(async |outer| {
        let inner = right.clone().with(async |inner| {
            swap(outer, inner);
            assert_eq!((outer.name(), inner.name()), ("right", "db1"));
            yield_times(1).await;
            ok(())
        });
        assert_eq!(inner.await, Ok(()), "it has released the left one");
        assert_eq!((left.users(), right.users()), (0, 1));
        assert_eq!(ledger.trace(), "+db1 +right ~db1 -db1");
        // A new generation of the left one begins and ends.
        assert_eq!(use_for(&left, 1).await.unwrap(), "db2");
        ok(())
    });
    assert_eq!(swapped.await, Err(Injected("exit right".to_owned())));
    assert_eq!(
        ledger.trace(),
        "+db1 +right ~db1 -db1 +db2 ~db2 -db2 ~right !right"
    );
    ledger.check();
}

/// The same between scopes of different types: what the other one's block cannot return is told.
pub async fn guards_swapped_between_types<R: Runtime>(_: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let left = database(&ledger, |_, scope| scope.yields(1));
    let other = shared({
        let ledger = ledger.clone();
        move || {
            let guard = ledger.scope("swapped.other").yields(1).exit_fails();
            guard.named("other")
        }
    });
    let swapped = left.clone().with(async |outer| {
        let inner = other.clone().with(async |inner| {
            swap(outer, inner);
            ok(())
        });
        assert_eq!(inner.await, Ok(()));
        assert_eq!(ledger.trace(), "+db1 +swapped.other ~db1 -db1");
        ok(())
    });
    assert_eq!(swapped.await, Ok(()));
    assert_eq!(lost.containing("exit swapped.other").len(), 1);
    assert_eq!(ledger.live(), 0, "it has ended before the block");
    ledger.check();
}

/// A guard that is taken out counts until it is dropped, and releases then if it is the last one.
pub async fn guards_that_are_taken_out<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let database = database(&ledger, |_, scope| scope.yields(1));
    let taken = Some(database.clone())
        .with(async |guard| ok(guard.take()))
        .await;
    let taken = taken.unwrap().unwrap();
    assert_eq!((database.users(), ledger.trace().as_str()), (1, "+db1"));
    // Another one uses the same, and so does not release it.
    assert_eq!(use_for(&database, 1).await.unwrap(), "db1");
    let dismissed = ExitStack::with(async |stack| {
        let lease = stack.enter(database.clone()).await?;
        Ok::<_, Report>(lease.dismiss())
    });
    let dismissed = dismissed.await.unwrap();
    drop(taken);
    assert_eq!((database.users(), ledger.trace().as_str()), (1, "+db1"));
    assert_eq!(dismissed.name(), "db1");
    drop(dismissed);
    // It exits, and who comes waits for that.
    assert_eq!(use_for(&database, 1).await.unwrap(), "db2");
    assert_eq!(ledger.trace(), "+db1 ~db1 -db1 +db2 ~db2 -db2");
    assert_eq!(ledger.outcome("db1").as_deref(), Some(DROPPED));
}

/// A guard that is leaked keeps its generation open, and harms nobody else.
pub async fn a_guard_that_is_leaked<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let database = database(&ledger, |_, scope| scope);
    let leaked = Some(database.clone()).with(async |guard| {
        std::mem::forget(guard.take());
        ok(())
    });
    assert_eq!(leaked.await, Ok(()));
    for _ in 0..3 {
        assert_eq!(use_for(&database, 1).await.unwrap(), "db1");
    }
    assert_eq!(ledger.trace(), "+db1");
}

/// What is shared is a plain reference, that goes to every thread.
pub async fn guards_are_shared_between_threads<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let database = database(&ledger, |_, scope| scope);
    let mut user = Box::pin(database.clone().using(async |guard| {
        let guard: &TracedGuard = guard;
        std::thread::scope(|threads| {
            threads.spawn(|| assert_eq!(guard.name(), "db1"));
        });
        yield_times(1).await;
    }));
    assert!(poll_once(&mut user).await.is_pending());
    let ended = std::thread::spawn(move || crate::block_on(use_for(&database, 1)).unwrap());
    assert_eq!(user.await, Ok(()));
    assert!(["db1", "db2"].contains(&&*ended.join().unwrap()));
    ledger.check();
}
