//! What the tasks of a group and its owner share.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::failure::Fault;
use crate::lost;
use crate::orphan::Jobs;
use crate::outcome::Reason;
use crate::report::{Entry, Label, What};
use crate::runtime::Task;

use super::error::{Failure, TaskFailure};

/// A task, as its group sees it.
pub(super) trait Member: Send + Sync {
    /// Asks it to stop.
    fn cancel(&self, reason: Reason);
}

/// What the tasks of a group and its owner share.
pub(super) struct Shared<E: Fault> {
    state: Mutex<State<E>>,
    spawn: Box<dyn Fn(Task) + Send + Sync>,
}

struct State<E> {
    /// Why it closes, once it does: then no task is added any more.
    closing: Option<Reason>,
    /// Whether the failure of a task cancels the others.
    keep_going: bool,
    /// Whether a task was cut for the closing.
    has_cut: bool,
    seats: Vec<Option<Seated>>,
    free: Vec<usize>,
    /// How many tasks have not ended, and how many of them were spawned.
    live: usize,
    running: usize,
    at_most: usize,
    /// Those that wait, for there are too many.
    queue: VecDeque<(Seat, Task)>,
    /// Somebody is taking tasks out of the queue.
    starting: bool,
    failures: Vec<TaskFailure<E>>,
    /// Exits of cancelled tasks that went wrong.
    exits: Vec<Entry>,
    /// What tasks have left behind that their runtime has dropped.
    orphans: Jobs,
    /// Who waits for the end of all tasks, or for their orphans.
    ended: Vec<Waker>,
    /// Who waits for the group to close.
    closed: Vec<Waker>,
    /// Who waits for room.
    room: Vec<Waker>,
}

/// A task that has not ended.
struct Seated {
    member: Arc<dyn Member>,
    /// Whether it was spawned; else it is in the queue.
    running: bool,
}

/// Where a task sits.
#[derive(Clone, Copy)]
pub(super) struct Seat {
    number: usize,
    /// Whether there was room for it.
    running: bool,
}

impl<E: Fault> Shared<E> {
    pub(super) fn new(spawn: Box<dyn Fn(Task) + Send + Sync>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                closing: None,
                keep_going: false,
                has_cut: false,
                seats: Vec::new(),
                free: Vec::new(),
                live: 0,
                running: 0,
                at_most: usize::MAX,
                queue: VecDeque::new(),
                starting: false,
                failures: Vec::new(),
                exits: Vec::new(),
                orphans: Jobs::NONE,
                ended: Vec::new(),
                closed: Vec::new(),
                room: Vec::new(),
            }),
            spawn,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_at_most(&self, at_most: usize) {
        self.lock().at_most = at_most.max(1);
    }

    pub(super) fn set_keep_going(&self) {
        self.lock().keep_going = true;
    }

    /// Gives a seat to a task, which [`start`](Self::start) takes; or says why there is none.
    pub(super) fn seat(&self, member: Arc<dyn Member>) -> Result<Seat, Reason> {
        let mut state = self.lock();
        if let Some(reason) = state.closing {
            return Err(reason);
        }
        state.live += 1;
        let running = state.has_room();
        if running {
            state.running += 1;
        }
        let seated = Some(Seated { member, running });
        let number = match state.free.pop() {
            Some(number) => {
                state.seats[number] = seated;
                number
            }
            None => {
                state.seats.push(seated);
                state.seats.len() - 1
            }
        };
        Ok(Seat { number, running })
    }

    /// Starts a task that has a seat, or has it wait for its turn.
    pub(super) fn start(&self, seat: Seat, task: Task) {
        if seat.running {
            // Outside of the lock: a runtime may drop it at once.
            return (self.spawn)(task);
        }
        let mut state = self.lock();
        if state.closing.is_some() {
            drop(state);
            return drop(task);
        }
        state.queue.push_back((seat, task));
        drop(state);
        // There may be room meanwhile.
        self.start_queued();
    }

    /// A task has ended, or was cut or dropped.
    pub(super) fn leave(&self, seat: Seat, is_cut: bool) {
        let (left, woken, waits) = {
            let mut state = self.lock();
            state.has_cut |= is_cut && state.closing.is_some();
            let left = state.seats[seat.number].take();
            state.free.push(seat.number);
            state.live -= 1;
            if left.as_ref().is_some_and(|left| left.running) {
                state.running -= 1;
            }
            let mut woken = Vec::new();
            if state.live == 0 {
                woken.append(&mut state.ended);
            }
            if state.has_room() {
                woken.append(&mut state.room);
            }
            (left, woken, !state.queue.is_empty())
        };
        drop(left);
        woken.into_iter().for_each(Waker::wake);
        if waits {
            self.start_queued();
        }
    }

    /// Starts what waits, as long as there is room. Not recursive, although a runtime may drop what is spawned at once.
    fn start_queued(&self) {
        loop {
            let task = {
                let mut state = self.lock();
                if state.starting || !state.has_room() {
                    return;
                }
                let Some((seat, task)) = state.queue.pop_front() else {
                    return;
                };
                state.starting = true;
                state.run(seat);
                task
            };
            let spawned = catch_unwind(AssertUnwindSafe(|| (self.spawn)(task)));
            self.lock().starting = false;
            if let Err(panic) = spawned {
                // I8: this runs in drops. The task is gone, and thereby cancelled.
                let message = lost::message(&*panic).to_owned();
                lost::tell(Entry::new(What::Panic(message)));
                lost::discard(Box::new(panic));
            }
        }
    }

    /// Cancels all tasks, and lets no other one in. The first reason counts.
    pub(super) fn close(&self, reason: Reason) {
        let (members, queue, woken) = {
            let mut state = self.lock();
            if state.closing.is_some() {
                return;
            }
            state.closing = Some(reason);
            let seated = state.seats.iter().flatten();
            let members: Vec<_> = seated.map(|seated| seated.member.clone()).collect();
            let queue = std::mem::take(&mut state.queue);
            (members, queue, std::mem::take(&mut state.closed))
        };
        for member in members {
            member.cancel(reason);
        }
        // They have not begun, and go without a word.
        drop(queue);
        woken.into_iter().for_each(Waker::wake);
    }

    /// A task has failed.
    pub(super) fn fail(&self, label: Option<Label>, failure: Failure<E>) {
        let keep_going = {
            let mut state = self.lock();
            state.failures.push(TaskFailure::new(label, failure));
            state.keep_going
        };
        if !keep_going {
            self.close(Reason::SiblingFailed);
        }
    }

    /// The exits of a cancelled task that went wrong.
    pub(super) fn note_exits(&self, exits: impl Iterator<Item = Entry>) {
        self.lock().exits.extend(exits);
    }

    /// Takes in what a task has left behind that its runtime has dropped.
    pub(super) fn adopt(&self, orphans: Jobs) {
        let woken = {
            let mut state = self.lock();
            state.orphans.merge(orphans);
            std::mem::take(&mut state.ended)
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// Waits until all tasks have ended, and drives what they have left behind.
    pub(super) async fn ended(&self) {
        let mut driven = Driven {
            shared: self,
            orphans: Jobs::NONE,
        };
        poll_fn(|cx| driven.poll(cx)).await;
    }

    /// Polls to the reason for which the group closes.
    pub(super) fn poll_closing(&self, cx: &mut Context<'_>) -> Poll<Reason> {
        let mut state = self.lock();
        match state.closing {
            Some(reason) => Poll::Ready(reason),
            None => {
                wait(&mut state.closed, cx);
                Poll::Pending
            }
        }
    }

    /// Polls until a task would begin at once.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.has_room() || state.closing.is_some() {
            return Poll::Ready(());
        }
        wait(&mut state.room, cx);
        Poll::Pending
    }

    pub(super) fn closing(&self) -> Option<Reason> {
        self.lock().closing
    }

    pub(super) fn has_cut(&self) -> bool {
        self.lock().has_cut
    }

    pub(super) fn live(&self) -> usize {
        self.lock().live
    }

    /// Takes what went wrong.
    pub(super) fn take_failures(&self) -> (Vec<TaskFailure<E>>, Vec<Entry>) {
        let mut state = self.lock();
        let failures = std::mem::take(&mut state.failures);
        (failures, std::mem::take(&mut state.exits))
    }
}

impl<E> State<E> {
    fn has_room(&self) -> bool {
        self.running < self.at_most
    }

    fn run(&mut self, seat: Seat) {
        self.running += 1;
        if let Some(seated) = &mut self.seats[seat.number] {
            seated.running = true;
        }
    }
}

/// Orphans that are driven by somebody who waits. Dropped, it gives them back.
struct Driven<'s, E: Fault> {
    shared: &'s Shared<E>,
    orphans: Jobs,
}

impl<E: Fault> Driven<'_, E> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            {
                let mut state = self.shared.lock();
                if state.orphans.any() {
                    self.orphans.merge(state.orphans.take());
                }
                if state.live == 0 && !self.orphans.any() {
                    return Poll::Ready(());
                }
                wait(&mut state.ended, cx);
            }
            if !self.orphans.any() {
                return Poll::Pending;
            }
            self.orphans.poll(cx);
            if self.orphans.any() {
                return Poll::Pending;
            }
        }
    }
}

impl<E: Fault> Drop for Driven<'_, E> {
    fn drop(&mut self) {
        if self.orphans.any() {
            self.shared.adopt(self.orphans.take());
        }
    }
}

/// Notes who waits, once.
fn wait(wakers: &mut Vec<Waker>, cx: &Context<'_>) {
    if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
        wakers.push(cx.waker().clone());
    }
}

/// What nobody has asked for is told.
impl<E: Fault> Drop for Shared<E> {
    fn drop(&mut self) {
        let (failures, exits) = self.take_failures();
        let failures = failures.into_iter().flat_map(TaskFailure::into_entries);
        failures.chain(exits).for_each(lost::tell);
    }
}
