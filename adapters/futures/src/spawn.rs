//! Tasks: on a thread pool.

use async_task::{Builder, Runnable};
use withal_core::{Spawn, Task};

use crate::Futures;

impl Spawn for Futures {
    fn spawn(&self, task: Task) {
        let pool = self.pool().clone();
        // The pool polls what has woken itself again at once, for ever if need be, and the others wait.
        // So a task is no job of the pool: each of its polls is one, at the end of the queue.
        let run = async |poll: Runnable| {
            poll.run();
        };
        let schedule = move |poll| pool.spawn_ok(run(poll));
        // A panic that reached the pool would end one of its threads: it is kept, and dropped with the task.
        let (first, handle) = Builder::new()
            .propagate_panic(true)
            .spawn(|()| task, schedule);
        first.schedule();
        // Dropping the handle would cancel the task.
        handle.detach();
    }
}
