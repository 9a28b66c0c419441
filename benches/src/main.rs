//! Measures the contenders and prints one table.
//!
//! ```text
//! cargo run --release -p withal-benches              # everything; a minute
//! cargo run --release -p withal-benches -- --smoke   # shows that it runs; seconds
//! cargo run --release -p withal-benches --features inspect               # with the inventory
//! cargo run --release -p withal-benches --features withal-core/tracing   # with spans to which nobody listens
//! ```
//!
//! Instructions and allocations are counted by valgrind, which runs this program again as `count ROW CONTENDER N`.
//! The exit code says whether what can be counted exactly keeps to its budget; times never decide.

mod clock;
mod growth;
mod table;
mod valgrind;

use std::io::{self, Write};
use std::process::ExitCode;

use withal_benches::entries::Entry;
use withal_benches::rows::{ROWS, Row};

use table::Table;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        [] => report(false),
        ["--smoke"] => report(true),
        ["count", row, contender, n] => count(row, contender, n),
        ["memory", entry] => memory(entry),
        _ => None,
    }
    .unwrap_or_else(|| {
        let _ = writeln!(
            io::stderr(),
            "usage: withal-benches [--smoke | count ROW (by-hand | withal) N | count ENTRY stack N | memory ENTRY]"
        );
        ExitCode::from(2)
    })
}

fn report(smoke: bool) -> Option<ExitCode> {
    let table = Table::measure(smoke);
    let _ = write!(io::stdout(), "{table}");
    Some(ExitCode::from(u8::from(!table.is_within())))
}

/// Does nothing but the work, to be counted from outside.
fn count(name: &str, contender: &str, n: &str) -> Option<ExitCode> {
    let n = n.parse().ok()?;
    if contender == "stack" {
        (Entry::named(name)?.stacks)(1, n);
        return Some(ExitCode::SUCCESS);
    }
    let row: &Row = ROWS.iter().find(|row| row.name == name)?;
    match contender {
        "by-hand" => (row.by_hand)(n),
        "withal" => (row.withal)(n),
        _ => return None,
    }
    Some(ExitCode::SUCCESS)
}

fn memory(name: &str) -> Option<ExitCode> {
    let bytes = growth::memory(Entry::named(name)?);
    let _ = writeln!(io::stdout(), "{}", bytes?);
    Some(ExitCode::SUCCESS)
}
