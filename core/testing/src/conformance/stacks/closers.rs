//! Who closes a stack: two at once, tasks, the body, an exit, one of its own entries.

use std::sync::Arc;

use futures::channel::oneshot;
use futures::future::{join, join_all};
use withal_core::{ExitStack, Kind, Outcome, Propagate, Report, Runtime, Scope, ScopeExt, Task};

use crate::conformance::entries::{error, raises, says, sees, texts, waits};
use crate::cut::{caught, cut_after, poll_once, spawn_abortable, yield_now, yield_times};
use crate::faults::hush_injected_panics;
use crate::ledger::Ledger;

/// The second closer waits for the first, and both get the same result.
pub async fn two_concurrent_closers<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    says(&stack, &ledger, "1");
    raises(&stack, "error");
    says(&stack, &ledger, "3");
    let second = async {
        let result = stack.close(Outcome::Success).await;
        ledger.say("second");
        result
    };
    let (first, second) = join(stack.close(Outcome::Success), second).await;
    assert_eq!(texts(&first.unwrap_err()), ["error"]);
    assert_eq!(texts(&second.unwrap_err()), ["error"]);
    assert_eq!(ledger.trace(), "3 1 second");
}

/// The first closer is dropped: the exits go on, and the second still waits for them.
pub async fn the_first_closer_is_dropped<R: Runtime>(_: R) {
    for polls in 1..4 {
        let ledger = Ledger::new();
        let ended = ledger.scope("around").using(async |_| {
            let stack = ExitStack::new();
            for name in ["1", "2", "3"] {
                let log = ledger.clone();
                stack.defer(async move || {
                    yield_times(3).await;
                    log.say(name);
                });
            }
            let first = cut_after(polls, stack.close(Outcome::Success));
            let second = stack.close(Outcome::Success);
            let (first, second) = join(first, second).await;
            assert!(first.is_none() && second.is_ok());
        });
        assert_eq!(ended.await, Ok(()));
        assert_eq!(ledger.trace(), "+around 3 2 1 ~around -around");
    }
}

/// A panic goes on at the first closer; the second has it in its report.
pub async fn a_panic_and_two_closers<R: Runtime>(_: R) {
    hush_injected_panics();
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    sees(&stack, &ledger, "outer");
    stack.defer(async || -> () {
        yield_now().await;
        panic!("injected panic: exit")
    });
    let first = caught(stack.close(Outcome::Success));
    let (first, second) = join(first, stack.close(Outcome::Success)).await;
    assert_eq!(first.unwrap_err(), "injected panic: exit");
    assert_eq!(second.unwrap_err().primary().kind(), Kind::Panicked);
    assert_eq!(ledger.trace(), "outer:panic: injected panic: exit");
}

/// Closed inside of the body: who closes has the errors, and the end of the body has nothing left to do.
pub async fn closing_inside_the_body<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ExitStack::with(async |stack| {
        sees(stack, &ledger, "a");
        raises(stack, "error");
        let failed = stack.close(Outcome::Success).await;
        assert_eq!(texts(&failed.unwrap_err()), ["error"]);
        assert!(stack.is_closed());
        Ok::<_, Report>(7)
    });
    assert_eq!(ended.await.unwrap(), 7);
    assert_eq!(ledger.trace(), "a:error");
    // A body that fails afterwards fails alone.
    let ended = ExitStack::with(async |stack| {
        raises(stack, "error");
        let _told = stack.close(Outcome::Success).await;
        Err::<(), Report>(error("body").into())
    });
    assert_eq!(texts(&ended.await.unwrap_err()), ["body"]);
}

/// An entry that closes its own stack does not wait for itself: the stack goes on after it.
pub async fn an_entry_that_closes_its_own_stack<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let stack = ExitStack::new();
    says(&stack, &ledger, "outer");
    let (handle, log) = (stack.handle(), ledger.clone());
    stack.defer(async move || {
        yield_now().await;
        let own = handle.stack().unwrap();
        assert!(own.close(Outcome::Success).await.is_ok());
        yield_now().await;
        log.say("closer");
    });
    assert!(stack.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "closer outer");
    // So does the entry of a child that closes the parent.
    let parent = ExitStack::new();
    says(&parent, &ledger, "parent");
    let child = parent.fork();
    let handle = parent.handle();
    child.defer(async move || {
        handle
            .stack()
            .unwrap()
            .close(Outcome::Success)
            .await
            .map(|_| ())
    });
    assert!(parent.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "closer outer parent");
}

/// Closers in tasks, on whichever threads: all get the same, and the exits run once.
pub async fn closers_in_tasks<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let stack = Arc::new(ExitStack::new());
    for name in ["1", "2", "3"] {
        says(&stack, &ledger, name);
        raises(&stack, name);
    }
    let closers = (0..8).map(|_| {
        let (stack, (done, is_done)) = (stack.clone(), oneshot::channel());
        rt.spawn(Task::new(async move {
            let failed = stack.close(Outcome::Success).await.unwrap_err();
            let _ = done.send(texts(&failed));
        }));
        is_done
    });
    for told in join_all(closers).await {
        assert_eq!(told.unwrap(), ["3", "2", "1"]);
    }
    assert_eq!(ledger.trace(), "3 2 1");
}

/// The task of the first closer is aborted: whoever finishes the exits, the second closer waits for them.
pub async fn the_task_of_the_first_closer_is_aborted<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let stack = Arc::new(ExitStack::new());
    says(&stack, &ledger, "outer");
    let go = waits(&stack, &ledger, "inner");
    let theirs = stack.clone();
    let task = spawn_abortable(&rt, async move {
        let _ = theirs.close(Outcome::Success).await;
    });
    while !stack.is_closed() {
        yield_now().await;
    }
    task.abort();
    let mut second = Box::pin(stack.close(Outcome::Success));
    assert!(poll_once(&mut second).await.is_pending());
    assert_eq!(go.send(()), Ok(()));
    assert!(second.await.is_ok());
    assert_eq!(ledger.trace(), "inner outer");
}

/// A scope that is made of a stack, and closes it with its own outcome, after so many polls not any more.
struct Service(Ledger, usize);

impl Scope for Service {
    type Guard = (ExitStack, usize);
    type Error = Report;
    type Verdict = Propagate;

    async fn enter(self) -> Result<(ExitStack, usize), Report> {
        let stack = ExitStack::new();
        sees(&stack, &self.0, "a");
        stack.enter(self.0.scope("b").exit_yields(3)).await?;
        Ok((stack, self.1))
    }

    async fn exit(
        (stack, polls): (ExitStack, usize),
        outcome: Outcome<'_>,
    ) -> Result<Propagate, Report> {
        let closed = cut_after(polls, stack.close(outcome)).eagerly().await;
        closed.unwrap_or(Ok(Propagate))
    }
}

/// Closed by hand with the outcome of a scope: the entries see its error, which goes back to its owner although the close was cut.
pub async fn closed_with_the_outcome_of_a_scope<R: Runtime>(_: R) {
    for polls in 0..8 {
        let ledger = Ledger::new();
        let ended = Service(ledger.clone(), polls)
            .with_report(async |_| Err::<(), _>(error("body")))
            .await;
        assert_eq!(ended.unwrap_err().body(), Some(&error("body")));
        // Cut before it began, the stack is dropped unclosed, and finished at its home.
        ledger.settled().await;
        ledger.check();
        if polls > 0 {
            assert_eq!(ledger.trace(), "+b ~b -b a:body");
            assert_eq!(
                ledger.outcome("b").unwrap(),
                format!("failure: {}", error("body"))
            );
        }
    }
}

/// Entries of a group that close the group, and its parent.
pub async fn an_entry_of_a_group_that_closes_it<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let parent = ExitStack::new();
    sees(&parent, &ledger, "parent");
    let group = parent.group(2);
    for handle in [group.handle(), parent.handle()] {
        let log = ledger.clone();
        group.defer(async move || {
            yield_now().await;
            let closed = handle.stack().unwrap().close(Outcome::Success).await;
            log.say("closer");
            closed.map(|_| ())
        });
    }
    assert!(parent.close(Outcome::Success).await.is_ok());
    assert_eq!(ledger.trace(), "closer closer parent:ok");
}
