//! What can be counted exactly keeps to its budget.

use std::pin::Pin;
use std::task::{Context, Waker};

use withal_benches::entries::{ENTRIES, Entry};
use withal_benches::orphans::Polls;
use withal_benches::permit::{Refused, drive};
use withal_benches::rows::{Contender, ROWS};
use withal_benches::sizes::sizes;
use withal_core::{
    CancelHandle, ExitStack, Launch, Never, Outcome, Provide, Report, ScopeExt, acquire, scope_fn,
    task_group,
};

/// How many allocations each of `n` makes, when those of the first are left out.
fn allocations(contender: Contender) -> u64 {
    let count = |n| allocation_counter::measure(|| contender(n)).count_total;
    // The first call of all may allocate for the thread.
    contender(1);
    (count(110) - count(10)).div_ceil(100)
}

#[test]
fn allocations_of_every_row() {
    for row in &ROWS {
        assert_eq!(allocations(row.by_hand), 0, "{}, by hand", row.what);
        if let Some(budget) = row.budget {
            let allocations = allocations(row.withal);
            assert!(
                allocations <= budget.allocations,
                "{}: {allocations}",
                row.what
            );
        }
    }
}

/// Runs so many scopes that are functions.
fn functions(n: u64) {
    for _ in 0..n {
        let function = scope_fn(async |p: Provide<u64>| {
            let (number, outcome) = p.provide(1).await;
            Ok::<_, Never>(assert!(number == 2 && outcome.is_success()))
        });
        let run = std::pin::pin!(function.using(async |number| *number += 1));
        assert!(run.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}

/// Its future, the passage of its guard, and the exit.
#[test]
fn allocations_of_a_function() {
    assert_eq!(allocations(functions), 3);
}

/// Runs so many that are erased, whose bodies succeed or fail.
fn erased(n: u64, body: Result<(), Refused>) {
    for _ in 0..n {
        let function = scope_fn(async |p: Provide<()>| {
            let ((), _) = p.provide(()).await;
            Ok::<_, Refused>(())
        });
        let run = std::pin::pin!(function.erased().with(async |()| body));
        assert!(run.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}

/// One more to hide the type of the future; and three to lend the error of the body to the exit.
#[test]
fn allocations_of_an_erased_function() {
    assert_eq!(allocations(|n| erased(n, Ok(()))), 4);
    assert_eq!(allocations(|n| erased(n, Err(Refused))), 7);
}

/// The most entries that are measured here.
///
/// So many come first and are not measured: with the feature `inspect` they are listed, and the places in the list stay, for those that follow.
const MANY: u64 = 100_000;

/// The list of the entries doubles now and then, and a stack has a few of its own.
#[test]
fn allocations_of_an_entry_of_a_stack() {
    const BESIDES: u64 = 40;
    for entry in &ENTRIES {
        (entry.stacks)(1, MANY);
        for n in [10, 1000, MANY] {
            let allocations = allocation_counter::measure(|| (entry.stacks)(1, n)).count_total;
            let allowed = entry.allocations * n + BESIDES;
            assert!(
                allocations <= allowed,
                "{}: {allocations} of {n}",
                entry.what
            );
        }
    }
}

/// What the register of roots may give and take meanwhile, which all tests share; in bytes.
const NOISE: i64 = 16 * 1024;

/// An entry takes the same memory in whichever company, and nothing is left.
#[test]
fn memory_of_an_entry_of_a_stack() {
    for entry in &ENTRIES {
        (entry.stacks)(1, MANY);
        let many = allocation_counter::measure(|| (entry.stacks)(1, MANY));
        assert!(many.bytes_max <= 250 * MANY, "{}: {many:?}", entry.what);
        assert!(many.bytes_current <= NOISE, "{}: {many:?}", entry.what);
    }
}

/// A million of children that come and go leave no trace in the stack from which they were forked.
#[test]
fn memory_of_children() {
    let child = Entry::named("child").expect("it is one of them");
    (child.stacks)(1, 1);
    let few = allocation_counter::measure(|| (child.stacks)(1, 10));
    let many = allocation_counter::measure(|| (child.stacks)(1, 1_000_000));
    let more = many.bytes_max.saturating_sub(few.bytes_max);
    assert!(more <= NOISE as u64, "{few:?}, {many:?}");
}

/// Nor do entries that leave before the stack does, or are taken out of it, or groups that were never filled.
#[test]
fn memory_of_what_leaves_early() {
    async fn come_and_go(times: u32) -> Result<(), Report> {
        let stack = ExitStack::new();
        stack.callback(|| {});
        for number in 0..times {
            let closed = stack.push(number, async |_, _: Outcome<'_>| {});
            let moved = stack.push(number, async |_, _: Outcome<'_>| {});
            closed.close().await?;
            let group = stack.group(2);
            moved.transfer(&group).close().await?;
            let taken = stack.push(number, async |_, _: Outcome<'_>| {});
            let all = stack.take();
            drop(taken);
            all.close(Outcome::Success).await?;
        }
        stack.close(Outcome::Success).await.map(|_| ())
    }
    let measure = |times| {
        let run = || assert!(drive(come_and_go(times)).is_ok());
        allocation_counter::measure(run)
    };
    measure(1);
    let (few, many) = (measure(10), measure(10_000));
    let more = many.bytes_max.saturating_sub(few.bytes_max);
    assert!(more <= NOISE as u64, "{few:?}, {many:?}");
}

/// A million of children of one handle that come and go, and of waits for it, leave no trace in it.
#[test]
fn memory_of_cancel_handles() {
    let come_and_go = |times: u32| {
        let handle = CancelHandle::new();
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..times {
            let child = handle.child();
            let mut signals = [handle.cancelled(), child.child().cancelled()];
            for signal in &mut signals {
                assert!(Pin::new(signal).poll(&mut cx).is_pending());
            }
        }
        handle.cancel("enough");
    };
    let measure = |times| allocation_counter::measure(|| come_and_go(times));
    let (few, many) = (measure(10), measure(1_000_000));
    let more = many.bytes_max.saturating_sub(few.bytes_max);
    assert_eq!((more, many.bytes_current), (0, 0), "{few:?}, {many:?}");
}

/// A group of ten thousand tasks in three scopes each, of which one fails at a random moment, leaves nothing; only what a task leaks is there.
#[test]
fn memory_of_task_groups() {
    const TASKS: usize = 10_000;

    async fn suspend(polls: usize) {
        for _ in 0..polls {
            tokio::task::yield_now().await;
        }
    }

    async fn in_scopes(depth: usize, polls: usize, fails: bool) -> Result<(), Report> {
        let scope = acquire(async || Ok::<_, Report>(Box::new(depth)))
            .release(async move |_, _| Ok::<_, Report>(suspend(polls % 3).await));
        let body = async |_: &mut _| match depth {
            0 => {
                suspend(polls).await;
                if fails {
                    Err(Report::msg("it broke"))
                } else {
                    Ok(())
                }
            }
            _ => Box::pin(in_scopes(depth - 1, polls, fails)).await,
        };
        scope.with(body).await
    }

    let launcher = withal_tokio::Launcher::current_thread().unwrap();
    let run_many = |tasks: usize, seed: usize, leaks: bool| {
        let group = task_group(&withal_tokio::Tokio, async |group| {
            for number in 0..tasks {
                let fails = number == seed * 7919 % tasks;
                if leaks {
                    std::mem::forget(Box::new(number));
                }
                group.spawn(in_scopes(2, (number ^ seed) % 11, fails));
                if number % 64 == seed % 64 {
                    suspend(1).await;
                }
            }
            Ok(())
        });
        let error = launcher.block_on(group).unwrap_err();
        assert_eq!(error.failures().len(), 1);
    };
    let run = |seed, leaks| run_many(TASKS, seed, leaks);
    // More than are measured: with the feature `inspect` the places in the list stay.
    run_many(4 * TASKS, 1, false);
    for seed in 1..=5 {
        let left = allocation_counter::measure(|| run(seed, false));
        // But for a queue of the runtime, which may have grown.
        assert!(left.count_current.abs() <= 4, "seed {seed}: {left:?}");
    }
    let left = allocation_counter::measure(|| run(1, true));
    assert!(left.count_current >= TASKS as i64, "{left:?}");
}

#[test]
fn the_counter_counts() {
    let boxes: Contender = |n| (0..n).for_each(|i| drop(std::hint::black_box(Box::new(i))));
    assert_eq!(allocations(boxes), 1);
}

#[test]
fn sizes_of_futures() -> Result<(), Refused> {
    for size in sizes()? {
        assert!(size.is_within(), "{size:?} adds {}", size.added());
    }
    Ok(())
}

#[test]
fn polls_of_many_orphans() {
    let polls = Polls::count(16_000);
    assert!(polls.is_within(), "{polls:?}");
}

/// The budget is one of release builds.
#[cfg(not(debug_assertions))]
#[test]
fn stack_of_a_level() {
    let stack = withal_benches::stack::Stack::measure();
    assert!(stack.is_within(), "{stack:?}");
}
