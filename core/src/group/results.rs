//! The values of tasks, as they come.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

use pin_project_lite::pin_project;

use crate::failure::Fault;

use super::TaskGroup;
use super::handle::TaskCanceller;
use super::task::TASK;

/// Tasks of a group whose values are given in the order in which they end: see [`TaskGroup::results`].
///
/// # Drop behavior
///
/// The tasks go on; their values are dropped.
pub struct TaskResults<'g, U, E: Fault> {
    group: &'g TaskGroup<E>,
    queue: Arc<Queue<U>>,
}

/// What the tasks and who takes their values share.
///
/// It is also the waker of who awaits their handles, and so is told once of each that it has ended, after its group was.
struct Queue<U>(Mutex<Values<U>>);

struct Values<U> {
    ended: VecDeque<U>,
    /// How many have not ended.
    live: usize,
    waiter: Option<Waker>,
    /// Nobody takes them any more.
    is_closed: bool,
}

impl<U> Queue<U> {
    fn lock(&self) -> MutexGuard<'_, Values<U>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, value: U) {
        let mut values = self.lock();
        if values.is_closed {
            drop(values);
            return drop(value);
        }
        values.ended.push_back(value);
    }
}

impl<U: Send> Wake for Queue<U> {
    fn wake(self: Arc<Self>) {
        let waiter = {
            let mut values = self.lock();
            values.live -= 1;
            values.waiter.take()
        };
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

impl<'g, U: Send + 'static, E: Fault> TaskResults<'g, U, E> {
    pub(super) fn new(group: &'g TaskGroup<E>) -> Self {
        let values = Values {
            ended: VecDeque::new(),
            live: 0,
            waiter: None,
            is_closed: false,
        };
        Self {
            group,
            queue: Arc::new(Queue(Mutex::new(values))),
        }
    }

    /// Spawns a task whose value [`next`](Self::next) gives.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> TaskCanceller
    where
        F: Future<Output = Result<U, E>> + Send + 'static,
    {
        self.add(Cow::Borrowed(TASK), Location::caller(), task)
    }

    /// [`spawn`](Self::spawn) with a name, for errors and reports.
    #[track_caller]
    pub fn spawn_named<F>(&mut self, name: impl Into<Cow<'static, str>>, task: F) -> TaskCanceller
    where
        F: Future<Output = Result<U, E>> + Send + 'static,
    {
        self.add(name.into(), Location::caller(), task)
    }

    fn add<F>(
        &self,
        name: Cow<'static, str>,
        location: &'static Location<'static>,
        task: F,
    ) -> TaskCanceller
    where
        F: Future<Output = Result<U, E>> + Send + 'static,
    {
        self.queue.lock().live += 1;
        let queue = self.queue.clone();
        let handle = self.group.add(name, location, Sent { queue, task });
        handle.record.wake_at_end(self.queue.clone().into());
        handle.canceller()
    }

    /// The value of the next task that ends; `None` when there is none left.
    ///
    /// A task that fails gives no value: its error goes to the group, which is cancelled.
    /// While the group closes, its body and its tasks do not hear that there is none left: they are cut themselves.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end it takes nothing.
    pub async fn next(&mut self) -> Option<U> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Polls for [`next`](Self::next): for an own `Stream`.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<U>> {
        let mut values = self.queue.lock();
        if let Some(value) = values.ended.pop_front() {
            return Poll::Ready(Some(value));
        }
        if values.live == 0 {
            drop(values);
            return if self.group.shared.cuts_here() {
                Poll::Pending
            } else {
                Poll::Ready(None)
            };
        }
        let old = values.waiter.replace(cx.waker().clone());
        drop(values);
        drop(old);
        Poll::Pending
    }

    /// How many values are still to come, those that wait to be taken included.
    pub fn len(&self) -> usize {
        let values = self.queue.lock();
        values.live + values.ended.len()
    }

    /// Whether no value is to come.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<U, E: Fault> Drop for TaskResults<'_, U, E> {
    fn drop(&mut self) {
        let values = {
            let mut values = self.queue.lock();
            values.is_closed = true;
            std::mem::take(&mut values.ended)
        };
        drop(values);
    }
}

impl<U, E: Fault> fmt::Debug for TaskResults<'_, U, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.queue.lock();
        f.debug_struct("TaskResults")
            .field("ended", &values.ended.len())
            .field("live", &values.live)
            .finish()
    }
}

pin_project! {
    /// A task whose value is sent.
    struct Sent<F, U> {
        #[pin]
        task: F,
        queue: Arc<Queue<U>>,
    }
}

impl<F, U, E> Future for Sent<F, U>
where
    F: Future<Output = Result<U, E>>,
{
    type Output = Result<(), E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        let me = self.project();
        Poll::Ready(match ready!(me.task.poll(cx)) {
            Ok(value) => {
                me.queue.send(value);
                Ok(())
            }
            Err(error) => Err(error),
        })
    }
}
