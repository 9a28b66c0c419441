//! Exits of a stack that run at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;

use crate::orphan::{Job, Jobs, Parcel};
use crate::surroundings::Surroundings;
use crate::verdict::Verdict;

use super::exit::{Exit, Finished};

/// Exits that run at once, and what came of those that have ended.
pub(super) struct Many<V> {
    jobs: Jobs,
    running: usize,
    ended: Arc<Mutex<Vec<Finished<V>>>>,
}

impl<V> Default for Many<V> {
    fn default() -> Self {
        Self {
            jobs: Jobs::NONE,
            running: 0,
            ended: Arc::default(),
        }
    }
}

impl<V: Verdict> Many<V> {
    /// How many have not ended.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// Adds one; it starts at the next poll.
    pub(super) fn add(&mut self, mut exit: Exit<V>) {
        let (label, all) = (exit.entry.label(), self.ended.clone());
        let work = Box::pin(async move {
            let ended = std::future::poll_fn(|cx| exit.poll(cx)).await;
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(exit.finished(ended));
        });
        let job = Job::new(work, label, Surroundings::default(), false);
        self.jobs.push(Parcel::One(job));
        self.running += 1;
    }

    /// Polls those that were woken, and gives those that have ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Vec<Finished<V>> {
        self.jobs.poll(cx);
        self.take_ended()
    }

    /// Drops those that have not ended.
    pub(super) fn abandon(&mut self) -> Vec<Finished<V>> {
        self.jobs.abandon();
        self.take_ended()
    }

    fn take_ended(&mut self) -> Vec<Finished<V>> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = std::mem::take(&mut *ended);
        self.running -= ended.len();
        ended
    }
}
