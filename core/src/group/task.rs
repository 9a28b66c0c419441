//! One task of a group: the record that it shares with its handle, and the future that is spawned.

use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use crate::failure::Fault;
use crate::frame::{self, Birth, Cuttable, Panic};
use crate::framed::{Framed, Framing, Heir, Stop};
use crate::lost;
use crate::orphan::Jobs;
use crate::outcome::{Cancelled, Reason};
use crate::report::{Entry, Label, Phase};
use crate::until::{Interrupted, Until};

use super::error::{Failure, Panicked};
use super::handle::{TaskError, TaskStatus};
use super::state::{Member, Seat, Shared};

/// The name of a task that has none.
pub(super) const TASK: &str = "task";

/// What a task shares with its handle and its group.
pub(super) struct Record<U> {
    progress: Mutex<Progress<U>>,
    /// Whether it was asked to stop; noted under the lock.
    is_cancelled: AtomicBool,
    pub(super) label: Label,
}

struct Progress<U> {
    status: TaskStatus,
    /// Why it was asked to stop.
    cancelled: Option<Reason>,
    value: Option<U>,
    /// The task, to be told to stop.
    task: Option<Waker>,
    /// Who awaits the handle.
    waiter: Option<Waker>,
}

impl<U> Record<U> {
    pub(super) fn new(label: Label) -> Arc<Self> {
        let progress = Mutex::new(Progress {
            status: TaskStatus::Waiting,
            cancelled: None,
            value: None,
            task: None,
            waiter: None,
        });
        Arc::new(Self {
            progress,
            is_cancelled: AtomicBool::new(false),
            label,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Progress<U>> {
        let progress = self.progress.lock();
        progress.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> TaskStatus {
        let progress = self.lock();
        match progress.status {
            TaskStatus::Running if progress.cancelled.is_some() => TaskStatus::Cancelling,
            status => status,
        }
    }

    /// Notes that it was refused: it will never begin.
    pub(super) fn refuse(&self, reason: Reason) {
        let mut progress = self.lock();
        progress.cancelled = Some(reason);
        progress.status = TaskStatus::Cancelled;
    }

    /// The task has ended; says whether that is new.
    fn end(&self, status: TaskStatus, value: Option<U>) -> bool {
        let (task, waiter) = {
            let mut progress = self.lock();
            if progress.status.has_ended() {
                return false;
            }
            progress.status = status;
            progress.value = value;
            (progress.task.take(), progress.waiter.take())
        };
        drop(task);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
        true
    }

    fn poll_cancelled(&self, waker: Waker) -> Poll<Reason> {
        let mut progress = self.lock();
        progress.status = TaskStatus::Running;
        if let Some(reason) = progress.cancelled {
            return Poll::Ready(reason);
        }
        let old = progress.task.replace(waker);
        drop(progress);
        drop(old);
        Poll::Pending
    }

    pub(super) fn poll_ended(&self, cx: &Context<'_>) -> Poll<Result<U, TaskError>> {
        let mut progress = self.lock();
        let error = match progress.status {
            TaskStatus::Waiting | TaskStatus::Running | TaskStatus::Cancelling => {
                let old = progress.waiter.replace(cx.waker().clone());
                drop(progress);
                drop(old);
                return Poll::Pending;
            }
            TaskStatus::Finished => match progress.value.take() {
                Some(value) => return Poll::Ready(Ok(value)),
                None => TaskError::Taken,
            },
            TaskStatus::Failed => TaskError::Failed,
            TaskStatus::Panicked => TaskError::Panicked,
            TaskStatus::Cancelled => {
                let reason = progress.cancelled.unwrap_or(Reason::Dropped);
                TaskError::Cancelled(Cancelled::from(reason))
            }
        };
        Poll::Ready(Err(error))
    }
}

impl<U: Send> Member for Record<U> {
    fn cancel(&self, reason: Reason) {
        let task = {
            let mut progress = self.lock();
            if progress.cancelled.is_some() || progress.status.has_ended() {
                return;
            }
            progress.cancelled = Some(reason);
            self.is_cancelled.store(true, Ordering::Release);
            progress.task.take()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// The signal that stops a task.
pub(super) struct Stopped<U> {
    record: Arc<Record<U>>,
    /// Which waker the record has, if it has any. As long as it has it, no other one is that one.
    told: Identity,
}

impl<U> Stopped<U> {
    fn by(record: &Arc<Record<U>>) -> Self {
        Self {
            record: record.clone(),
            told: (0, 0),
        }
    }
}

impl<U> Future for Stopped<U> {
    type Output = Reason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reason> {
        let me = &mut *self;
        // Mostly it is the same task as before, and nothing has happened: that costs no lock.
        let known = me.told == identity(cx.waker());
        if known && !me.record.is_cancelled.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        let waker = cx.waker().clone();
        me.told = identity(&waker);
        me.record.poll_cancelled(waker)
    }
}

/// What [`Waker::will_wake`] compares, without a waker: the addresses of its data and of its functions.
type Identity = (usize, usize);

fn identity(waker: &Waker) -> Identity {
    (waker.data().addr(), ptr::from_ref(waker.vtable()).addr())
}

pin_project! {
    /// The future of a task whose error is its group's.
    // Not an async block: that would have room for the future twice.
    pub(super) struct ToGroup<F> {
        #[pin]
        pub(super) future: F,
    }
}

impl<F: Future<Output = Result<U, E>>, U, E> Future for ToGroup<F> {
    type Output = Given<U, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Given<U, E>> {
        let ended = ready!(self.project().future.poll(cx));
        Poll::Ready(ended.map_err(Some))
    }
}

/// How the future of a task ends; `None` is an error that has been told elsewhere.
pub(super) type Given<U, E> = Result<U, Option<E>>;

type Body<F, U, E> =
    Framed<fn() -> Until<Stopped<U>, F>, Until<Stopped<U>, F>, Place<U, E>, Cuttable>;

pin_project! {
    /// What is spawned: the future of a task, which is cancelled gracefully, and of which nothing is lost if the runtime drops it.
    pub(super) struct Job<F, U, E>
    where
        F: Future,
        U: Send,
        E: Fault,
    {
        #[pin]
        body: Body<F, U, E>,
    }
}

impl<F, U, E> Job<F, U, E>
where
    F: Future<Output = Given<U, E>>,
    U: Send + 'static,
    E: Fault,
{
    pub(super) fn new(
        future: F,
        record: Arc<Record<U>>,
        shared: Arc<Shared<E>>,
        seat: Seat,
    ) -> Self {
        let location = record.label.location;
        let until = Until::new(Stopped::by(&record), future, None, TASK, location);
        let place = Place {
            frame: frame::next_id(),
            jobs: Jobs::NONE,
            record,
            shared,
            seat,
            given: None,
            is_cut: false,
        };
        Self {
            body: Framed::new(until, place),
        }
    }
}

impl<F, U, E> Future for Job<F, U, E>
where
    F: Future<Output = Given<U, E>>,
    U: Send + 'static,
    E: Fault,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut body = self.project().body;
        if body.as_mut().heir().given.is_none() {
            let given = ready!(body.as_mut().poll(cx));
            body.as_mut().heir().given = Some(given);
        }
        let place = body.heir();
        ready!(place.poll_jobs(cx));
        place.end();
        Poll::Ready(())
    }
}

/// The place of a task in its group. Dropped, it is free, and what the task has left behind is the group's.
struct Place<U: Send, E: Fault> {
    frame: u32,
    jobs: Jobs,
    record: Arc<Record<U>>,
    shared: Arc<Shared<E>>,
    seat: Seat,
    /// What the task gave, while its orphans are finished.
    given: Option<Framing<Result<Given<U, E>, Interrupted>>>,
    /// Whether it has not ended by itself.
    is_cut: bool,
}

impl<U: Send, E: Fault> Place<U, E> {
    fn end(&mut self) {
        let Some(given) = self.given.take() else {
            // If it has not ended before, its runtime has dropped it.
            self.is_cut |= self.record.end(TaskStatus::Cancelled, None);
            return;
        };
        let failure = match given {
            Ok(Ok(Ok(value))) => {
                self.record.end(TaskStatus::Finished, Some(value));
                return;
            }
            Ok(Ok(Err(error))) => error.map(Failure::Error),
            Ok(Err(interrupted)) => {
                let exits = interrupted.into_exits().into_iter();
                self.shared.note_exits(exits.filter(Entry::is_loss));
                self.is_cut = self.record.end(TaskStatus::Cancelled, None);
                return;
            }
            Err(Stop::Panicked(panic)) => {
                self.record.end(TaskStatus::Panicked, None);
                Some(Failure::Panicked(Panicked::new(panic)))
            }
            Err(Stop::Cut) => unreachable!("only the frames of scopes cut themselves"),
        };
        self.record.end(TaskStatus::Failed, None);
        if let Some(failure) = failure {
            let label = self.record.label.clone();
            self.shared.fail(Some(label), failure);
        }
    }
}

impl<U: Send, E: Fault> Drop for Place<U, E> {
    fn drop(&mut self) {
        if self.jobs.any() {
            self.shared.adopt(self.jobs.take());
        }
        self.end();
        self.shared.leave(self.seat, self.is_cut);
    }
}

impl<U: Send, E: Fault> Heir for Place<U, E> {
    fn frame(&self) -> u32 {
        self.frame
    }

    fn birth(&self) -> Birth {
        Birth::NOWHERE
    }

    fn jobs(&mut self) -> &mut Jobs {
        &mut self.jobs
    }

    fn has_jobs(&self) -> bool {
        self.jobs.any()
    }

    fn settle(&mut self) {}

    #[cold]
    fn lose(&self, panic: Panic) {
        lost::tell_panic(&**panic, Phase::Body, &self.record.label);
        lost::discard(panic);
    }
}
