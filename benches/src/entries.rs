//! What does an entry of an exit stack cost, whatever it is and however many there are?

use std::hint::black_box;

use withal_core::{ExitStack, Outcome, Propagate, Report, Scope, sync, with};

use crate::permit::{Permit, Permits, Refused, drive, give_back, suspend};

/// One kind of entry, and what it may cost.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// How it is called on the command line, and in the program for CPython.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Runs so many stacks with so many of them each, from the first to the last exit.
    pub stacks: fn(stacks: u64, n: u64),
    /// What each may allocate.
    pub allocations: u64,
    /// What each may take, in nanoseconds, if there is a budget.
    pub time: Option<f64>,
}

impl Entry {
    /// How many times as fast as CPython it is to be.
    pub const RATIO: f64 = 8.0;
    /// How many there are, so that the time is seen to be the same.
    pub const SIZES: [u64; 4] = [10, 1000, 100_000, 1_000_000];

    /// By its name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ENTRIES.iter().find(|entry| entry.name == name)
    }
}

/// All kinds.
pub const ENTRIES: [Entry; 8] = [
    Entry {
        name: "by-hand",
        what: "(by hand: a list of boxed closures)",
        stacks: by_hand,
        allocations: 1,
        time: None,
    },
    Entry {
        name: "callback",
        what: "`callback`",
        stacks: |stacks, n| {
            run(stacks, n, &async |stack: &ExitStack, number| {
                callback(stack, number)
            });
        },
        allocations: 2,
        time: Some(60.0),
    },
    Entry {
        name: "defer",
        what: "`defer`",
        stacks: |stacks, n| {
            run(stacks, n, &async |stack: &ExitStack, number| {
                defer(stack, number)
            });
        },
        allocations: 2,
        time: Some(60.0),
    },
    Entry {
        name: "push",
        what: "`push`",
        stacks: |stacks, n| {
            run(stacks, n, &async |stack: &ExitStack, number| {
                push(stack, number)
            });
        },
        allocations: 2,
        time: Some(60.0),
    },
    Entry {
        name: "enter-sync",
        what: "`enter`, exit never suspends",
        stacks: |stacks, n| run(stacks, n, &enter_sync),
        allocations: 2,
        time: Some(60.0),
    },
    Entry {
        name: "enter",
        what: "`enter`, general",
        stacks: |stacks, n| run(stacks, n, &enter),
        allocations: 2,
        time: Some(60.0),
    },
    Entry {
        name: "enter-suspends",
        what: "`enter`, enter and exit suspend once",
        stacks: |stacks, n| run(stacks, n, &enter_suspends),
        allocations: 2,
        time: Some(60.0),
    },
    Entry {
        name: "child",
        what: "`fork`, one entry, and closed",
        stacks: |stacks, n| run(stacks, n, &child),
        allocations: 6,
        time: None,
    },
];

/// Runs stacks inside of a scope, as in a program, each with `n` entries that `add` adds.
#[inline(always)]
fn run(stacks: u64, n: u64, add: &impl AsyncFn(&ExitStack, u64) -> Result<(), Report>) {
    let ended = drive(with(Permits(1), async |_| {
        for _ in 0..stacks {
            let fill = async |stack: &mut ExitStack| {
                for number in 1..=n {
                    add(stack, black_box(number)).await?;
                }
                Ok::<_, Report>(())
            };
            ExitStack::with(fill).await?;
        }
        Ok::<_, Report>(())
    }));
    assert!(ended.is_ok(), "nothing refuses");
}

/// Closures in a list, called from the last to the first: what memory alone takes.
fn by_hand(stacks: u64, n: u64) {
    for _ in 0..stacks {
        let mut list: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        for number in 1..=n {
            let permit = Permit::take(black_box(number));
            list.push(Box::new(move || drop(permit)));
        }
        while let Some(release) = list.pop() {
            release();
        }
    }
}

#[inline(always)]
fn callback(stack: &ExitStack, number: u64) -> Result<(), Report> {
    let permit = Permit::take(number)?;
    stack.callback(move || drop(permit));
    Ok(())
}

#[inline(always)]
fn defer(stack: &ExitStack, number: u64) -> Result<(), Report> {
    let permit = Permit::take(number)?;
    stack.defer(async move || give_back(permit, true).await);
    Ok(())
}

#[inline(always)]
fn push(stack: &ExitStack, number: u64) -> Result<(), Report> {
    let permit = Permit::take(number)?;
    let mut lease = stack.push(permit, async |permit, outcome: Outcome<'_>| {
        give_back(permit, outcome.is_success()).await
    });
    black_box(lease.work()?);
    Ok(())
}

async fn enter_sync(stack: &ExitStack, number: u64) -> Result<(), Report> {
    let permit = Permit::take(number)?;
    let Ok(mut lease) = stack.enter(sync(permit)).await;
    black_box(lease.work()?);
    Ok(())
}

async fn enter(stack: &ExitStack, number: u64) -> Result<(), Report> {
    let mut lease = stack.enter(Permits(number)).await?;
    black_box(lease.work()?);
    Ok(())
}

async fn enter_suspends(stack: &ExitStack, number: u64) -> Result<(), Report> {
    let mut lease = stack.enter(Waits(number)).await?;
    black_box(lease.work()?);
    Ok(())
}

/// A child that comes and goes: the stack that it is forked from stays as it is.
async fn child(stack: &ExitStack, number: u64) -> Result<(), Report> {
    let child = stack.fork();
    callback(&child, number)?;
    child.close(Outcome::Success).await?;
    Ok(())
}

/// A scope whose enter and exit suspend once.
struct Waits(u64);

impl Scope for Waits {
    type Guard = Permit;
    type Error = Refused;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Permit, Refused> {
        suspend(1).await;
        Permit::take(self.0)
    }

    async fn exit(permit: Permit, outcome: Outcome<'_>) -> Result<Propagate, Refused> {
        suspend(1).await;
        give_back(permit, outcome.is_success()).await?;
        Ok(Propagate)
    }
}
