//! The default hook: a line on stderr.

use std::io::Write;

use crate::report::Entry;

pub(super) fn default_hook(entry: &Entry) {
    // Not `eprintln!`, which panics when stderr is closed.
    let _ = writeln!(std::io::stderr(), "withal: lost error: {entry}");
}
