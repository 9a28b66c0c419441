//! `await using`: when a resource is released, in which order, and what becomes of errors.

use std::convert::Infallible;
use std::sync::Arc;

use futures::{FutureExt, StreamExt, stream};
use withal_core::{
    Close, ExitStack, Outcome, Report, Runtime, ScopeExt, closing, null, sync, using,
};

use crate::conformance::entries::{error, raises, says, texts};
use crate::cut::{poll_once, yield_now};
use crate::ledger::{Injected, Ledger, Traced, ok};

/// At the end of the block, and not while the block waits.
pub async fn async_dispose_called_at_end_of_block<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let block = ledger.scope("r").yields(1).using(async |_| {
        ledger.say("before");
        yield_now().await;
        ledger.say("after");
    });
    assert_eq!(block.await, Ok(()));
    ledger.say("outside");
    assert_eq!(ledger.trace(), "+r before after ~r -r outside");
}

/// At the end of the function, before its value is there, also by an early return.
pub async fn async_dispose_called_at_end_of_asyncfunctionbody<R: Runtime>(_: R) {
    async fn function(ledger: &Ledger, early: bool) -> Result<u8, Injected> {
        let body = async |_: &mut _| {
            if early {
                return Ok(1);
            }
            yield_now().await;
            Ok(2)
        };
        ledger.scope("r").yields(1).with(body).await
    }
    for (early, value) in [(true, 1), (false, 2)] {
        let ledger = Ledger::new();
        assert_eq!(function(&ledger, early).await, Ok(value));
        assert_eq!(ledger.trace(), "+r ~r -r");
    }
}

/// At the end of a generator, not while it is suspended at an item.
pub async fn async_dispose_called_at_end_of_asyncgeneratorbody<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let open = ledger.scope("r").open().await.unwrap();
    let mut items = Box::pin(stream::unfold((Some(open), 0), async |(mut open, item)| {
        if item == 2 {
            let closed = open.take()?.close(Outcome::Success).await;
            assert_eq!(closed.map(|_| ()), Ok(()));
            return None;
        }
        Some((item, (open, item + 1)))
    }));
    while let Some(item) = items.next().await {
        ledger.say(item.to_string());
    }
    assert_eq!(ledger.trace(), "+r 0 1 ~r -r");
}

/// A resource of the head of a loop: once, after the whole loop.
pub async fn async_dispose_called_at_end_of_forstatement<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let all = ledger.scope("r").using(async |_| {
        for turn in 0..2 {
            ledger.say(turn.to_string());
        }
    });
    assert_eq!(all.await, Ok(()));
    assert_eq!(ledger.trace(), "+r 0 1 ~r -r");
}

/// A resource of each turn: before the next item is asked for.
pub async fn async_dispose_called_at_end_of_each_iteration_of_forofstatement<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let mut items = stream::iter(["a", "b"]).inspect(|item| ledger.say(format!("?{item}")));
    while let Some(item) = items.next().await {
        let turn = ledger
            .scope(item)
            .yields(1)
            .using(async |_| ledger.say(item));
        assert_eq!(turn.await, Ok(()));
    }
    assert_eq!(ledger.trace(), "?a +a a ~a -a ?b +b b ~b -b");
}

/// Several in one block: in the reverse order, async and sync.
pub async fn multiple_resources_disposed_in_reverse_order<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let nested = ledger.scope("1").yields(1).with(async |_| {
        let two = sync(Says(ledger.clone(), "2"));
        let inner = two.using(async |_| ledger.scope("3").yields(1).using(async |_| ()).await);
        let Ok(ended) = inner.await;
        ended
    });
    assert_eq!(nested.await, Ok(()));
    assert_eq!(ledger.trace(), "+1 +3 ~3 -3 2 ~1 -1");
}

struct Says(Ledger, &'static str);

impl Drop for Says {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

/// Subsequent resources of one block go on top of those that are there.
pub async fn puts_initializer_on_top_of_disposable_resource_stack<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let block = ExitStack::with(async |stack| {
        stack.enter(ledger.scope("1").yields(1)).await?;
        ledger.say("between");
        stack.enter(ledger.scope("2").yields(1)).await?;
        Ok::<_, Report>(())
    });
    assert!(block.await.is_ok());
    assert_eq!(ledger.trace(), "+1 between +2 ~2 -2 ~1 -1");
}

/// The only error comes out as it is: an async exit's, a sync exit's, the body's.
pub async fn throws_error_as_is_if_only_one_error<R: Runtime>(_: R) {
    let thrown = Arc::new(error("only"));
    let same = |report: Report| {
        let only = report.downcast::<Arc<Injected>>().unwrap();
        Arc::ptr_eq(&only, &thrown)
    };
    let copy = thrown.clone();
    let ended = ExitStack::with(async move |stack| {
        stack.defer(async || {
            yield_now().await;
            Err::<(), _>(copy)
        });
        Ok::<_, Report>(())
    });
    assert!(same(ended.await.unwrap_err()));
    let copy = thrown.clone();
    let ended = ExitStack::with(async move |stack| {
        stack.callback(|| Err::<(), _>(copy));
        Ok::<_, Report>(())
    });
    assert!(same(ended.await.unwrap_err()));
    let copy = thrown.clone();
    let ended = ExitStack::with(async move |stack| {
        stack.defer(async || yield_now().await);
        Err::<(), Report>(copy.into())
    });
    assert!(same(ended.await.unwrap_err()));
}

/// The body fails, and then a sync exit, and then an async one: the body's error is the primary one.
pub async fn throws_suppressederror_if_multiple_errors<R: Runtime>(_: R) {
    let ended = ExitStack::with(async |stack| {
        raises(stack, "error1");
        stack.callback(|| Err::<(), _>(error("error2")));
        Err::<(), Report>(error("error3").into())
    });
    let report = ended.await.unwrap_err();
    assert_eq!(texts(&report), ["error3", "error2", "error1"]);
    assert_eq!(report.primary().downcast_ref(), Some(&error("error3")));
}

/// A resource that is not there is no error.
pub async fn allows_null_initializer<R: Runtime>(_: R) {
    let block = None::<Traced>.using(async |nothing| nothing.is_none());
    assert_eq!(block.await, Ok(true));
}

/// A block suspends where something in it does, and nowhere else; in JavaScript it always does.
pub async fn await_using_implies_await_if_evaluated<R: Runtime>(_: R) {
    let mut block = Box::pin(using(null(()), async |()| ()));
    assert!(poll_once(&mut block).await.is_ready());
    let mut block = Box::pin(ExitStack::with(async |stack| {
        stack.callback(|| ());
        let Ok(_) = stack.enter(null(())).await;
        Ok::<_, Report>(())
    }));
    assert!(poll_once(&mut block).await.is_ready());
}

/// A block that is left before its resource is there does not suspend.
pub async fn await_using_does_not_imply_await_if_not_evaluated<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let function = async |leave: bool| {
        if leave {
            return ok(());
        }
        ledger.scope("r").exit_yields(1).using(async |_| ()).await
    };
    let mut left = Box::pin(function(true));
    assert!(poll_once(&mut left).await.is_ready());
    let mut run = Box::pin(function(false));
    assert!(poll_once(&mut run).await.is_pending());
    assert_eq!(run.await, Ok(()));
    assert_eq!(ledger.trace(), "+r ~r -r");
}

/// A stream whose close is the early return of its source.
struct Items(Option<Ledger>, Result<(), Injected>);

impl Close for Items {
    type Error = Injected;

    async fn close(&mut self) -> Result<(), Injected> {
        if let Some(ledger) = self.0.take() {
            yield_now().await;
            ledger.say("return");
        }
        self.1.clone()
    }
}

/// Closing a stream runs its early return, once; one without has nothing to run; its error is the caller's.
pub async fn async_iterator_prototype_async_dispose<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let closed = closing(Items(Some(ledger.clone()), Ok(()))).using(async |_| ());
    assert_eq!(closed.await, Ok(()));
    assert_eq!(ledger.trace(), "return");
    let without = closing(Items(None, Ok(()))).using(async |_| ());
    assert_eq!(without.await, Ok(()));
    let throws = closing(Items(None, Err(error("rejected")))).using(async |_| ());
    assert_eq!(throws.await, Err(error("rejected")));
}

/// Callbacks that are not async have all run at the first poll, an async one up to its first await.
pub async fn await_using_in_async_function_without_await<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let mut block = Box::pin(ExitStack::with(async |stack| {
        says(stack, &ledger, "42");
        for (begin, end) in [("43 begins", "43 ends"), ("44 begins", "44 ends")] {
            let log = ledger.clone();
            stack.defer(async move || {
                log.say(begin);
                yield_now().await;
                log.say(end);
            });
        }
        ledger.say("body");
        Ok::<_, Report>(())
    }));
    assert!(poll_once(&mut block).await.is_pending());
    assert_eq!(ledger.trace(), "body 44 begins");
    assert!(block.await.is_ok());
    assert_eq!(
        ledger.trace(),
        "body 44 begins 44 ends 43 begins 43 ends 42"
    );
}

/// An exit fails before its first await, and after one.
pub async fn dispose_method_throws_after_await<R: Runtime>(_: R) {
    for polls in 0..2 {
        let ledger = Ledger::new();
        let failing = ledger.scope("r").exit_yields(polls).exit_fails();
        assert_eq!(failing.using(async |_| ()).await, Err(error("exit r")));
        assert_eq!(ledger.trace(), "+r ~r !r");
    }
}

/// The body fails before anything is entered, between two, and after all: what was entered is released.
pub async fn user_code_throws_before_and_after<R: Runtime>(_: R) {
    for (fails_after, expected) in [(0, ""), (1, "+0 ~0 -0"), (2, "+0 +1 ~1 -1 ~0 -0")] {
        let ledger = Ledger::new();
        let block = ExitStack::with(async |stack| {
            for resource in 0..fails_after {
                stack
                    .enter(ledger.scope(resource.to_string()).yields(1))
                    .await?;
            }
            Err::<Infallible, Report>(error("user code").into())
        });
        assert_eq!(texts(&block.await.unwrap_err()), ["user code"]);
        assert_eq!(ledger.trace(), expected);
    }
}

/// A resource whose exit never suspends does not suspend the block, whatever it leaves behind.
pub async fn async_disposal_from_sync_method_returning_a_promise<R: Runtime>(_: R) {
    let never = std::future::pending::<()>();
    let mut block = Box::pin(using(sync(never.boxed()), async |_| ()));
    assert!(poll_once(&mut block).await.is_ready());
}
