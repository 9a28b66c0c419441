//! Large stacks: no recursion, no poll too many, and nothing that grows with what is gone.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use withal_core::{ExitStack, Outcome, Report, ScopeExt, acquire, sync};
use withal_testing::{block_on, cut_after, yield_now};

const MANY: usize = 1_000_000;

/// Runs `test` where recursion would overflow at once.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(128 * 1024);
    let ended = thread.spawn(test).expect("a thread").join();
    assert!(ended.is_ok());
}

/// Counts the exits.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts one when it is dropped.
struct Last(Count);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// Adds so many entries, of every kind in turn.
async fn fill(stack: &ExitStack, entries: usize, count: &Count) -> Result<(), Report> {
    for number in 0..entries {
        let count = count.clone();
        match number % 6 {
            0 => drop(stack.callback(move || count.add())),
            1 => drop(stack.defer(async move || count.add())),
            2 => drop(stack.push(count, async |count, _: Outcome<'_>| count.add())),
            3 => drop(stack.enter(sync(Last(count))).await),
            4 => {
                let scope = acquire(async || Ok::<_, Report>(count));
                let scope = scope.release(async |count, _| Ok::<_, Report>(count.add()));
                drop(stack.enter(scope.named("general")).await?);
            }
            _ => drop(stack.defer(async move || {
                yield_now().await;
                count.add();
            })),
        }
    }
    Ok(())
}

#[test]
fn a_million_entries_are_closed() {
    on_a_small_stack(|| {
        let count = Count::default();
        let body = async |stack: &mut ExitStack| fill(stack, MANY, &count).await;
        assert!(block_on(ExitStack::with(body)).is_ok());
        assert_eq!(count.get(), MANY);
    });
}

#[test]
fn a_million_entries_are_dropped() {
    on_a_small_stack(|| {
        let count = Count::default();
        block_on(async {
            let around = sync(()).using(async |()| {
                let stack = ExitStack::new();
                assert!(fill(&stack, MANY, &count).await.is_ok());
                // An orphan of the scope around it.
            });
            let Ok(()) = around.await;
        });
        assert_eq!(count.get(), MANY);
    });
}

#[test]
fn a_million_entries_are_taken_while_they_unwind() {
    on_a_small_stack(|| {
        let count = Count::default();
        block_on(async {
            let stack = ExitStack::new();
            assert!(fill(&stack, MANY, &count).await.is_ok());
            let taken = stack.take();
            // Dropped at the first exit that suspends, it goes on by itself.
            assert!(cut_after(1, taken.close(Outcome::Success)).await.is_none());
            assert!(taken.close(Outcome::Success).await.is_ok());
            assert!(stack.is_empty());
        });
        assert_eq!(count.get(), MANY);
    });
}

#[test]
fn many_entries_exit_at_once() {
    on_a_small_stack(|| {
        let count = Count::default();
        let body = async |stack: &mut ExitStack| fill(stack, MANY / 10, &count).await;
        assert!(block_on(ExitStack::new().concurrent(usize::MAX).with(body)).is_ok());
        assert_eq!(count.get(), MANY / 10);
    });
}

#[test]
fn a_million_failures_are_reported() {
    on_a_small_stack(|| {
        let stack = ExitStack::new();
        for number in 0..MANY {
            stack.callback(move || Err::<(), _>(number.to_string()));
        }
        let report = block_on(stack.close(Outcome::Success)).expect_err("all have failed");
        assert_eq!(report.len(), MANY);
        let last = report.others().last().map(ToString::to_string);
        assert!(last.is_some_and(|last| last.ends_with(": 0")));
    });
}

/// An exit is polled when it starts and when it was woken; sync entries need no poll at all.
#[test]
fn no_poll_too_many() {
    const SOME: usize = 1000;
    let polls = Count::default();
    let stack = ExitStack::new();
    for _ in 0..SOME {
        let polls = polls.clone();
        stack.defer(async move || {
            let mut woken = false;
            poll_fn(|_| {
                polls.add();
                match std::mem::replace(&mut woken, true) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
        });
        stack.callback(|| {});
        drop(block_on(stack.enter(sync(()))));
    }
    let mut close = Box::pin(stack.close(Outcome::Success));
    let mut cx = Context::from_waker(Waker::noop());
    let mut closing = 1;
    while close.as_mut().poll(&mut cx).is_pending() {
        closing += 1;
    }
    assert_eq!((closing, polls.get()), (SOME + 1, 2 * SOME));
}

/// What has left by itself is forgotten.
#[test]
fn a_long_lived_stack_stays_in_order() {
    let stack = ExitStack::new();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    block_on(async {
        for number in 0..10_000 {
            let child = stack.fork();
            child.callback(|| {});
            assert!(child.close(Outcome::Success).await.is_ok());
            assert!(
                stack
                    .push(number, async |_, _: Outcome<'_>| {})
                    .close()
                    .await
                    .is_ok()
            );
            if number % 1000 == 0 {
                let order = order.clone();
                stack.callback(move || order.lock().unwrap().push(number));
            }
        }
        assert_eq!(stack.len(), 10);
        assert!(stack.close(Outcome::Success).await.is_ok());
    });
    let order = order.lock().unwrap();
    assert!(
        order.is_sorted_by(|a, b| a > b) && order.len() == 10,
        "{order:?}"
    );
}
