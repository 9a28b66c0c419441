//! The rows of the table: a contender by hand and one with withal, which do the same.

mod first_suspension;
mod further_poll;
mod general;
mod in_timeout;
mod in_until;
#[cfg(feature = "inspect")]
#[path = "rows/inventory.rs"]
mod inventory;
#[cfg(not(feature = "inspect"))]
#[path = "rows/no_inventory.rs"]
mod inventory;
mod never_suspends;

/// Does something `n` times.
pub type Contender = fn(n: u64);

/// Two contenders, and what the difference may be.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// How it is called on the command line.
    pub name: &'static str,
    /// What it measures.
    pub what: &'static str,
    /// Without withal.
    pub by_hand: Contender,
    /// The same with withal.
    pub withal: Contender,
    /// How many levels share what is measured.
    pub levels: u32,
    /// What is allowed, if there is a budget.
    pub budget: Option<Budget>,
}

/// What is allowed for each of `n`, above the code by hand.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Nanoseconds.
    pub time: f64,
    /// Allocations.
    pub allocations: u64,
}

/// All rows.
pub const ROWS: [Row; 6] = [
    Row {
        name: "never-suspends",
        what: "`with`, exit never suspends",
        by_hand: never_suspends::by_hand,
        withal: never_suspends::withal,
        levels: 1,
        budget: Some(Budget {
            time: 10.0 + inventory::TIME,
            allocations: 0,
        }),
    },
    Row {
        name: "general",
        what: "`with`, general",
        by_hand: general::by_hand,
        withal: general::withal,
        levels: 1,
        budget: Some(Budget {
            time: 25.0 + inventory::TIME,
            allocations: 1,
        }),
    },
    Row {
        name: "in-timeout",
        what: "the same inside a `timeout`",
        by_hand: general::by_hand,
        withal: in_timeout::withal,
        levels: 1,
        budget: Some(Budget {
            time: 45.0 + inventory::TIME,
            allocations: 1,
        }),
    },
    Row {
        name: "in-until",
        what: "the same inside an `until`",
        by_hand: general::by_hand,
        withal: in_until::withal,
        levels: 1,
        budget: Some(Budget {
            time: 45.0 + inventory::TIME,
            allocations: 1,
        }),
    },
    Row {
        name: "further-poll",
        what: "each further poll of a level",
        by_hand: further_poll::by_hand,
        withal: further_poll::withal,
        levels: further_poll::LEVELS,
        budget: Some(Budget {
            time: 3.0,
            allocations: 0,
        }),
    },
    Row {
        name: "first-suspension",
        what: "`with`, general, a root that suspends",
        by_hand: first_suspension::by_hand,
        withal: first_suspension::withal,
        levels: 1,
        budget: None,
    },
];
