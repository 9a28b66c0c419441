//! Synchronous sections that run an executor: inside of bodies and tasks, and whatever is going on around them.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use futures::channel::oneshot;
use withal_core::{Reason, Runtime, ScopeExt, acquire, isolated, task_group, until};

use crate::cut::{cut_after, yield_times};
use crate::ledger::{Injected, Ledger, ok};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// An executor that knows of nobody else. (That of `futures` refuses to run inside of itself.)
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park();
    }
}

/// Blocks on a program which leaves an orphan behind, and waits for it.
fn bridge() {
    isolated(|| {
        block_on(async {
            let (released, is_released) = oneshot::channel();
            let scope = acquire(async || Ok::<_, Injected>(released))
                .release(async move |released, _| ok(released.send(()).unwrap_or(())));
            let permit = scope.using(async |_| pending::<()>().await);
            assert!(cut_after(1, permit).await.is_none());
            assert!(is_released.await.is_ok());
        });
    });
}

/// In the task of a group, also while it is cancelled.
pub async fn in_a_task_of_a_group<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let group = task_group(&rt, async |group| {
        let tasks = ["a", "b"].map(|name| {
            let scope = ledger.scope(name).yields(1);
            group.spawn::<(), _>(async move {
                scope
                    .with(async |_| {
                        loop {
                            bridge();
                            yield_times(1).await;
                        }
                    })
                    .await
            })
        });
        while ledger.entered() < 2 {
            yield_times(1).await;
        }
        bridge();
        for task in tasks {
            task.cancel("enough");
            assert!(task.await.is_err());
        }
        ok(())
    });
    assert!(group.await.is_ok());
    assert_eq!((ledger.entered(), ledger.live()), (2, 0));
    ledger.check();
}

/// While a canceller is closing: that is not seen inside of the section, where scopes are entered as ever.
pub async fn while_a_canceller_is_closing<R: Runtime>(_: R) {
    for polls in 0..4 {
        let ledger = Ledger::new();
        let signal = async {
            yield_times(polls).await;
            Reason::Requested("enough")
        };
        let body = ledger.scope("a").exit_yields(2).using(async |_| {
            poll_fn(|cx| {
                bridge();
                isolated(|| {
                    let inside = ledger.scope("in").yields(2);
                    let ended = block_on(inside.using(async |_| yield_times(2).await));
                    assert_eq!(ended, Ok(()));
                });
                cx.waker().wake_by_ref();
                Poll::<()>::Pending
            })
            .await;
        });
        assert!(until(signal, body).await.is_err());
        assert_eq!(ledger.outcome("a").as_deref(), Some("cancelled: enough"));
        assert_eq!(ledger.outcome("in").as_deref(), Some("success"));
        assert!(ledger.trace().ends_with("-in ~a -a"), "{}", ledger.trace());
    }
}

/// In an exit, of a scope that was dropped: whoever finishes it.
pub async fn in_an_exit_that_is_adopted<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let around = ledger.scope("around").using(async |_| {
        let log = ledger.clone();
        let scope = acquire(async || ok(())).release(async move |(), _| {
            yield_times(1).await;
            bridge();
            log.say("bridged");
            ok(())
        });
        let body = scope.using(async |()| pending::<()>().await);
        assert!(cut_after(1, body).await.is_none());
    });
    assert_eq!(around.await, Ok(()));
    assert_eq!(ledger.trace(), "+around bridged ~around -around");
}
