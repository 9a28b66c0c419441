//! Counts exactly, by running this program under valgrind.

use std::io;
use std::process::Command;

use withal_benches::rows::Row;

/// What each of `n` takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) instructions_by_hand: u64,
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
}

impl Counts {
    /// `None` if there is no valgrind here.
    pub(crate) fn measure(row: &Row) -> Option<Self> {
        let instructions = "--tool=callgrind --callgrind-out-file=/dev/null";
        let allocations = "--tool=memcheck --leak-check=no";
        Some(Self {
            instructions_by_hand: difference(instructions, "Collected :", row, "by-hand")?,
            instructions: difference(instructions, "Collected :", row, "withal")?,
            allocations: difference(allocations, "total heap usage:", row, "withal")?,
        })
    }
}

/// Runs with few and with many, so that starting up cancels out.
fn difference(tool: &str, label: &str, row: &Row, contender: &str) -> Option<u64> {
    const FEW: u64 = 1000;
    const MANY: u64 = 11_000;
    let few = run(tool, label, row, contender, FEW)?;
    let many = run(tool, label, row, contender, MANY)?;
    Some(many.saturating_sub(few).div_ceil(MANY - FEW))
}

fn run(tool: &str, label: &str, row: &Row, contender: &str, n: u64) -> Option<u64> {
    let said = valgrind(tool, row, contender, n).ok()?;
    let (_, number) = said.split_once(label)?;
    let number: String = number.split_whitespace().next()?.split(',').collect();
    number.parse().ok()
}

fn valgrind(tool: &str, row: &Row, contender: &str, n: u64) -> io::Result<String> {
    let output = Command::new("valgrind")
        .args(tool.split_whitespace())
        .arg(std::env::current_exe()?)
        .args(["count", row.name, contender, &n.to_string()])
        .output()?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}
