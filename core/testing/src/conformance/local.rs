//! Borrowed guards and guards that are not `Send`: their async exit runs under every graceful cancelling.

use std::future::pending;
use std::rc::Rc;

use futures::future::join;
use withal_core::{LocalScope, Outcome, Propagate, Reason, Runtime, ScopeExt, until, with_local};

use crate::cut::{cut_after, yield_times};
use crate::ledger::{Injected, Ledger, ok};
use crate::lost::LostErrors;

/// A transaction that borrows its connection, with an `Rc` for good measure.
struct Borrowed<'a> {
    ledger: &'a Ledger,
    name: &'static str,
}

struct Guard<'a> {
    scope: Borrowed<'a>,
    _not_send: Rc<()>,
}

impl<'a> LocalScope for Borrowed<'a> {
    type Guard = Guard<'a>;
    type Error = Injected;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Guard<'a>, Injected> {
        yield_times(1).await;
        self.ledger.say(format!("+{}", self.name));
        Ok(Guard {
            scope: self,
            _not_send: Rc::new(()),
        })
    }

    async fn exit(guard: Guard<'a>, outcome: Outcome<'_>) -> Result<Propagate, Injected> {
        let Borrowed { ledger, name } = guard.scope;
        ledger.say(format!("~{name}({outcome})"));
        yield_times(3).await;
        ledger.say(format!("-{name}"));
        Ok(Propagate)
    }
}

fn borrowed<'a>(ledger: &'a Ledger, name: &'static str) -> Borrowed<'a> {
    Borrowed { ledger, name }
}

async fn stop(polls: usize) -> Reason {
    yield_times(polls).await;
    Reason::Requested("enough")
}

/// Success, failure, and a local scope inside of one that is not.
pub async fn in_place<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ledger
        .scope("conn")
        .with(async |_| with_local(borrowed(&ledger, "tx"), async |_| ok(1)).await)
        .await;
    assert_eq!(ended, Ok(1));
    let failed = with_local(borrowed(&ledger, "f"), async |_| {
        Err::<(), _>(Injected("x".to_owned()))
    });
    assert!(failed.await.is_err());
    let trace = ledger.trace();
    assert_eq!(
        trace,
        "+conn +tx ~tx(success) -tx ~conn -conn +f ~f(failure: injected error: x) -f"
    );
}

/// A tree of borrowed guards under a signal: connection, transaction, savepoint.
pub async fn under_a_signal<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let body = ledger.scope("conn").with(async |_| {
        with_local(borrowed(&ledger, "tx"), async |_| {
            with_local(borrowed(&ledger, "save"), async |_| {
                ok(pending::<()>().await)
            })
            .await
        })
        .await
    });
    assert!(until(stop(5), body).await.is_err());
    let why = "(cancelled: enough)";
    let expected = format!("+conn +tx +save ~save{why} -save ~tx{why} -tx ~conn -conn");
    assert_eq!(ledger.trace(), expected);
}

/// Two of them side by side exit concurrently, then their parent.
pub async fn side_by_side<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let body = with_local(borrowed(&ledger, "p"), async |_| {
        let one = with_local(borrowed(&ledger, "x"), async |_| ok(pending::<()>().await));
        let two = with_local(borrowed(&ledger, "y"), async |_| ok(pending::<()>().await));
        let (one, two) = join(one, two).await;
        one.and(two)
    });
    assert!(until(stop(5), body).await.is_err());
    let why = "(cancelled: enough)";
    let expected = format!("+p +x +y ~x{why} ~y{why} -x -y ~p{why} -p");
    assert_eq!(ledger.trace(), expected);
}

/// The signal comes at every poll.
pub async fn at_every_poll<R: Runtime>(_: R) {
    for polls in 0..15 {
        let ledger = Ledger::new();
        let body = with_local(borrowed(&ledger, "a"), async |_| {
            with_local(borrowed(&ledger, "b"), async |_| {
                yield_times(2).await;
                ok(())
            })
            .await
        });
        let _ = until(stop(polls), body).await;
        let trace = ledger.trace();
        for name in ["a", "b"] {
            let entered = trace.matches(&format!("+{name}")).count();
            let exited = trace.matches(&format!("-{name}")).count();
            assert_eq!(entered, exited, "{trace}");
        }
    }
}

/// A hard drop can only drop the guard; the hook is told, and what was inside is finished all the same.
pub async fn dropped_hard<R: Runtime>(_: R) {
    struct Fragile;
    impl LocalScope for Fragile {
        type Guard = Rc<()>;
        type Error = Injected;
        type Verdict = Propagate;
        async fn enter(self) -> Result<Rc<()>, Injected> {
            Ok(Rc::new(()))
        }
        async fn exit(_: Rc<()>, _: Outcome<'_>) -> Result<Propagate, Injected> {
            Ok(Propagate)
        }
    }
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let body = with_local(Fragile, async |_| {
        let inner = ledger.scope("in").yields(1);
        inner.with(async |_| ok(pending::<()>().await)).await
    });
    drop(cut_after(3, body).eagerly().await);
    ledger.settled().await;
    ledger.check();
    assert_eq!(ledger.trace(), "+in ~in -in");
    assert!(!lost.containing("exit of `Fragile`").is_empty());
}

/// Dropped hard in its exit, the body's error is told, too.
pub async fn dropped_hard_in_its_exit<R: Runtime>(_: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let body = with_local(borrowed(&ledger, "e"), async |_| {
        Err::<(), _>(Injected("local.body.error".to_owned()))
    });
    assert!(cut_after(3, body).await.is_none());
    assert_eq!(lost.containing("local.body.error").len(), 1);
    assert!(!lost.containing("exit of `Borrowed`").is_empty());
}
