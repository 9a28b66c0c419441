//! The values of tasks, as they come.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use crate::failure::Fault;

use super::TaskGroup;
use super::task::TASK;

/// Tasks of a group whose values are given in the order in which they end: see [`TaskGroup::results`].
///
/// # Drop behavior
///
/// The tasks go on; their values are dropped.
pub struct Results<'g, U, E: Fault> {
    group: &'g TaskGroup<E>,
    queue: Arc<Queue<U>>,
}

struct Queue<U>(Mutex<Values<U>>);

struct Values<U> {
    ended: VecDeque<U>,
    /// How many have not ended.
    live: usize,
    waiter: Option<Waker>,
}

impl<U> Queue<U> {
    fn lock(&self) -> MutexGuard<'_, Values<U>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'g, U: Send + 'static, E: Fault> Results<'g, U, E> {
    pub(super) fn new(group: &'g TaskGroup<E>) -> Self {
        let values = Values {
            ended: VecDeque::new(),
            live: 0,
            waiter: None,
        };
        Self {
            group,
            queue: Arc::new(Queue(Mutex::new(values))),
        }
    }

    /// Spawns a task whose value [`next`](Self::next) gives.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F)
    where
        F: Future<Output = Result<U, E>> + Send + 'static,
    {
        let task = Sent {
            sender: Sender::new(&self.queue),
            task,
        };
        self.group.add(TASK.into(), Location::caller(), task);
    }

    /// The value of the next task that ends; `None` when there is none left.
    ///
    /// A task that fails gives no value: its error goes to the group, which is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end it takes nothing.
    pub async fn next(&mut self) -> Option<U> {
        poll_fn(|cx| {
            let mut values = self.queue.lock();
            if let Some(value) = values.ended.pop_front() {
                return Poll::Ready(Some(value));
            }
            if values.live == 0 {
                return Poll::Ready(None);
            }
            let old = values.waiter.replace(cx.waker().clone());
            drop(values);
            drop(old);
            Poll::Pending
        })
        .await
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

impl<U, E: Fault> fmt::Debug for Results<'_, U, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.queue.lock();
        f.debug_struct("Results")
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
        sender: Sender<U>,
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
                me.sender.send(value);
                Ok(())
            }
            Err(error) => Err(error),
        })
    }
}

/// Gives the value of one task, or that there is none.
struct Sender<U>(Arc<Queue<U>>);

impl<U> Sender<U> {
    fn new(queue: &Arc<Queue<U>>) -> Self {
        queue.lock().live += 1;
        Self(queue.clone())
    }

    fn send(&self, value: U) {
        self.0.lock().ended.push_back(value);
    }
}

impl<U> Drop for Sender<U> {
    fn drop(&mut self) {
        let waiter = {
            let mut values = self.0.lock();
            values.live -= 1;
            values.waiter.take()
        };
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}
