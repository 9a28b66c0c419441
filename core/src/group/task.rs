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
use crate::home;
use crate::lost;
use crate::orphan::{self, Jobs};
use crate::outcome::Reason;
use crate::report::{Entry, Label, Phase};
use crate::surroundings::Surroundings;
use crate::until::{Interrupted, Until};

use super::error::{Failure, TaskPanic};
use super::handle::{TaskError, TaskStatus};
use super::state::{Member, Seat, Shared};

/// The name of a task that has none.
pub(super) const TASK: &str = "task";

/// What a task shares with its handle and its group.
pub(super) struct Record<U> {
    progress: Mutex<Progress<U>>,
    /// Whether it was polled.
    has_begun: AtomicBool,
    /// Whether it was asked to stop; noted under the lock.
    is_cancelled: AtomicBool,
    /// The frame of its group.
    group: u32,
    pub(super) label: Label,
}

struct Progress<U> {
    ended: Option<TaskStatus>,
    /// Whether its group was closing when it ended.
    closing: bool,
    /// Why it was asked to stop.
    cancelled: Option<Reason>,
    value: Option<U>,
    /// The task, to be told to stop.
    task: Option<Waker>,
    /// Who awaits the handle.
    waiter: Option<Waker>,
}

impl<U> Record<U> {
    pub(super) fn new(label: Label, group: u32) -> Arc<Self> {
        let progress = Mutex::new(Progress {
            ended: None,
            closing: false,
            cancelled: None,
            value: None,
            task: None,
            waiter: None,
        });
        Arc::new(Self {
            progress,
            has_begun: AtomicBool::new(false),
            is_cancelled: AtomicBool::new(false),
            group,
            label,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Progress<U>> {
        let progress = self.progress.lock();
        progress.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> TaskStatus {
        let progress = self.lock();
        match progress.ended {
            Some(status) => status,
            None if progress.cancelled.is_some() => TaskStatus::Cancelling,
            None if self.has_begun.load(Ordering::Relaxed) => TaskStatus::Running,
            None => TaskStatus::Waiting,
        }
    }

    /// Notes that it was refused, as its group closes: it will never begin.
    pub(super) fn refuse(&self, reason: Reason) {
        let waiter = {
            let mut progress = self.lock();
            progress.cancelled = Some(reason);
            progress.ended = Some(TaskStatus::Cancelled);
            progress.closing = true;
            progress.waiter.take()
        };
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    /// The task has ended; gives who awaits that, and the task's own waker.
    fn end(&self, status: TaskStatus, value: Option<U>, closing: bool) -> [Option<Waker>; 2] {
        let mut progress = self.lock();
        progress.ended = Some(status);
        progress.closing = closing;
        progress.value = value;
        [progress.waiter.take(), progress.task.take()]
    }

    fn poll_cancelled(&self, waker: Waker) -> Poll<Reason> {
        let mut progress = self.lock();
        if let Some(reason) = progress.cancelled {
            return Poll::Ready(reason);
        }
        let old = progress.task.replace(waker);
        drop(progress);
        drop(old);
        Poll::Pending
    }

    /// Has `waiter` woken when it has ended.
    pub(super) fn wake_at_end(&self, waiter: Waker) {
        let mut progress = self.lock();
        let old = match progress.ended {
            None => progress.waiter.replace(waiter),
            Some(_) => Some(waiter),
        };
        drop(progress);
        if let Some(old) = old {
            old.wake();
        }
    }

    pub(super) fn poll_ended(&self, cx: &Context<'_>) -> Poll<Result<U, TaskError>> {
        let mut progress = self.lock();
        let Some(status) = progress.ended else {
            let old = progress.waiter.replace(cx.waker().clone());
            drop(progress);
            drop(old);
            return Poll::Pending;
        };
        if status == TaskStatus::Finished {
            return Poll::Ready(progress.value.take().ok_or(TaskError::Taken));
        }
        if progress.closing && frame::is_cuttable_under(self.group) {
            // Who asks is cut like the task was, in this poll or the next: it is not to make an error of its own of that.
            return Poll::Pending;
        }
        Poll::Ready(Err(match status {
            TaskStatus::Failed => TaskError::Failed,
            TaskStatus::Panicked => TaskError::Panicked,
            _ => TaskError::Cancelled(progress.cancelled.unwrap_or(Reason::Dropped).into()),
        }))
    }
}

impl<U: Send> Member for Record<U> {
    fn cancel(&self, reason: Reason) {
        let task = {
            let mut progress = self.lock();
            if progress.cancelled.is_some() || progress.ended.is_some() {
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

    fn wait(&self, queued: Waker) {
        let mut progress = self.lock();
        match progress.ended {
            None => progress.task = Some(queued),
            // The group has closed meanwhile.
            Some(_) => {
                drop(progress);
                drop(queued);
            }
        }
    }

    fn status(&self) -> TaskStatus {
        self.status()
    }

    fn label(&self) -> &Label {
        &self.label
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
            frame: shared.frame,
            jobs: Jobs::NONE,
            seated: Some(Seated {
                record,
                shared,
                seat,
                given: None,
            }),
            orphan: Seated::orphan,
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
        if let Some(seated) = &mut body.as_mut().heir().seated
            && seated.given.is_none()
        {
            seated.record.has_begun.store(true, Ordering::Relaxed);
            let given = ready!(body.as_mut().poll(cx));
            if let Some(seated) = &mut body.as_mut().heir().seated {
                seated.given = Some(given);
            }
        }
        let place = body.heir();
        ready!(place.poll_jobs(cx));
        drop(place.seated.take());
        Poll::Ready(())
    }
}

/// The place of a task in its group. Dropped, it is given up when what the task has left behind has ended.
struct Place<U: Send, E: Fault> {
    frame: u32,
    jobs: Jobs,
    /// Until the task has ended.
    seated: Option<Seated<U, E>>,
    // What needs `'static` is made where that is known, as in `Shield`.
    orphan: fn(Seated<U, E>, Jobs),
}

impl<U: Send, E: Fault> Drop for Place<U, E> {
    fn drop(&mut self) {
        if let Some(seated) = self.seated.take()
            && self.jobs.any()
        {
            (self.orphan)(seated, self.jobs.take());
        }
    }
}

/// A task that has a seat in its group. Dropped, it has ended.
struct Seated<U: Send, E: Fault> {
    record: Arc<Record<U>>,
    shared: Arc<Shared<E>>,
    seat: Seat,
    /// What the task gave. Without it, its runtime has dropped it.
    given: Option<Framing<Result<Given<U, E>, Interrupted>>>,
}

impl<U: Send + 'static, E: Fault> Seated<U, E> {
    /// The runtime has dropped the task. What was open in it is finished at its home, and the group waits for that.
    ///
    /// Not by the group itself: it may be a task that was dropped, too, and so on, and each would be driven inside of the next.
    #[cold]
    fn orphan(self, jobs: Jobs) {
        self.record.cancel(Reason::Dropped);
        let label = self.record.label.clone();
        let left = Box::pin(async move { drop(self) });
        let job = orphan::Job::new(left, label, Surroundings::default(), false);
        home::send(jobs.under(job), None);
    }
}

impl<U: Send, E: Fault> Drop for Seated<U, E> {
    fn drop(&mut self) {
        let (status, failure, value) = match self.given.take() {
            None => (TaskStatus::Cancelled, None, None),
            Some(Ok(Ok(Ok(value)))) => (TaskStatus::Finished, None, Some(value)),
            Some(Ok(Ok(Err(error)))) => (TaskStatus::Failed, error.map(Failure::Error), None),
            Some(Ok(Err(interrupted))) => {
                let exits = interrupted.into_exits().into_iter();
                self.shared.note_exits(exits.filter(Entry::is_loss));
                (TaskStatus::Cancelled, None, None)
            }
            Some(Err(Stop::Panicked(panic))) => {
                let panicked = Failure::Panicked(TaskPanic::new(panic));
                (TaskStatus::Panicked, Some(panicked), None)
            }
            Some(Err(Stop::Cut)) => unreachable!("only the frames of scopes cut themselves"),
        };
        // The group knows it before the handle says it: who awaits that may fail for it, and is not the first.
        if let Some(failure) = failure {
            let label = self.record.label.clone();
            self.shared.fail(Some(label), failure);
        }
        let mut task = None;
        self.shared.leave(self.seat, |closing| {
            let [waiter, waker] = self.record.end(status, value, closing);
            task = waker;
            (waiter, status == TaskStatus::Cancelled)
        });
        drop(task);
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
        if let Some(seated) = &self.seated {
            lost::tell_panic(&**panic, Phase::Body, &seated.record.label);
        }
        lost::discard(panic);
    }
}
