//! An entry of our stack.

use withal_core::{Fault, Outcome, Recover, Report, Scope};
use withal_testing::yield_times;

use crate::oops::seen;
use crate::ours::World;
use crate::program::{Answer, Entry, Oops};

/// An entry, and what its exit needs.
pub(crate) struct Managed<X> {
    world: World,
    entry: Entry,
    /// Makes the error type of the exit: also one that holds a single error only.
    error: fn(Report) -> X,
}

impl<X: Fault> Managed<X> {
    pub(crate) fn new(world: World, entry: Entry, error: fn(Report) -> X) -> Self {
        Self {
            world,
            entry,
            error,
        }
    }

    pub(crate) async fn exited(self, outcome: Outcome<'_>) -> Result<Recover, X> {
        self.exit(seen(outcome)).await.map_err(self.error)
    }

    pub(crate) async fn called(self) -> Result<(), X> {
        self.exit(None).await.map(|_| ()).map_err(self.error)
    }

    pub(crate) fn called_now(self) -> Result<(), X> {
        self.now(None).map(|_| ()).map_err(self.error)
    }

    async fn exit(&self, current: Option<Oops>) -> Result<Recover, Report> {
        self.begin(current);
        if self.entry.exit_pauses > 0 {
            yield_times(self.entry.exit_pauses as usize).await;
            self.world.log("exit", format!("{} goes on", self.entry.id));
        }
        if !self.entry.exit_steps.is_empty() {
            self.world
                .room(self.entry.id, &self.entry.exit_steps)
                .await?;
        }
        self.answer(current)
    }

    fn now(&self, current: Option<Oops>) -> Result<Recover, Report> {
        self.begin(current);
        self.answer(current)
    }

    fn begin(&self, current: Option<Oops>) {
        let seen = current.map_or("nothing".to_owned(), |oops| oops.to_string());
        self.world
            .log("exit", format!("{} sees {seen}", self.entry.id));
    }

    fn answer(&self, current: Option<Oops>) -> Result<Recover, Report> {
        match self.entry.answer {
            Answer::Fail(oops) => Err(oops.into()),
            Answer::Replace(oops) if current.is_some() => Err(oops.into()),
            Answer::Suppress(kind)
                if kind.is_none_or(|kind| current.is_some_and(|oops| oops.kind == kind)) =>
            {
                Ok(Recover::Suppress)
            }
            _ => Ok(Recover::Propagate),
        }
    }
}

impl<X: Fault> Scope for Managed<X> {
    type Guard = Self;
    type Error = X;
    type Verdict = Recover;

    async fn enter(self) -> Result<Self, X> {
        self.world.log("enter", self.entry.id);
        yield_times(self.entry.enter_pauses as usize).await;
        match self.entry.enter_fails {
            Some(oops) => Err((self.error)(oops.into())),
            None => Ok(self),
        }
    }

    async fn exit(managed: Self, outcome: Outcome<'_>) -> Result<Recover, X> {
        managed.exited(outcome).await
    }
}
