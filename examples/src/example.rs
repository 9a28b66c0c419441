//! An example and its label.

use std::fmt;
use std::pin::Pin;

use withal::Report;

use crate::Transcript;

/// What stands beside an example: everything but its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// Its number in the gallery: a letter for the room, a digit for the place.
    pub id: &'static str,
    /// Its name on the command line, which is that of its file.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// The lines that it must give, on every runtime.
    pub transcript: &'static [&'static str],
    /// Whether it waits for Ctrl-C, and so is not part of a run of everything.
    pub interactive: bool,
}

type Run = Pin<Box<dyn Future<Output = Result<(), Report>> + Send>>;

/// An example on the runtime `R`.
#[derive(Clone, Copy)]
pub struct Example<R> {
    label: Label,
    run: fn(R, Transcript) -> Run,
}

impl<R> Example<R> {
    pub(crate) fn new(label: Label, run: fn(R, Transcript) -> Run) -> Self {
        Self { label, run }
    }

    pub(crate) fn interactive(mut self) -> Self {
        self.label.interactive = true;
        self
    }

    /// What stands beside it.
    pub fn label(&self) -> Label {
        self.label
    }

    /// Runs it.
    ///
    /// # Errors
    ///
    /// What it did not expect to go wrong.
    ///
    /// # Cancel safety
    ///
    /// Its scopes exit.
    pub fn run(&self, rt: R, out: Transcript) -> impl Future<Output = Result<(), Report>> + Send {
        (self.run)(rt, out)
    }
}

impl<R> fmt::Debug for Example<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Example").field(&self.label.name).finish()
    }
}
