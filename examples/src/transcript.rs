//! What an example says, line by line.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The lines of one run of an example. It is shared by its clones, so that scopes can take one along.
///
/// # Examples
///
/// ```
/// use withal_examples::Transcript;
///
/// let out = Transcript::new();
/// out.line("working");
/// out.line(format_args!("elapsed {:.2} s", 1.0));
/// assert_eq!(out.lines(), ["working", "elapsed 1.00 s"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    lines: Arc<Mutex<Vec<String>>>,
    live: bool,
}

impl Transcript {
    /// A transcript that only collects.
    pub fn new() -> Self {
        Self::default()
    }

    /// A transcript that also prints each line at once, for examples that wait for their user.
    pub fn live() -> Self {
        Self {
            live: true,
            ..Self::default()
        }
    }

    /// Adds a line.
    pub fn line(&self, line: impl Display) {
        let line = line.to_string();
        if self.live {
            // Not `println!`, which panics when stdout is closed.
            let _ = writeln!(io::stdout(), "  {line}");
        }
        self.lock().push(line);
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
