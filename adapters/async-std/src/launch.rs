//! The way into async-std.

use std::time::Duration;

use withal_core::{Launch, launched};

use crate::AsyncStd;

/// Runs programs on async-std.
///
/// async-std's executor and reactor are global and are never shut down, so that this owns nothing but its settings.
#[derive(Debug)]
pub struct Launcher {
    exit_budget: Duration,
}

impl Launcher {
    /// A launcher.
    pub fn new() -> Self {
        Self {
            exit_budget: Duration::from_secs(10),
        }
    }

    /// Sets how long exits may take in all, once the program is stopping: 10 seconds unless it is set.
    #[must_use]
    pub fn with_exit_budget(mut self, exit_budget: Duration) -> Self {
        self.exit_budget = exit_budget;
        self
    }
}

impl Default for Launcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Launch for Launcher {
    type Runtime = AsyncStd;

    fn runtime(&self) -> AsyncStd {
        AsyncStd
    }

    fn block_on<F: Future>(&self, main: F) -> F::Output {
        launched(|| async_std::task::block_on(main))
    }

    fn exit_budget(&self) -> Duration {
        self.exit_budget
    }
}
