//! What can be counted exactly keeps to its budget.

use withal_benches::entries::{ENTRIES, Entry};
use withal_benches::orphans::Polls;
use withal_benches::permit::Refused;
use withal_benches::rows::{Contender, ROWS};
use withal_benches::sizes::sizes;

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

/// The list of the entries doubles now and then, and a stack has a few of its own.
#[test]
fn allocations_of_an_entry_of_a_stack() {
    const BESIDES: u64 = 40;
    for entry in &ENTRIES {
        (entry.stack)(1);
        for n in [10, 1000, 100_000] {
            let allocations = allocation_counter::measure(|| (entry.stack)(n)).count_total;
            let allowed = entry.allocations * n + BESIDES;
            assert!(
                allocations <= allowed,
                "{}: {allocations} of {n}",
                entry.what
            );
        }
    }
}

/// An entry takes the same memory in whichever company, and nothing is left.
#[test]
fn memory_of_an_entry_of_a_stack() {
    for entry in &ENTRIES {
        (entry.stack)(1);
        let measure = |n| allocation_counter::measure(|| (entry.stack)(n));
        let many = measure(100_000);
        assert!(many.bytes_max <= 250 * 100_000, "{}: {many:?}", entry.what);
        assert_eq!(many.bytes_current, 0, "{}", entry.what);
    }
}

/// A million of children that come and go leave no trace in the stack from which they were forked.
#[test]
fn memory_of_children() {
    let child = Entry::named("child").expect("it is one of them");
    (child.stack)(1);
    let few = allocation_counter::measure(|| (child.stack)(10));
    let many = allocation_counter::measure(|| (child.stack)(1_000_000));
    assert!(many.bytes_max <= 2 * few.bytes_max, "{few:?}, {many:?}");
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
