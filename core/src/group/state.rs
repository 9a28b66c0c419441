//! What the tasks of a group and its owner share.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::failure::Fault;
use crate::frame;
use crate::lost;
use crate::outcome::Reason;
use crate::report::{Entry, Label, What};
use crate::runtime::Task;

use super::error::{Failure, TaskFailure};
use super::handle::TaskStatus;
use super::queue::{Queue, Ticket};
use super::waiters::{Waiters, Waiting};

/// A task, as its group and its canceller see it.
pub(super) trait Member: Send + Sync {
    /// Asks it to stop.
    fn cancel(&self, reason: Reason);

    /// It waits for its turn: `queued` is woken when it is asked to stop.
    fn wait(&self, queued: Waker);

    fn status(&self) -> TaskStatus;

    fn label(&self) -> &Label;
}

/// What the tasks of a group and its owner share.
pub(super) struct Shared<E: Fault> {
    state: Mutex<State<E>>,
    spawn: Box<dyn Fn(Task) + Send + Sync>,
    /// The id of the frames in which the group cuts: those of its body and of its tasks.
    pub(super) frame: u32,
}

pub(super) struct State<E> {
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
    pub(super) queue: Queue,
    /// Somebody is taking tasks out of the queue.
    starting: bool,
    failures: Vec<TaskFailure<E>>,
    /// Exits of cancelled tasks that went wrong.
    exits: Vec<Entry>,
    /// Who waits for the end of all tasks.
    ended: Waiters,
    /// Who waits for the group to close.
    closed: Waiters,
    /// Who waits for room.
    room: Waiters,
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
                queue: Queue::default(),
                starting: false,
                failures: Vec::new(),
                exits: Vec::new(),
                ended: Waiters::default(),
                closed: Waiters::default(),
                room: Waiters::default(),
            }),
            spawn,
            frame: frame::next_id(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<E>> {
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
        // Nobody jumps the queue.
        let running = state.has_room() && state.queue.is_empty();
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
    pub(super) fn start(self: &Arc<Self>, seat: Seat, member: &dyn Member, task: Task) {
        if seat.running {
            // Outside of the lock: a runtime may drop it at once.
            return (self.spawn)(task);
        }
        let number = {
            let mut state = self.lock();
            if state.closing.is_some() {
                drop(state);
                return drop(task);
            }
            state.queue.push(seat, task)
        };
        let shared = Arc::downgrade(self);
        member.wait(Waker::from(Arc::new(Ticket { shared, number })));
        // There may be room meanwhile.
        self.start_queued();
    }

    /// A task has ended, or was cut or dropped. `end` notes it, told whether the group is closing, and says who is to be woken and whether it was cut.
    ///
    /// For everybody else both happen at once: who sees that a task has ended sees that its seat is free.
    pub(super) fn leave(&self, seat: Seat, end: impl FnOnce(bool) -> (Option<Waker>, bool)) {
        let (left, waiter, woken, waits) = {
            let mut state = self.lock();
            let (waiter, is_cut) = end(state.closing.is_some());
            state.has_cut |= is_cut && state.closing.is_some();
            let left = state.seats[seat.number].take();
            state.free.push(seat.number);
            state.live -= 1;
            if left.as_ref().is_some_and(|left| left.running) {
                state.running -= 1;
            }
            let mut woken = Vec::new();
            if state.live == 0 {
                woken.extend(state.ended.take());
            }
            let waits = !state.queue.is_empty();
            if state.has_room() && !waits {
                woken.extend(state.room.take());
            }
            (left, waiter, woken, waits)
        };
        drop(left);
        waiter.into_iter().chain(woken).for_each(Waker::wake);
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
                let Some((seat, task)) = state.queue.pop() else {
                    let woken = state.room.take();
                    drop(state);
                    return woken.for_each(Waker::wake);
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
            let queue = state.queue.clear();
            (members, queue, state.closed.take().chain(state.room.take()))
        };
        for member in members {
            member.cancel(reason);
        }
        // They have not begun, and go without a word.
        drop(queue);
        woken.for_each(Waker::wake);
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

    /// Waits until all tasks have ended.
    pub(super) async fn ended(&self) {
        let look = |state: &mut State<E>| (state.live == 0).then_some(());
        let mut waiting = Waiting::new(self, |state| &mut state.ended, look);
        poll_fn(|cx| waiting.poll(cx)).await;
    }

    /// Waits until all tasks have ended, and lets no other one in from that moment on.
    pub(super) async fn ended_for_good(&self) {
        let look = |state: &mut State<E>| {
            (state.live == 0).then(|| {
                state.closing.get_or_insert(Reason::Dropped);
            })
        };
        let mut waiting = Waiting::new(self, |state| &mut state.ended, look);
        poll_fn(|cx| waiting.poll(cx)).await;
    }

    /// Waits for the reason for which the group closes.
    pub(super) fn closed(&self) -> Waiting<'_, E, Reason> {
        Waiting::new(self, |state| &mut state.closed, |state| state.closing)
    }

    /// Waits until a task would begin at once.
    pub(super) async fn room(&self) {
        let look = |state: &mut State<E>| {
            let is_free = state.has_room() && state.queue.is_empty();
            (is_free || state.closing.is_some()).then_some(())
        };
        let mut waiting = Waiting::new(self, |state| &mut state.room, look);
        poll_fn(|cx| waiting.poll(cx)).await;
    }

    /// Whether the caller is where this group cuts when it closes, and it does.
    pub(super) fn cuts_here(&self) -> bool {
        frame::is_cuttable_under(self.frame) && self.closing().is_some()
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

/// What nobody has asked for is told.
impl<E: Fault> Drop for Shared<E> {
    fn drop(&mut self) {
        let (failures, exits) = self.take_failures();
        let failures = failures.into_iter().flat_map(TaskFailure::into_entries);
        failures.chain(exits).for_each(lost::tell);
    }
}
