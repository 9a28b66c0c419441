//! The exit stack where it is closed, dropped, shared and overdue in unusual ways.

use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use withal_core::{
    ExitStack, Launch, Outcome, Propagate, Recover, Report, Scope, ScopeExt, Timer, Verdict,
    drained, sync,
};
use withal_testing::{LostErrors, Manual, block_on, poll_once, yield_now};

const LIMIT: Duration = Duration::from_millis(10);

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn say(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Adds an entry that says what it sees.
    fn push<V: Verdict + From<Propagate>>(&self, stack: &ExitStack<V>, name: &'static str) {
        let log = self.clone();
        stack.push((), async move |(), outcome: Outcome<'_>| {
            log.say(format!("{name} after {outcome}"));
        });
    }
}

fn fails(stack: &ExitStack<impl Verdict + From<Propagate>>, text: &'static str) {
    stack.defer(async move || Err::<(), _>(io::Error::other(text)));
}

#[test]
fn exits_see_what_is_current() {
    let log = Log::default();
    let result = block_on(ExitStack::recovering().with(async |stack| {
        log.push(stack, "a");
        fails(stack, "late");
        log.push(stack, "b");
        stack.push((), async |(), _: Outcome<'_>| Recover::Suppress);
        log.push(stack, "c");
        fails(stack, "early");
        log.push(stack, "d");
        Err::<(), io::Error>(io::Error::other("body"))
    }));
    assert_eq!(result.unwrap_err().to_string(), "late");
    assert_eq!(
        log.lines(),
        [
            "d after failure: body",
            "c after failure: early",
            "b after success",
            "a after failure: late"
        ]
    );
}

/// A service that holds a stack, as a scope.
struct Service(ExitStack);

impl Scope for Service {
    type Guard = ExitStack;
    type Error = Report;
    type Verdict = Propagate;

    async fn enter(self) -> Result<ExitStack, Report> {
        Ok(self.0)
    }

    async fn exit(stack: ExitStack, outcome: Outcome<'_>) -> Result<Propagate, Report> {
        stack.close(outcome).await
    }
}

/// What has not begun when a deadline further out strikes is released all the same, also if it was lent an error.
#[test]
fn a_deadline_around_a_close_by_hand() {
    for fail in [false, true] {
        let (rt, log, lost) = (Manual::new(), Log::default(), LostErrors::listen());
        rt.block_on(async {
            let stack = ExitStack::new();
            log.push(&stack, "older");
            stack.defer(async || pending::<()>().await);
            let service = Service(stack).exit_within(&rt.runtime(), LIMIT);
            let ended = service.with(async |_| match fail {
                true => Err(Report::msg("body")),
                false => Ok(()),
            });
            assert!(ended.await.is_err());
            drained().await;
        });
        assert_eq!(log.lines().len(), 1, "fail: {fail}");
        assert_eq!(lost.containing("`defer`").len(), 1, "fail: {fail}");
    }
}

/// A timer outside of its runtime.
#[derive(Clone)]
struct Broken {
    now: bool,
}

impl Timer for Broken {
    type Sleep = std::future::Pending<()>;

    fn now(&self) -> Duration {
        assert!(!self.now, "injected panic: no clock");
        Duration::ZERO
    }

    fn sleep_until(&self, _: Duration) -> Self::Sleep {
        panic!("injected panic: no timer")
    }
}

#[test]
fn a_timer_that_panics_costs_no_exit() {
    for now in [false, true] {
        let lost = LostErrors::listen();
        let log = Log::default();
        let timer = Broken { now };
        block_on(async {
            let stack = ExitStack::new()
                .each_within(&timer, LIMIT)
                .within(&timer, LIMIT);
            log.push(&stack, "older");
            stack.defer(async || yield_now().await);
            assert!(stack.close(Outcome::Success).await.is_ok());
            assert!(stack.close(Outcome::Success).await.is_ok());
        });
        assert_eq!(log.lines(), ["older after success"]);
        assert!(!lost.containing("injected panic").is_empty());
    }
}

/// A child keeps its place when it is given settings of its own.
#[test]
fn settings_of_a_child() {
    let (rt, log) = (Manual::new(), Log::default());
    let ended = rt.block_on(ExitStack::with(async |stack| {
        log.push(stack, "outer");
        let child = stack.fork().timed(&rt.runtime());
        fails(&child, "of the child");
        log.push(&child, "child");
        log.push(stack, "inner");
        Ok::<_, Report>(())
    }));
    assert_eq!(ended.unwrap_err().to_string(), "of the child");
    assert_eq!(
        log.lines(),
        [
            "inner after success",
            "child after success",
            "outer after failure: of the child"
        ]
    );
}

#[test]
fn settings_by_a_handle() {
    let log = Log::default();
    let stack = ExitStack::new();
    log.push(&stack, "entry");
    let shared = stack.handle().stack().unwrap().concurrent(2);
    drop(shared);
    assert_eq!((stack.len(), log.lines().len()), (1, 0));
    assert!(block_on(stack.close(Outcome::Success)).is_ok());
    assert_eq!(log.lines().len(), 1);
}

/// A deadline for each exit is none for a child as a whole, and a budget is one for what is in it.
#[test]
fn deadlines_of_children() {
    let rt = Manual::new();
    let exits = |child: &ExitStack, log: &Log, time: Duration| {
        for _ in 0..3 {
            let (rt, log) = (rt.runtime(), log.clone());
            child.defer(async move || {
                log.say("begins");
                rt.sleep(time).await;
                log.say("ends");
            });
        }
    };
    for at_most in [1, 3] {
        let log = Log::default();
        let stack = ExitStack::new().each_within(&rt.runtime(), LIMIT);
        exits(&stack.group(at_most), &log, LIMIT * 6 / 10);
        assert!(rt.block_on(stack.close(Outcome::Success)).is_ok());
        assert_eq!(log.lines().len(), 6);

        let log = Log::default();
        let stack = ExitStack::new().within(&rt.runtime(), LIMIT);
        let before = rt.runtime().now();
        exits(&stack.group(at_most), &log, LIMIT * 10);
        let report = rt.block_on(stack.close(Outcome::Success)).unwrap_err();
        assert_eq!((report.len(), rt.runtime().now() - before), (3, LIMIT));
        assert_eq!(log.lines(), ["begins"; 3]);
    }
}

/// What a sync exit leaves behind is bounded like the exit.
#[test]
fn deadlines_of_what_a_sync_exit_leaves_behind() {
    let (rt, log) = (Manual::new(), Log::default());
    let released = rt.block_on(async {
        let stack = ExitStack::new().each_within(&rt.runtime(), LIMIT);
        log.push(&stack, "older");
        stack.callback(|| {
            let inner = ExitStack::new();
            inner.defer(async || yield_now().await);
        });
        stack.close(Outcome::Success).await
    });
    assert!(released.is_ok());
    assert_eq!(log.lines(), ["older after success"]);
}

/// Foreign code that runs in a drop may look at the stack.
#[test]
fn no_lock_is_held_while_something_is_dropped() {
    struct Nosy(withal_core::StackHandle);
    impl Drop for Nosy {
        fn drop(&mut self) {
            self.0.stack().map(|stack| stack.len());
        }
    }
    impl std::fmt::Debug for Nosy {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Nosy")
        }
    }
    impl std::fmt::Display for Nosy {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Nosy")
        }
    }
    let parent = ExitStack::new();
    for grows in [true, false] {
        let nosy = Nosy(parent.handle());
        let child = parent.fork();
        child.defer(async move || Err::<(), _>(nosy));
        drop(block_on(child.close(Outcome::Success)));
        drop(child);
        for _ in 0..10 * usize::from(grows) {
            parent.callback(|| {});
        }
    }
    drop(parent);
}

/// A second closer gets what the first gets, also beside `with`.
#[test]
fn a_closer_beside_with() {
    block_on(async {
        let stack = ExitStack::new();
        stack.defer(async || {
            yield_now().await;
            Err::<(), _>(io::Error::other("exit"))
        });
        let second = stack.handle();
        let first = stack.with(async |_| Ok::<_, Report>(()));
        let mut first = Box::pin(first);
        assert!(matches!(poll_once(&mut first).await, Poll::Pending));
        let second = second.stack().unwrap();
        let (first, second) = futures::join!(first, second.close(Outcome::Success));
        assert_eq!(first.unwrap_err().to_string(), "exit");
        assert_eq!(second.unwrap_err().to_string(), "exit");
    });
}

/// An entry whose guard was forgotten is told of, also if the failure that it is gets suppressed.
#[test]
fn a_forgotten_lease_that_is_suppressed() {
    let lost = LostErrors::listen();
    block_on(async {
        let stack = ExitStack::recovering();
        stack.push((), async |(), _: Outcome<'_>| Recover::Suppress);
        let Ok(lease) = stack.enter(sync(1).named("forgotten.suppressed")).await;
        std::mem::forget(lease);
        assert!(stack.close(Outcome::Success).await.is_ok());
    });
    assert_eq!(lost.containing("forgotten.suppressed").len(), 1);
}

/// Taking again and again while a lease is out keeps nothing of what is gone.
#[test]
fn taken_with_a_lease() {
    let stack = ExitStack::new();
    let mut handles = Vec::new();
    for _ in 0..100 {
        let lease = stack.push((), async |(), _: Outcome<'_>| ());
        let taken = stack.take();
        handles.push(taken.handle());
        drop(lease);
        assert!(block_on(taken.close(Outcome::Success)).is_ok());
    }
    let alive = handles.iter().filter(|handle| handle.stack().is_some());
    assert!(alive.count() < 20);
}
