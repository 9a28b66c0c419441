//! The owner of a tokio runtime.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use withal_core::{Launch, launched};

use crate::Tokio;

/// Owns a tokio runtime and runs programs on it.
///
/// # Drop behavior
///
/// The runtime is shut down. Work on its blocking pool is waited for within the exit budget.
/// What scopes in its tasks have open is finished by the fallback thread.
#[derive(Debug)]
pub struct Launcher {
    runtime: Option<Runtime>,
    exit_budget: Duration,
}

impl Launcher {
    /// A runtime with a worker thread for each core, timers and IO.
    ///
    /// # Errors
    ///
    /// If the operating system denies the threads or the poller.
    pub fn multi_thread() -> io::Result<Self> {
        Ok(Builder::new_multi_thread().enable_all().build()?.into())
    }

    /// A runtime that runs everything on the thread that blocks on it, with timers and IO.
    ///
    /// # Errors
    ///
    /// If the operating system denies the poller.
    pub fn current_thread() -> io::Result<Self> {
        Ok(Builder::new_current_thread().enable_all().build()?.into())
    }

    /// Sets how long exits may take in all, once the program is stopping: 10 seconds unless it is set.
    #[must_use]
    pub fn with_exit_budget(mut self, exit_budget: Duration) -> Self {
        self.exit_budget = exit_budget;
        self
    }

    fn inner(&self) -> &Runtime {
        self.runtime.as_ref().expect("there until it is dropped")
    }
}

impl From<Runtime> for Launcher {
    fn from(runtime: Runtime) -> Self {
        Self {
            runtime: Some(runtime),
            exit_budget: Duration::from_secs(10),
        }
    }
}

impl Launch for Launcher {
    type Runtime = Tokio;

    fn runtime(&self) -> Tokio {
        Tokio
    }

    fn block_on<F: Future>(&self, main: F) -> F::Output {
        launched(|| self.inner().block_on(main))
    }

    fn exit_budget(&self) -> Duration {
        self.exit_budget
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(self.exit_budget);
        }
    }
}
