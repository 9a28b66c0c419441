//! Handles of tasks.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::outcome::{Cancelled, Reason};

use super::state::Member;
use super::task::Record;

/// A task of a [`TaskGroup`](crate::TaskGroup): a future of its value, which can also be asked how far it is, and be cancelled.
///
/// The error of a task belongs to its group; the handle only says that there was one.
///
/// # Cancel safety
///
/// Awaited by reference it loses nothing.
///
/// # Drop behavior
///
/// The task goes on, on every runtime: it belongs to its group.
pub struct TaskHandle<U> {
    pub(super) record: Arc<Record<U>>,
}

impl<U: Send> TaskHandle<U> {
    /// Cancels this one task gracefully: what is open in it exits, and sees [`Reason::Requested`].
    ///
    /// That is no failure: the group goes on. A task that has ended stays as it is; one that waits for its turn never begins.
    pub fn cancel(&self, why: &'static str) {
        self.record.cancel(Reason::Requested(why));
    }

    /// What cancels this one task, for somebody else than who awaits it.
    pub fn canceller(&self) -> TaskCanceller
    where
        U: 'static,
    {
        TaskCanceller(self.record.clone())
    }

    /// How far it is.
    pub fn status(&self) -> TaskStatus {
        self.record.status()
    }

    /// The name that it was given, or `task`.
    pub fn name(&self) -> &str {
        &self.record.label.name
    }
}

/// Awaited a second time it gives [`TaskError::Taken`].
///
/// While the group closes, what has not finished gives no answer in its body and in its tasks: they are about to be cut themselves, and need not fail for it.
/// In their exits and elsewhere it does.
impl<U> Future for TaskHandle<U> {
    type Output = Result<U, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<U, TaskError>> {
        self.record.poll_ended(cx)
    }
}

impl<U> fmt::Debug for TaskHandle<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle")
            .field("name", &self.record.label.name)
            .field("status", &self.record.status())
            .finish()
    }
}

/// Cancels one task of a [`TaskGroup`](crate::TaskGroup), and says how far it is: see [`TaskHandle::canceller`].
///
/// # Drop behavior
///
/// The task goes on.
#[derive(Clone)]
pub struct TaskCanceller(pub(super) Arc<dyn Member>);

impl TaskCanceller {
    /// Cancels the task gracefully: as [`TaskHandle::cancel`].
    pub fn cancel(&self, why: &'static str) {
        self.0.cancel(Reason::Requested(why));
    }

    /// How far it is.
    pub fn status(&self) -> TaskStatus {
        self.0.status()
    }

    /// The name that it was given, or `task`.
    pub fn name(&self) -> &str {
        &self.0.label().name
    }
}

impl fmt::Debug for TaskCanceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskCanceller")
            .field("name", &self.name())
            .field("status", &self.status())
            .finish()
    }
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskStatus {
    /// It has not been polled: it waits for its turn, or for its runtime.
    Waiting,
    /// It has begun.
    Running,
    /// It was asked to stop, and has not ended: what is open in it exits.
    Cancelling,
    /// It has given its value.
    Finished,
    /// It has given an error, which its group has.
    Failed,
    /// It has panicked; its group has the panic.
    Panicked,
    /// It was cancelled, or dropped by its runtime.
    Cancelled,
}

impl TaskStatus {
    /// Whether it goes no further.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running | Self::Cancelling)
    }
}

/// Why a [`TaskHandle`] gives no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskError {
    /// The task has failed; its group has the error.
    Failed,
    /// The task has panicked; its group has the panic.
    Panicked,
    /// The task was cancelled: by its handle, with its group, or because its runtime has dropped it ([`Reason::Dropped`]).
    Cancelled(Cancelled),
    /// The value has been given already.
    Taken,
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed => f.write_str("the task has failed"),
            Self::Panicked => f.write_str("the task has panicked"),
            Self::Cancelled(cancelled) => write!(f, "the task was {cancelled}"),
            Self::Taken => f.write_str("the value of the task has been taken"),
        }
    }
}

impl Error for TaskError {}
