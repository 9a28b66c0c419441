//! Exit stacks by hand, and what is done wrong with them: each has one meaning.

mod children;
mod closers;

use std::mem::forget;
use std::sync::{Arc, Mutex};

use withal_core::{ExitStack, Kind, Outcome, Report, Runtime, ScopeExt};

use crate::conformance::entries::{error, raises, says, sees, texts, waits};
use crate::cut::{poll_once, yield_times};
use crate::drop_sweep::drop_sweep;
use crate::ledger::Ledger;
use crate::lost::LostErrors;

pub use children::*;
pub use closers::*;

/// After the close: what is entered lives as long as its lease; its exit is told how the stack had ended, and its error goes to who closes the lease.
pub async fn adding_after_close<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        sees(stack, &ledger, "a");
        let handle = stack.handle();
        let outer = handle.stack().unwrap();
        stack.close(Outcome::Success).await?;
        let late = outer.enter(ledger.scope("late").exit_fails()).await?;
        assert_eq!(outer.len(), 0);
        assert!(outer.lease(&late.key()).is_none());
        let failed = late.close().await;
        assert_eq!(texts(&failed.unwrap_err()), ["exit late"]);
        Ok::<_, Report>(())
    });
    assert!(ended.await.is_ok());
    assert_eq!(ledger.trace(), "a:ok +late ~late !late");
    ledger.check();
}

/// While the stack unwinds it takes more, which runs next; and what is entered then and lent out is awaited in its turn.
pub async fn adding_while_unwinding<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    says(&stack, &ledger, "first");
    let (handle, log) = (stack.handle(), ledger.clone());
    stack.defer(async move || {
        let own = handle.stack().unwrap();
        let entered = own.enter(log.scope("x").yields(1)).await?;
        sees(&own, &log, "y");
        assert_eq!(entered.name(), "x");
        drop(entered);
        Err::<(), _>(error("adder"))
    });
    let failed = stack.close(Outcome::Success).await;
    assert_eq!(texts(&failed.unwrap_err()), ["adder"]);
    assert_eq!(ledger.trace(), "+x y:adder ~x -x first");
}

/// A lease that is leaked takes the guard with it: its entry is skipped and named; all others run.
pub async fn a_forgotten_lease<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        sees(stack, &ledger, "a");
        forget(stack.enter(ledger.scope("gone").named("gone")).await?);
        sees(stack, &ledger, "b");
        Ok::<_, Report>(())
    });
    let report = ended.await.unwrap_err();
    assert_eq!(report.len(), 1);
    assert_eq!(report.primary().kind(), Kind::Skipped);
    assert_eq!(report.primary().scope(), Some("gone"));
    let location = report.primary().location().unwrap();
    assert!(location.file().ends_with("stacks.rs"));
    assert!(ledger.trace().starts_with("+gone b:ok a:"));
}

/// A lease that comes back after the close: its exit runs then, and is told how the stack had ended.
pub async fn a_lease_that_comes_back_after_the_close<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ledger.scope("around").using(async |_| {
        let stack = ExitStack::new();
        let lease = stack.enter(ledger.scope("lent").yields(1)).await.unwrap();
        says(&stack, &ledger, "other");
        let failed = stack.close(Outcome::Success).await.unwrap_err();
        assert_eq!(failed.primary().kind(), Kind::Skipped);
        assert_eq!(lease.name(), "lent", "it is still good");
        drop(lease);
    });
    assert_eq!(ended.await, Ok(()));
    let trace = "+around +lent other ~lent -lent ~around -around";
    assert_eq!(ledger.trace(), trace);
    assert_eq!(ledger.outcome("lent").as_deref(), Some("success"));
    ledger.check();
}

/// A lease that comes back while the stack unwinds, before its turn: all is well.
pub async fn a_lease_that_comes_back_in_time<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    let lease = stack.enter(ledger.scope("lent")).await.unwrap();
    let go = waits(&stack, &ledger, "first");
    let mut closing = Box::pin(stack.close(Outcome::Success));
    assert!(poll_once(&mut closing).await.is_pending());
    drop(lease);
    assert_eq!(go.send(()), Ok(()));
    assert!(closing.await.is_ok());
    assert_eq!(ledger.trace(), "+lent first ~lent -lent");
}

/// A key opens its guard wherever the entry is; and opens nothing while it is lent out, or after it has left.
pub async fn take_while_a_key_is_kept<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let old = ExitStack::new();
    let lease = old.enter(ledger.scope("a").yields(1)).await.unwrap();
    let key = lease.key();
    assert!(old.lease(&key).is_none(), "it is lent out");
    // Taken while it is lent out, it comes back to where it belongs now.
    let new = old.take();
    drop(lease);
    assert!(old.lease(&key).is_none(), "it is elsewhere");
    assert_eq!(new.lease(&key).unwrap().name(), "a");
    assert!(old.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "+a");
    let third = ExitStack::new();
    let moved = new.lease(&key).unwrap().transfer(&third);
    assert!(new.lease(&key).is_none() && new.is_empty());
    // Moved by itself, it has a new key.
    let new_key = moved.key();
    drop(moved);
    assert!(third.lease(&key).is_none());
    assert!(third.lease(&new_key).unwrap().close().await.is_ok());
    assert!(third.lease(&new_key).is_none() && third.is_empty());
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// Taken by one of its own entries, the stack has nothing left to unwind: the others are the new stack's.
pub async fn take_while_unwinding<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let kept = Arc::new(Mutex::new(None));
    let stack = ExitStack::new();
    says(&stack, &ledger, "taken");
    let (handle, keep) = (stack.handle(), kept.clone());
    stack.defer(async move || {
        yield_times(1).await;
        *keep.lock().unwrap() = Some(handle.stack().unwrap().take());
    });
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "");
    let taken = kept.lock().unwrap().take().unwrap();
    assert!(taken.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "taken");
}

/// An entry that moves goes on top of what is there; into a closed stack, it is released when its lease ends.
pub async fn transfer<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ledger.scope("around").using(async |_| {
        let (from, to, closed) = (ExitStack::new(), ExitStack::new(), ExitStack::new());
        assert!(closed.close(Outcome::Success).await.is_ok());
        let moving = from.enter(ledger.scope("moving")).await.unwrap();
        says(&from, &ledger, "from");
        says(&to, &ledger, "to");
        drop(moving.transfer(&to));
        let late = from.enter(ledger.scope("late").yields(1)).await.unwrap();
        drop(late.transfer(&closed));
        assert_eq!((from.len(), to.len()), (1, 2));
        assert!(from.close(Outcome::Success).await.is_ok());
        assert!(to.close(Outcome::Success).await.is_ok());
    });
    assert_eq!(ended.await, Ok(()));
    let trace = ledger.trace();
    assert!(trace.contains("~moving -moving to"), "{trace}");
    assert!(trace.ends_with("~around -around"), "{trace}");
    ledger.check();
}

/// What is dismissed is the caller's, and has no exit.
pub async fn dismiss<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        let never = async |_, _: Outcome<'_>| -> () { unreachable!("it was dismissed") };
        let kept = stack.push(vec![1], never);
        let key = kept.key();
        let kept = kept.dismiss();
        assert!(stack.is_empty() && stack.lease(&key).is_none());
        Ok::<_, Report>(kept)
    });
    assert_eq!(ended.await.unwrap(), [1]);
}

/// Dropped unclosed, a stack is an orphan: its exits run, last in, first out, before the scope around exits.
pub async fn dropped_unclosed<R: Runtime>(_: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let ended = ledger.scope("around").using(async |_| {
        let stack = ExitStack::new();
        sees(&stack, &ledger, "a");
        raises(&stack, "dropped.unclosed");
        sees(&stack, &ledger, "b");
    });
    assert_eq!(ended.await, Ok(()));
    let cut = "cancelled: the future was dropped";
    let trace = format!("+around b:{cut} a:{cut} ~around -around");
    assert_eq!(ledger.trace(), trace);
    assert_eq!(lost.containing("dropped.unclosed").len(), 1);
}

/// A stack in a body, and one that is closed by hand, dropped at every poll.
pub async fn dropped_at_every_poll<R: Runtime>(_: R) {
    let polls = drop_sweep(|ledger| {
        let ledger = ledger.clone();
        async move {
            ExitStack::with(async |stack| {
                let a = stack.enter(ledger.scope("a").yields(1)).await?;
                let b = stack.enter(ledger.scope("b").inside(&a).yields(1)).await?;
                let by_hand = stack.fork();
                by_hand
                    .enter(ledger.scope("c").inside(&b).yields(2))
                    .await?;
                drop((a, b));
                by_hand.close(Outcome::Success).await?;
                let late = stack.enter(ledger.scope("d").yields(1)).await?;
                yield_times(1).await;
                late.close().await?;
                Ok::<_, Report>(())
            })
            .await
        }
    });
    assert!(polls.await > 5);
}
