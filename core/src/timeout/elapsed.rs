//! The error of a timeout.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::report::{Entry, Report};
use crate::until::{report, write_losses};

/// How much time there was.
#[derive(Clone, Copy, Debug)]
pub(super) enum Allowed {
    After(Duration),
    At,
}

/// The error of [`timeout`](crate::timeout()): the time was up; everything inside has been released, or is named as overdue.
#[derive(Debug)]
pub struct Elapsed(Box<Lapse>);

// In a box, so that results are small: those of more than two words are slow to move.
#[derive(Debug)]
struct Lapse {
    allowed: Allowed,
    exits: Vec<Entry>,
}

impl Elapsed {
    #[cold]
    pub(super) fn new(allowed: Allowed, exits: Vec<Entry>) -> Self {
        Self(Box::new(Lapse { allowed, exits }))
    }

    /// The exits of the cut body, in the order in which they ended: those that went well, that failed, and that are overdue.
    ///
    /// [`took`](Entry::took) is the time from the deadline to their end.
    pub fn exits(&self) -> &[Entry] {
        &self.0.exits
    }

    /// The exits that had not ended when the [grace](crate::Timeout::grace) was over.
    pub fn overdue(&self) -> impl Iterator<Item = &Entry> {
        let overdue = |entry: &&Entry| entry.kind() == crate::Kind::Overdue;
        self.0.exits.iter().filter(overdue)
    }

    /// A report whose primary error is the elapsed time, with the exits that went wrong beside it.
    pub fn into_report(mut self) -> Report {
        let exits = std::mem::take(&mut self.0.exits);
        report(self, exits)
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.allowed {
            Allowed::After(limit) => write!(f, "the time of {limit:?} was up")?,
            Allowed::At => f.write_str("the deadline has passed")?,
        }
        write_losses(f, &self.0.exits)
    }
}

impl Error for Elapsed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.exits.iter().find_map(Entry::error)
    }
}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> Self {
        Self::new(io::ErrorKind::TimedOut, elapsed)
    }
}
