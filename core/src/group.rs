//! Task groups: tasks that end before the block that has spawned them.

mod error;
mod handle;
mod queue;
mod results;
mod scope;
mod start;
mod state;
mod task;
mod waiters;

use std::borrow::Cow;
use std::fmt;
use std::future::{pending, poll_fn};
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

use crate::failure::Fault;
use crate::frame;
use crate::outcome::{Cancelled, Reason};
use crate::report::{Entry, Label, Report};
use crate::runtime::{Spawn, Task};
use crate::send_fn::SendFn;
use crate::until::until;

use error::Failure;
use start::{Handshake, Word};
use state::{Member, Shared};
use task::{Given, Job, Record, TASK, ToGroup};

pub use error::{GroupError, TaskFailure, TaskPanic};
pub use handle::{TaskCanceller, TaskError, TaskHandle, TaskStatus};
pub use results::TaskResults;
pub use start::{StartError, TaskReady};

/// Why a task is cancelled that has let go of its [`TaskReady`].
const NEVER_READY: Reason = Reason::Requested("it was never ready");

/// Runs `body` with a group to which it adds tasks; the block ends when all of them have ended.
///
/// The first failure, of a task or of the body, cancels all others gracefully: what is open in them exits, and sees [`Reason::SiblingFailed`].
/// The body is cut likewise.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{Report, task_group};
///
/// # withal_testing::run(|rt| async move {
/// let sum = task_group(&rt, async |group| {
///     let one = group.spawn(async { Ok::<_, Report>(1) });
///     let two = group.spawn(async { Ok(2) });
///     Ok(one.await? + two.await?)
/// });
/// assert_eq!(sum.await.unwrap(), 3);
/// # });
/// ```
///
/// # Errors
///
/// [`GroupError`], with everything that went wrong: failures of the tasks and of the body, and exits of cancelled tasks.
/// If the group was [cancelled](TaskGroup::cancel) and the body had its value by then, that counts.
/// Of a group that is itself cut or dropped, what has failed is told by the canceller, or to the [lost-error hook](crate::on_lost_error).
///
/// # Cancel safety
///
/// Cancelled by [`until`](crate::until) or a [`timeout`](crate::timeout()), the tasks are cancelled with the same reason, at once, and waited for, in place.
/// Dropped hard they are cancelled, too, and whoever adopts the group waits for them, or its home does.
#[track_caller]
pub fn task_group<R, T, E, F>(rt: &R, body: F) -> impl Future<Output = Result<T, GroupError<E>>>
where
    R: Spawn + Clone + Send + Sync + 'static,
    E: Fault,
    F: AsyncFnOnce(&TaskGroup<E>) -> Result<T, E>,
{
    TaskGroup::new(rt).run(body)
}

/// Tasks that end before the block that has spawned them: a nursery.
///
/// Made and run at once by [`task_group`]; with settings by [`new`](Self::new) … [`run`](Self::run).
///
/// It is a scope, too, for stacks and for fields of others: its exit waits for the tasks after a success, and else cancels them before.
/// Then a failure cancels the other tasks, but not the body, and is told at the end; and as an exit is not cut, a cancellation further out waits for the tasks.
///
/// `E` is the error of the tasks.
///
/// # Drop behavior
///
/// Its tasks are cancelled, and end by themselves.
pub struct TaskGroup<E: Fault = Report> {
    shared: Arc<Shared<E>>,
    /// Whether its drop ends the group; not so behind a handle.
    owns: bool,
}

impl<E: Fault> TaskGroup<E> {
    /// A group whose tasks run on `rt`.
    #[must_use]
    pub fn new<R>(rt: &R) -> Self
    where
        R: Spawn + Clone + Send + Sync + 'static,
    {
        let rt = rt.clone();
        Self {
            shared: Shared::new(Box::new(move |task: Task| rt.spawn(task))),
            owns: true,
        }
    }

    /// Has at most so many tasks run at once; others wait for their turn, in the order in which they were spawned.
    ///
    /// `0` counts as 1. A task that [starts](Self::start) another one in its own full group waits for itself.
    #[must_use]
    pub fn at_most(self, tasks: usize) -> Self {
        self.shared.set_at_most(tasks);
        self
    }

    /// Has the others go on when a task or the body fails; all errors are kept, and the block fails at its end.
    #[must_use]
    pub fn keep_going(self) -> Self {
        self.shared.set_keep_going();
        self
    }

    /// Runs `body` with this group: see [`task_group`].
    ///
    /// # Errors
    ///
    /// [`GroupError`], with everything that went wrong.
    ///
    /// # Cancel safety
    ///
    /// As [`task_group`].
    #[track_caller]
    pub fn run<T, F>(self, body: F) -> impl Future<Output = Result<T, GroupError<E>>>
    where
        F: AsyncFnOnce(&Self) -> Result<T, E>,
    {
        let shared = self.shared.clone();
        let mut value = None;
        async move {
            let birth = frame::birth();
            let run = crate::using(self, async |group| {
                let group = &*group;
                let work = async {
                    match body(group).await {
                        Ok(given) => {
                            value = Some(given);
                            group.shared.ended().await;
                            if group.shared.has_cut() {
                                // Not by itself: whoever has closed the group tells of it.
                                pending::<()>().await;
                            }
                        }
                        Err(error) => group.shared.fail(None, Failure::Error(error)),
                    }
                };
                let mut closed = group.shared.closed();
                let closing = poll_fn(|cx| {
                    // A canceller around it: the tasks hear of it at once, also while the body is in a shield or in an exit, which may wait for them.
                    if frame::is_closing() && !frame::is_foreign(birth) {
                        group.shared.close(frame::reason());
                    }
                    closed.poll(cx)
                });
                let cuttable = until(closing, work).in_frame(group.shared.frame);
                if let Err(interrupted) = cuttable.await {
                    let exits = interrupted.into_exits().into_iter();
                    group.shared.note_exits(exits.filter(Entry::is_loss));
                }
            });
            let (failures, exits) = match run.await {
                Ok(()) => (Vec::new(), Vec::new()),
                Err(error) => error.into_parts(),
            };
            let cancelled = match value {
                Some(value) if failures.is_empty() && exits.is_empty() => return Ok(value),
                Some(_) => None,
                None => shared.closing().map(Cancelled::from),
            };
            Err(GroupError::new(failures, cancelled, exits))
        }
    }

    /// Adds a task.
    ///
    /// Its handle is a future of its value. The error of a task goes to the group.
    /// While the group closes, a task is refused: it is dropped, and its handle says [`TaskStatus::Cancelled`].
    /// A task that its runtime drops is cancelled with [`Reason::Dropped`]: what is open in it is finished at its [home](crate::drain()), and the group waits for that.
    #[track_caller]
    pub fn spawn<U, F>(&self, task: F) -> TaskHandle<U>
    where
        F: Future<Output = Result<U, E>> + Send + 'static,
        U: Send + 'static,
    {
        self.add(Cow::Borrowed(TASK), Location::caller(), task)
    }

    /// Adds a task with a name, for errors and reports.
    #[track_caller]
    pub fn spawn_named<U, F>(&self, name: impl Into<Cow<'static, str>>, task: F) -> TaskHandle<U>
    where
        F: Future<Output = Result<U, E>> + Send + 'static,
        U: Send + 'static,
    {
        self.add(name.into(), Location::caller(), task)
    }

    /// Adds a task, and waits until it says that it is ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use withal::{Report, task_group};
    ///
    /// # withal_testing::run(|rt| async move {
    /// # let group =
    /// task_group(&rt, async |group| {
    ///     let serve = async |ready: withal::TaskReady<u16>| {
    ///         ready.ready(8080); // it listens now
    ///         Ok::<_, Report>(())
    ///     };
    ///     let (port, _server) = group.start(serve).await?;
    ///     assert_eq!(port, 8080);
    ///     Ok(())
    /// })
    /// # ;
    /// # group.await.unwrap();
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// [`StartError`], if the task ends before it is ready. Its error is in there, and the group does not hear of it.
    ///
    /// # Cancel safety
    ///
    /// Dropped before the task is ready, the task is cancelled.
    #[track_caller]
    pub fn start<V, U, F>(
        &self,
        task: F,
    ) -> impl Future<Output = Result<(V, TaskHandle<U>), StartError<E>>>
    where
        F: AsyncFnOnce(TaskReady<V>) -> Result<U, E>
            + SendFn<(TaskReady<V>,), Result<U, E>>
            + 'static,
        U: Send + 'static,
        V: Send + 'static,
    {
        self.start_at(Cow::Borrowed(TASK), Location::caller(), task)
    }

    /// [`start`](Self::start) with a name, for errors and reports.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    ///
    /// # Cancel safety
    ///
    /// As [`start`](Self::start).
    #[track_caller]
    pub fn start_named<V, U, F>(
        &self,
        name: impl Into<Cow<'static, str>>,
        task: F,
    ) -> impl Future<Output = Result<(V, TaskHandle<U>), StartError<E>>>
    where
        F: AsyncFnOnce(TaskReady<V>) -> Result<U, E>
            + SendFn<(TaskReady<V>,), Result<U, E>>
            + 'static,
        U: Send + 'static,
        V: Send + 'static,
    {
        self.start_at(name.into(), Location::caller(), task)
    }

    async fn start_at<V, U, F>(
        &self,
        name: Cow<'static, str>,
        location: &'static Location<'static>,
        task: F,
    ) -> Result<(V, TaskHandle<U>), StartError<E>>
    where
        F: AsyncFnOnce(TaskReady<V>) -> Result<U, E>
            + SendFn<(TaskReady<V>,), Result<U, E>>
            + 'static,
        U: Send + 'static,
        V: Send + 'static,
    {
        let (handshake, ready) = Handshake::new();
        let starter = handshake.clone();
        let task = async move {
            let error = match task.call_send((ready,)).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            Err(handshake.fail(error).err())
        };
        let handle = self.add_given(name, location, task);
        let mut waiting = Starting {
            group: self,
            handshake: &starter,
            handle: Some(handle),
        };
        starter.said().await;
        if starter.is_never()
            && let Some(handle) = &mut waiting.handle
        {
            handle.record.cancel(NEVER_READY);
            if let Err(TaskError::Cancelled(cancelled)) = handle.await
                && cancelled.reason != NEVER_READY
            {
                waiting.handle = None;
                return Err(StartError::Cancelled(cancelled));
            }
        }
        match (starter.take(), waiting.handle.take()) {
            (Word::Ready(value), Some(handle)) => Ok((value, handle)),
            (Word::Failed(error), _) => Err(StartError::Failed(error)),
            _ => Err(StartError::NeverReady),
        }
    }

    /// Tasks whose values are given in the order in which they end.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use withal::{Report, task_group};
    ///
    /// # withal_testing::run(|rt| async move {
    /// # let group =
    /// task_group(&rt, async |group| {
    ///     let mut squares = group.results();
    ///     for number in 1..=3 {
    ///         squares.spawn(async move { Ok::<_, Report>(number * number) });
    ///     }
    ///     let mut sum = 0;
    ///     while let Some(square) = squares.next().await {
    ///         sum += square;
    ///     }
    ///     assert_eq!(sum, 14);
    ///     Ok(())
    /// })
    /// # ;
    /// # group.await.unwrap();
    /// # });
    /// ```
    pub fn results<U: Send + 'static>(&self) -> TaskResults<'_, U, E> {
        TaskResults::new(self)
    }

    /// Cancels all tasks gracefully, and the body: what is open in them exits, and sees [`Reason::Requested`].
    ///
    /// From now on no task is let in. The first reason counts.
    /// A body that calls it is itself cut where it next waits: what it returns without waiting counts.
    pub fn cancel(&self, why: &'static str) {
        self.shared.close(Reason::Requested(why));
    }

    /// A handle, for tasks that add tasks to their own group, or cancel it.
    #[must_use]
    pub fn handle(&self) -> GroupHandle<E> {
        GroupHandle(Self {
            shared: self.shared.clone(),
            owns: false,
        })
    }

    /// Waits until all tasks have ended. A task of the group that awaits this waits for itself, for ever.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it only waits no more.
    pub async fn ended(&self) {
        self.shared.ended().await;
    }

    /// Waits until a task that is spawned now would begin at once: see [`at_most`](Self::at_most).
    ///
    /// That is no promise: of several who wait, the first to spawn takes the room.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it only waits no more.
    pub async fn room(&self) {
        self.shared.room().await;
    }

    /// How many tasks have not ended.
    pub fn len(&self) -> usize {
        self.shared.live()
    }

    /// Whether all tasks have ended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Why it closes, if it does: then no task is let in.
    pub fn closing(&self) -> Option<Cancelled> {
        self.shared.closing().map(Cancelled::from)
    }

    fn add<U, F>(
        &self,
        name: Cow<'static, str>,
        location: &'static Location<'static>,
        task: F,
    ) -> TaskHandle<U>
    where
        F: Future<Output = Result<U, E>> + Send + 'static,
        U: Send + 'static,
    {
        self.add_given(name, location, ToGroup { future: task })
    }

    fn add_given<U, F>(
        &self,
        name: Cow<'static, str>,
        location: &'static Location<'static>,
        task: F,
    ) -> TaskHandle<U>
    where
        F: Future<Output = Given<U, E>> + Send + 'static,
        U: Send + 'static,
    {
        let record = Record::new(Label { name, location }, self.shared.frame);
        match self.shared.seat(record.clone()) {
            Ok(seat) => {
                let job = Job::new(task, record.clone(), self.shared.clone(), seat);
                self.shared.start(seat, &*record, Task::new(job));
            }
            Err(reason) => record.refuse(reason),
        }
        TaskHandle { record }
    }
}

/// A handle on a [`TaskGroup`]: derefs to it, and may go anywhere.
///
/// Once the group has ended, tasks are refused.
pub struct GroupHandle<E: Fault = Report>(TaskGroup<E>);

impl<E: Fault> Clone for GroupHandle<E> {
    fn clone(&self) -> Self {
        self.0.handle()
    }
}

impl<E: Fault> Deref for GroupHandle<E> {
    type Target = TaskGroup<E>;

    fn deref(&self) -> &TaskGroup<E> {
        &self.0
    }
}

impl<E: Fault> fmt::Debug for GroupHandle<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GroupHandle").field(&self.0).finish()
    }
}

/// Waits for the word of a task; dropped before, it cancels the task.
struct Starting<'g, V: Send + 'static, U: Send, E: Fault> {
    group: &'g TaskGroup<E>,
    handshake: &'g Handshake<V, E>,
    handle: Option<TaskHandle<U>>,
}

impl<V: Send + 'static, U: Send, E: Fault> Drop for Starting<'_, V, U, E> {
    fn drop(&mut self) {
        let Some(handle) = self.handle.take() else {
            return;
        };
        handle.record.cancel(Reason::Dropped);
        if let Word::Failed(error) = self.handshake.take() {
            let failure = Failure::Error(error);
            let label = handle.record.label.clone();
            self.group.shared.fail(Some(label), failure);
        }
    }
}

impl<E: Fault> Drop for TaskGroup<E> {
    fn drop(&mut self) {
        if self.owns {
            self.shared.close(Reason::Dropped);
        }
    }
}

impl<E: Fault> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("len", &self.len())
            .field("closing", &self.closing())
            .finish()
    }
}
