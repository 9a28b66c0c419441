//! The table: what is measured, what is allowed, and whether it is.

use std::fmt::{self, Display};

use withal_benches::entries::{ENTRIES, Entry};
use withal_benches::orphans::Polls;
use withal_benches::peers::Peer;
use withal_benches::rows::{ROWS, Row};
use withal_benches::sizes::{Size, sizes};
use withal_benches::stack::Stack;

use crate::clock::Times;
use crate::growth::{Cpython, Growth};
use crate::valgrind::Counts;

const ORPHANS: usize = 16_000;

#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<(Row, Times, Option<Counts>)>,
    growth: Vec<Growth>,
    sizes: Vec<Size>,
    stack: Stack,
    peers: Vec<Peer>,
    polls: Polls,
}

impl Table {
    pub(crate) fn measure(smoke: bool) -> Self {
        let measure = |row: Row| {
            let counts = if smoke { None } else { Counts::measure(&row) };
            (row, Times::measure(&row, smoke), counts)
        };
        Self {
            rows: ROWS.map(measure).into(),
            growth: {
                let cpython = Cpython::measure(smoke);
                let grow = |entry| Growth::measure(entry, &cpython, smoke);
                ENTRIES.map(grow).into()
            },
            sizes: sizes().map(Vec::from).unwrap_or_default(),
            stack: Stack::measure(),
            peers: Peer::measure(smoke),
            polls: Polls::count(ORPHANS),
        }
    }

    /// Whether all that is counted exactly keeps to its budget.
    pub(crate) fn is_within(&self) -> bool {
        let allocations = self.rows.iter().all(|(row, _, counts)| {
            let allocations = counts.map_or(0, |counts| counts.allocations);
            row.budget
                .is_none_or(|budget| allocations <= budget.allocations)
        });
        let stack = self.stack.is_within() || cfg!(debug_assertions);
        let growth = self.growth.iter().all(Growth::is_within);
        allocations
            && growth
            && stack
            && self.sizes.iter().all(Size::is_within)
            && self.polls.is_within()
    }
}

/// A word for the last column.
fn judge(within: bool) -> &'static str {
    if within { "ok" } else { "OVER" }
}

fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<38}{:>9}{:>9}{:>8}{:>7}{:>8}{:>9}{:>9}{:>8}{:>8}",
            "time",
            "by hand",
            "withal",
            "more",
            "±",
            "budget",
            "instr.",
            "by hand",
            "allocs",
            "budget"
        )?;
        for (row, times, counts) in &self.rows {
            let within = row.budget.is_none_or(|budget| {
                times.difference <= budget.time
                    && counts.is_none_or(|counts| counts.allocations <= budget.allocations)
            });
            writeln!(
                f,
                "{:<38}{:>6.1} ns{:>6.1} ns{:>8.1}{:>7.1}{:>8}{:>9}{:>9}{:>8}{:>8}  {}",
                row.what,
                times.by_hand,
                times.withal,
                times.difference,
                times.spread,
                or_dash(row.budget.map(|budget| budget.time)),
                or_dash(counts.map(|counts| counts.instructions)),
                or_dash(counts.map(|counts| counts.instructions_by_hand)),
                or_dash(counts.map(|counts| counts.allocations)),
                or_dash(row.budget.map(|budget| budget.allocations)),
                judge(within),
            )?;
        }
        if self.rows.iter().all(|(.., counts)| counts.is_none()) {
            writeln!(
                f,
                "(no valgrind was run: instructions and allocations were not counted here; the tests count allocations)"
            )?;
        }
        self.write_growth(f)?;
        self.write_peers(f)?;
        writeln!(
            f,
            "\n{:<38}{:>9}{:>9}{:>8}{:>7}{:>8}{:>9}",
            "size of a future, in bytes", "body", "captures", "guard", "all", "more", "budget"
        )?;
        for size in &self.sizes {
            writeln!(
                f,
                "{:<38}{:>9}{:>9}{:>8}{:>7}{:>8}{:>9}  {}",
                size.what,
                size.body,
                size.captures,
                size.guard,
                size.future,
                size.added(),
                Size::BUDGET,
                judge(size.is_within()),
            )?;
        }
        let stack = &self.stack;
        writeln!(f, "\nstack of a nested level, in bytes")?;
        writeln!(
            f,
            "{:<38}{:>9}\n{:<38}{:>9}  (budget {}) {}\n{:<38}{:>9}\n{:<38}{:>9}",
            "a boxed async block, polled",
            stack.by_hand,
            "a scope around it, polled",
            stack.polled,
            Stack::BUDGET,
            judge(stack.is_within()),
            "dropped",
            stack.dropped,
            "driven as an orphan",
            stack.driven,
        )?;
        let polls = &self.polls;
        writeln!(
            f,
            "\npolls of {} adopted orphans, woken one by one: {} (spawned: {})  {}",
            polls.orphans,
            polls.adopted,
            polls.spawned,
            judge(polls.is_within()),
        )
    }
}

impl Table {
    fn write_peers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<54}{:>9}{:>9}{:>8}{:>8}",
            "beside the runtimes, each", "theirs", "ours", "ratio", "budget"
        )?;
        for peer in &self.peers {
            let [theirs, ours] = peer.times;
            writeln!(
                f,
                "{:<54}{theirs:>6.0} ns{ours:>6.0} ns{:>8.2}{:>8.2}  {}",
                peer.what,
                peer.ratio,
                peer.budget,
                judge(peer.is_within()),
            )?;
        }
        Ok(())
    }

    fn write_growth(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{:<38}", "exit stack: ns per entry, of so many")?;
        for size in Entry::SIZES {
            write!(f, "{size:>9}")?;
        }
        writeln!(
            f,
            "{:>8}{:>8}{:>8}{:>7}{:>7}{:>9}",
            "budget", "instr.", "allocs", "budget", "bytes", "CPython"
        )?;
        for growth in &self.growth {
            let Growth { entry, counts, .. } = growth;
            write!(f, "{:<38}", entry.what)?;
            for time in growth.times {
                write!(f, "{time:>9.1}")?;
            }
            let ratio = growth.ratio().map(|ratio| format!("{ratio:.0} x"));
            writeln!(
                f,
                "{:>8}{:>8}{:>8}{:>7}{:>7}{:>9}  {}",
                or_dash(entry.time),
                or_dash(counts.map(|counts| counts.instructions)),
                or_dash(counts.map(|counts| counts.allocations)),
                entry.allocations,
                or_dash(growth.bytes),
                or_dash(ratio),
                judge(growth.is_fast()),
            )?;
        }
        writeln!(
            f,
            "(bytes: resident, of each of a million; CPython: how many times as long its AsyncExitStack takes, to be {} or more)",
            Entry::RATIO,
        )
    }
}
