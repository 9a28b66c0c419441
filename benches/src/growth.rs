//! Times stacks with few and with many entries, and what they keep in memory.

use std::fs;
use std::io;
use std::process::Command;
use std::time::Instant;

use withal_benches::entries::Entry;

use crate::valgrind::EntryCounts;

/// What an entry of one kind takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    pub(crate) entry: Entry,
    /// Nanoseconds for each, with so many as in [`Entry::SIZES`].
    pub(crate) times: [f64; Entry::SIZES.len()],
    pub(crate) counts: Option<EntryCounts>,
    /// Resident bytes for each of a million.
    pub(crate) bytes: Option<u64>,
    /// Nanoseconds for each in CPython.
    pub(crate) cpython: Option<f64>,
}

/// How many entries a stack has when it is compared.
const USUAL: u64 = 1000;

impl Growth {
    pub(crate) fn measure(entry: Entry, cpython: &Cpython, smoke: bool) -> Self {
        Self {
            entry,
            times: Entry::SIZES.map(|size| time(&entry, size, smoke)),
            counts: if smoke {
                None
            } else {
                EntryCounts::measure(&entry)
            },
            bytes: bytes(&entry).ok().flatten(),
            cpython: cpython.time(entry.name),
        }
    }

    /// The time in a stack of the usual size.
    fn usual(&self) -> f64 {
        let usual = Entry::SIZES.iter().position(|size| *size == USUAL);
        usual.map_or(f64::NAN, |usual| self.times[usual])
    }

    /// How many times as fast as CPython.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.cpython.map(|cpython| cpython / self.usual())
    }

    /// Whether what is counted exactly keeps to its budget.
    pub(crate) fn is_within(&self) -> bool {
        let allowed = self.entry.allocations;
        self.counts
            .is_none_or(|counts| counts.allocations <= allowed)
    }

    /// Whether the times do, too.
    pub(crate) fn is_fast(&self) -> bool {
        let in_time = |budget| self.times.iter().all(|time| *time <= budget);
        let fast = |ratio| ratio >= Entry::RATIO;
        self.is_within() && self.entry.time.is_none_or(in_time) && self.ratio().is_none_or(fast)
    }
}

/// The median of many stacks of this size; a sample of small ones is as short as those of the rows.
fn time(entry: &Entry, size: u64, smoke: bool) -> f64 {
    let stacks = USUAL.div_ceil(size);
    let rounds = if smoke {
        1
    } else {
        (2_000_000 / size).clamp(9, 2001)
    };
    let sample = || {
        let started = Instant::now();
        (entry.stacks)(stacks, size);
        started.elapsed().as_nanos() as f64 / (stacks * size) as f64
    };
    sample();
    let mut samples: Vec<f64> = (0..rounds).map(|_| sample()).collect();
    let middle = samples.len() / 2;
    *samples.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// How much memory a stack of a million needs at its height, for each; in a process of its own, and only where the system tells.
fn bytes(entry: &Entry) -> io::Result<Option<u64>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["memory", entry.name])
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}

/// Runs a stack of a million, and says by how much that has raised the peak of this process, in bytes for each entry.
pub(crate) fn memory(entry: &Entry) -> Option<u64> {
    let entries = 1_000_000;
    (entry.stacks)(1, 1);
    let before = peak()?;
    (entry.stacks)(1, entries);
    Some((peak()? - before) / entries)
}

/// The peak of what is resident, in bytes.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// What the same takes in CPython, if there is one.
#[derive(Debug)]
pub(crate) struct Cpython(String);

impl Cpython {
    pub(crate) fn measure(smoke: bool) -> Self {
        let rounds = if smoke { "3" } else { "101" };
        let output = Command::new("python3")
            .args(["-I", "-c", include_str!("cpython.py")])
            .args([&USUAL.to_string(), rounds])
            .output();
        let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        Self(said.unwrap_or_default())
    }

    fn time(&self, name: &str) -> Option<f64> {
        let mut lines = self.0.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(of, _)| *of == name)?.1.parse().ok()
    }
}
