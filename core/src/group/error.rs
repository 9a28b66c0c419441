//! What went wrong in a group: all of it.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use crate::failure::Fault;
use crate::frame::Panic;
use crate::lost;
use crate::outcome::Cancelled;
use crate::report::{Entry, Label, Phase, Report, What};

/// The error of a [`TaskGroup`](crate::TaskGroup): everything that went wrong in it, in the order of time.
///
/// Of tasks that fail with a [`Report`] it converts into one by `?`, with all that is in it; else [`into_report`](Self::into_report) does so.
/// Real errors win: tasks that were cancelled because another one has failed are not in it, but for their exits that went wrong.
pub struct GroupError<E>(Box<Failures<E>>);

// In a box, so that results are small: those of more than two words are slow to move.
struct Failures<E> {
    failures: Vec<TaskFailure<E>>,
    cancelled: Option<Cancelled>,
    exits: Vec<Entry>,
}

impl<E: Fault> GroupError<E> {
    #[cold]
    pub(super) fn new(
        failures: Vec<TaskFailure<E>>,
        cancelled: Option<Cancelled>,
        exits: Vec<Entry>,
    ) -> Self {
        // Real errors win.
        let cancelled = cancelled.filter(|_| failures.is_empty());
        Self(Box::new(Failures {
            failures,
            cancelled,
            exits,
        }))
    }

    /// What has failed: tasks and the body. Empty if the group was only [cancelled](Self::cancelled).
    pub fn failures(&self) -> &[TaskFailure<E>] {
        &self.0.failures
    }

    /// The errors of those that have failed by one, from the first to the last.
    pub fn errors(&self) -> impl Iterator<Item = &E> {
        self.0.failures.iter().filter_map(TaskFailure::error)
    }

    /// The same by value; panics are told to the [lost-error hook](crate::on_lost_error).
    pub fn into_errors(self) -> impl Iterator<Item = E> {
        let failures = self.0.failures.into_iter();
        failures.filter_map(TaskFailure::into_error)
    }

    /// Why the body was cut, if nothing has failed: somebody has cancelled the group.
    pub fn cancelled(&self) -> Option<Cancelled> {
        self.0.cancelled
    }

    /// The exits of cancelled tasks that went wrong.
    pub fn exits(&self) -> &[Entry] {
        &self.0.exits
    }

    /// All of it as a report, with the name and the source line of each task.
    pub fn into_report(self) -> Report {
        let entries = self.into_entries().into_iter();
        Report::of(entries).unwrap_or_else(|| Report::msg("the group has failed"))
    }

    pub(super) fn into_entries(self) -> Vec<Entry> {
        let Failures {
            failures,
            cancelled,
            exits,
        } = *self.0;
        let failures = failures.into_iter().flat_map(TaskFailure::into_entries);
        let cancelled = cancelled.map(|cancelled| Entry::new(What::error(cancelled)));
        failures.chain(cancelled).chain(exits).collect()
    }

    pub(super) fn into_parts(self) -> (Vec<TaskFailure<E>>, Vec<Entry>) {
        (self.0.failures, self.0.exits)
    }
}

impl<E: Fault> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failures {
            failures,
            cancelled,
            exits,
        } = &*self.0;
        match (failures.first(), cancelled) {
            (Some(first), _) => fmt::Display::fmt(first, f)?,
            (None, Some(cancelled)) => fmt::Display::fmt(cancelled, f)?,
            (None, None) => f.write_str("the group has ended")?,
        }
        match failures.len() {
            0 | 1 => {}
            2 => f.write_str(", and another one failed")?,
            n => write!(f, ", and {} others failed", n - 1)?,
        }
        match exits.len() {
            0 => Ok(()),
            1 => f.write_str(", and one exit went wrong"),
            n => write!(f, ", and {n} exits went wrong"),
        }
    }
}

impl<E: Fault> fmt::Debug for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupError")
            .field("failures", &self.0.failures)
            .field("cancelled", &self.0.cancelled)
            .field("exits", &self.0.exits)
            .finish()
    }
}

impl<E: Fault> Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let error = self.errors().next()?;
        crate::failure::as_error(error)
    }
}

/// One failure in a group: of which task, and what it was.
pub struct TaskFailure<E> {
    /// `None` for the body.
    label: Option<Label>,
    what: Failure<E>,
}

/// What a failure was.
#[derive(Debug)]
pub(super) enum Failure<E> {
    Error(E),
    Panicked(TaskPanic),
}

impl<E> TaskFailure<E> {
    pub(super) fn new(label: Option<Label>, what: Failure<E>) -> Self {
        Self { label, what }
    }

    /// The name of the task; `None` for the body of the group.
    pub fn task(&self) -> Option<&str> {
        self.label.as_ref().map(|label| &*label.name)
    }

    /// The source line that has spawned it.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.label.as_ref().map(|label| label.location)
    }

    /// The error, if it was one.
    pub fn error(&self) -> Option<&E> {
        match &self.what {
            Failure::Error(error) => Some(error),
            Failure::Panicked(_) => None,
        }
    }

    /// The panic, if it was one.
    pub fn panicked(&self) -> Option<&TaskPanic> {
        match &self.what {
            Failure::Error(_) => None,
            Failure::Panicked(panicked) => Some(panicked),
        }
    }

    /// The error by value; a panic is told to the [lost-error hook](crate::on_lost_error).
    pub fn into_error(self) -> Option<E> {
        match self.what {
            Failure::Error(error) => Some(error),
            Failure::Panicked(panicked) => {
                let entry = Entry::new(What::Panic(panicked.message));
                lost::tell(match &self.label {
                    Some(label) => entry.at(Phase::Body, label),
                    None => entry,
                });
                None
            }
        }
    }
}

impl<E: Fault> TaskFailure<E> {
    pub(super) fn into_entries(self) -> Vec<Entry> {
        let mut entries = match self.what {
            Failure::Error(error) => Entry::split(error),
            Failure::Panicked(panicked) => vec![Entry::new(What::Panic(panicked.message))],
        };
        if let Some(label) = &self.label {
            let nowhere = |entry: &&mut Entry| entry.location().is_none();
            let unplaced = entries.iter_mut().filter(nowhere);
            unplaced.for_each(|entry| entry.set(Phase::Body, label));
        }
        entries
    }
}

impl<E: fmt::Display> fmt::Display for TaskFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = &self.label {
            write!(f, "`{}` ({}): ", label.name, label.location)?;
        }
        match &self.what {
            Failure::Error(error) => error.fmt(f),
            Failure::Panicked(panicked) => panicked.fmt(f),
        }
    }
}

impl<E: Fault> Error for TaskFailure<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        crate::failure::as_error(self.error()?)
    }
}

impl<E: fmt::Debug> fmt::Debug for TaskFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskFailure")
            .field("task", &self.task())
            .field("what", &self.what)
            .finish()
    }
}

/// The panic of a task.
pub struct TaskPanic {
    message: String,
    // Not `Sync` by itself, which an error is to be.
    payload: Mutex<Option<Panic>>,
}

impl TaskPanic {
    pub(super) fn new(payload: Panic) -> Self {
        Self {
            message: lost::message(&**payload).to_owned(),
            payload: Mutex::new(Some(payload)),
        }
    }

    /// Its message; a fixed text if the payload was not a string.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The payload, for [`resume_unwind`](std::panic::resume_unwind); given once.
    pub fn take_payload(&self) -> Option<Box<dyn Any + Send>> {
        let mut payload = self.payload.lock().unwrap_or_else(PoisonError::into_inner);
        payload.take().map(|payload| *payload)
    }
}

impl fmt::Display for TaskPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.message)
    }
}

impl fmt::Debug for TaskPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskPanic").field(&self.message).finish()
    }
}
