//! Blocking work: the pool of the `blocking` crate.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use futures::channel::oneshot;
use withal_core::Blocking;

use crate::Futures;

impl Blocking for Futures {
    fn unblock<T, F>(&self, work: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let work = move || {
            let done = catch_unwind(AssertUnwindSafe(work));
            // Nobody is waiting any more if it cannot be sent.
            let _ = sender.send(done);
        };
        // Dropping the handle would cancel work that has not started.
        blocking::unblock(work).detach();
        async move {
            match receiver.await {
                Ok(Ok(value)) => value,
                Ok(Err(panic)) => resume_unwind(panic),
                Err(_) => unreachable!("the pool runs what it was given"),
            }
        }
    }
}
