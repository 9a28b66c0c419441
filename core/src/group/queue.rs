//! Tasks that wait for their turn.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::Wake;

use crate::failure::Fault;
use crate::runtime::Task;

use super::state::{Seat, Shared};

/// The tasks that wait, in the order in which they came. One that was taken out leaves a gap between others, so that they keep their tickets.
#[derive(Default)]
pub(super) struct Queue {
    tasks: VecDeque<Option<(Seat, Task)>>,
    /// The ticket of the first.
    first: u64,
}

impl Queue {
    /// Adds a task; its ticket takes it out again.
    pub(super) fn push(&mut self, seat: Seat, task: Task) -> u64 {
        self.tasks.push_back(Some((seat, task)));
        self.first + self.tasks.len() as u64 - 1
    }

    /// The next whose turn it is.
    pub(super) fn pop(&mut self) -> Option<(Seat, Task)> {
        let next = self.tasks.pop_front()?;
        self.first += 1;
        self.trim();
        next
    }

    /// Takes away the gaps that are not between others.
    fn trim(&mut self) {
        while let Some(None) = self.tasks.front() {
            self.tasks.pop_front();
            self.first += 1;
        }
        while let Some(None) = self.tasks.back() {
            self.tasks.pop_back();
        }
    }

    /// Takes out the one with this ticket, if it still waits.
    fn remove(&mut self, ticket: u64) -> Option<Task> {
        let place = usize::try_from(ticket.checked_sub(self.first)?).ok()?;
        let (_, task) = self.tasks.get_mut(place)?.take()?;
        self.trim();
        Some(task)
    }

    /// Takes out all.
    pub(super) fn clear(&mut self) -> VecDeque<Option<(Seat, Task)>> {
        self.first += self.tasks.len() as u64;
        std::mem::take(&mut self.tasks)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

/// The waker of a task that waits: to wake it is to take it out, for it is only woken to stop.
pub(super) struct Ticket<E: Fault> {
    pub(super) shared: Weak<Shared<E>>,
    pub(super) number: u64,
}

impl<E: Fault> Wake for Ticket<E> {
    fn wake(self: Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            let task = shared.lock().queue.remove(self.number);
            // Outside of the lock: it may be anything, and gives up its seat.
            drop(task);
        }
    }
}
