//! The scope that most tests run: it suspends in enter and exit, and fails where it is told to.

use withal_core::{Fault, Outcome, Propagate, Scope};
use withal_testing::yield_now;

/// A scope around a number, with any error.
pub(crate) struct Sample<X> {
    value: u32,
    enter: Option<X>,
    exit: Option<X>,
}

impl<X> Sample<X> {
    /// One that goes well.
    pub(crate) fn new(value: u32) -> Self {
        Self {
            value,
            enter: None,
            exit: None,
        }
    }

    /// Its enter fails.
    pub(crate) fn enter_fails(mut self, error: X) -> Self {
        self.enter = Some(error);
        self
    }

    /// Its exit fails.
    pub(crate) fn exit_fails(mut self, error: X) -> Self {
        self.exit = Some(error);
        self
    }
}

/// What a [`Sample`] holds.
pub(crate) struct SampleGuard<X> {
    pub(crate) value: u32,
    exit: Option<X>,
}

impl<X: Fault> Scope for Sample<X> {
    type Guard = SampleGuard<X>;
    type Error = X;
    type Verdict = Propagate;

    async fn enter(self) -> Result<SampleGuard<X>, X> {
        yield_now().await;
        match self.enter {
            Some(error) => Err(error),
            None => Ok(SampleGuard {
                value: self.value,
                exit: self.exit,
            }),
        }
    }

    async fn exit(guard: SampleGuard<X>, _: Outcome<'_>) -> Result<Propagate, X> {
        yield_now().await;
        guard.exit.map_or(Ok(Propagate), Err)
    }
}
