//! The way into futures.

use std::time::Duration;

use futures::executor::ThreadPool;
use withal_core::{Launch, launched};

use crate::Futures;

/// Runs programs on the executors of `futures`.
///
/// `main` runs on the caller's thread, which serves async-io's reactor while it waits, and tasks run on the thread pool of [`Futures`].
/// The pool goes on when the launcher is dropped, until its last task has ended.
#[derive(Debug)]
pub struct Launcher {
    runtime: Futures,
    exit_budget: Duration,
}

impl Launcher {
    /// A launcher whose tasks run on the pool of the process.
    pub fn new() -> Self {
        Futures::new().into()
    }

    /// Sets how long exits may take in all, once the program is stopping: 10 seconds unless it is set.
    #[must_use]
    pub fn with_exit_budget(mut self, exit_budget: Duration) -> Self {
        self.exit_budget = exit_budget;
        self
    }
}

impl From<Futures> for Launcher {
    fn from(runtime: Futures) -> Self {
        Self {
            runtime,
            exit_budget: Duration::from_secs(10),
        }
    }
}

impl From<ThreadPool> for Launcher {
    fn from(pool: ThreadPool) -> Self {
        Futures::from(pool).into()
    }
}

impl Default for Launcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Launch for Launcher {
    type Runtime = Futures;

    fn runtime(&self) -> Futures {
        self.runtime.clone()
    }

    fn block_on<F: Future>(&self, main: F) -> F::Output {
        // Not the `block_on` of `futures`: that one panics inside of itself, and a launcher may be used inside of a body.
        launched(|| async_io::block_on(main))
    }

    fn exit_budget(&self) -> Duration {
        self.exit_budget
    }
}
