//! Counts exactly, by running this program under valgrind.

use std::io;
use std::process::Command;

use withal_benches::entries::Entry;
use withal_benches::rows::Row;

/// What each of `n` takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) instructions_by_hand: u64,
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
}

const INSTRUCTIONS: &str = "--tool=callgrind --callgrind-out-file=/dev/null";
const ALLOCATIONS: &str = "--tool=memcheck --leak-check=no";

impl Counts {
    /// `None` if there is no valgrind here.
    pub(crate) fn measure(row: &Row) -> Option<Self> {
        let each = |tool, label, contender| {
            let difference = difference(tool, label, row.name, contender)?;
            Some(difference.div_ceil(MANY - FEW))
        };
        Some(Self {
            instructions_by_hand: each(INSTRUCTIONS, "Collected :", "by-hand")?,
            instructions: each(INSTRUCTIONS, "Collected :", "withal")?,
            allocations: each(ALLOCATIONS, "total heap usage:", "withal")?,
        })
    }
}

/// What each entry of a stack takes. That the list of them grows now and then is left out: each time it doubles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryCounts {
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
}

impl EntryCounts {
    /// `None` if there is no valgrind here.
    pub(crate) fn measure(entry: &Entry) -> Option<Self> {
        let each = |tool, label| Some(difference(tool, label, entry.name, "stack")? / (MANY - FEW));
        Some(Self {
            instructions: each(INSTRUCTIONS, "Collected :")?,
            allocations: each(ALLOCATIONS, "total heap usage:")?,
        })
    }
}

const FEW: u64 = 1000;
const MANY: u64 = 11_000;

/// Runs with few and with many, so that starting up cancels out.
fn difference(tool: &str, label: &str, name: &str, contender: &str) -> Option<u64> {
    let few = run(tool, label, name, contender, FEW)?;
    let many = run(tool, label, name, contender, MANY)?;
    Some(many.saturating_sub(few))
}

fn run(tool: &str, label: &str, name: &str, contender: &str, n: u64) -> Option<u64> {
    let said = valgrind(tool, name, contender, n).ok()?;
    let (_, number) = said.split_once(label)?;
    let number: String = number.split_whitespace().next()?.split(',').collect();
    number.parse().ok()
}

fn valgrind(tool: &str, name: &str, contender: &str, n: u64) -> io::Result<String> {
    let output = Command::new("valgrind")
        .args(tool.split_whitespace())
        .arg(std::env::current_exe()?)
        .args(["count", name, contender, &n.to_string()])
        .output()?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}
