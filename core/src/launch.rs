//! Programs: a main future that is stopped gracefully and leaves nothing behind.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use crate::clock::{Limit, hide};
use crate::home::Home;
use crate::home::drain::{drain_home, give_up};
use crate::lost;
use crate::outcome::Reason;
use crate::report::{Entry, Report};
use crate::runtime::Runtime;
use crate::until::{report, until, write_losses};

pub(crate) mod ended;

/// The owner of a runtime, which can block on a program.
pub trait Launch {
    /// The runtime that it owns, as a value for the program.
    type Runtime: Runtime;

    /// The value that stands for the runtime inside of the program.
    fn runtime(&self) -> Self::Runtime;

    /// Runs `main` to its end on this thread, and nothing more: what is still being cleaned up elsewhere is not waited for.
    ///
    /// It may be called inside of a scope's body on another runtime: the scopes around it are hidden, as by [`isolated`](crate::isolated).
    fn block_on<F: Future>(&self, main: F) -> F::Output;

    /// How long exits may take in all, once the program is stopping.
    fn exit_budget(&self) -> Duration;

    /// Runs a whole program.
    ///
    /// The first Ctrl-C or SIGTERM cancels `main` gracefully: its scopes exit with [`Reason::Shutdown`], and can read how much of the exit budget is [left](crate::time_left).
    /// The second forces: what is still exiting learns that it is [forced](crate::is_forced), is polled once more, and then nothing is waited for any more. So it is when the budget is spent.
    /// In the end, also when `main` ends by itself, it [drains](crate::drain()) its own home within the exit budget, and tells the [lost-error hook](crate::on_lost_error) of each scope that has not ended, by name and source line.
    ///
    /// # Errors
    ///
    /// [`Shutdown`] if `main` was cancelled.
    ///
    /// # Panics
    ///
    /// If `main` panics: after the drain.
    fn run<F: Future>(&self, main: F) -> Result<F::Output, Shutdown> {
        self.block_on(supervise(self.runtime(), self.exit_budget(), main))
    }
}

async fn supervise<R: Runtime, F: Future>(
    rt: R,
    budget: Duration,
    main: F,
) -> Result<F::Output, Shutdown> {
    let home = Home::here().id();
    // The signal that is listened for: it stops main, or, once main is stopping or has ended, it forces.
    let listening = RefCell::new(Box::pin(rt.interrupted()));
    let signal = || poll_fn(|cx| listening.borrow_mut().as_mut().poll(cx));
    let stopping = Cell::new(None);
    let mut forced = false;
    let ended = {
        let stop = async {
            signal().await;
            // At once, so that no second one is missed while the first exits are polled.
            *listening.borrow_mut() = Box::pin(rt.interrupted());
            Reason::Shutdown
        };
        let exits = async {
            let by = stopping.get().unwrap_or_else(|| rt.now());
            forced = or_forced(signal(), rt.sleep_until(by)).await.is_none();
        };
        let starts = |_: Pin<&mut _>| {
            let limit = Limit::after(hide(&rt), budget)?;
            stopping.set(Some(limit.by));
            Some(limit)
        };
        let mut stopped = pin!(until(stop, caught(main)).grace(exits));
        poll_fn(|cx| stopped.as_mut().poll_within(cx, starts)).await
    };
    if !forced {
        let left = match stopping.get() {
            Some(by) => by.saturating_sub(rt.now()),
            None => budget,
        };
        // What has not ended by then is told right below.
        let _ = or_forced(signal(), drain_home(Some(home), &rt, left)).await;
    }
    give_up(home).iter().for_each(lost::lose);
    match ended {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(panic)) => resume_unwind(panic),
        Err(interrupted) => Err(Shutdown {
            exits: interrupted.into_exits(),
        }),
    }
}

/// Runs `main` where no signal stops it, and waits for what it leaves behind, as long as `patience` says; after a panic there is no value to ask it of.
///
/// Nothing is around `main`: what is overdue in it moves home.
pub(crate) async fn alone<R: Runtime, F: Future>(
    rt: R,
    patience: impl FnOnce(Option<&F::Output>) -> Duration,
    main: F,
) -> F::Output {
    let home = Home::here().id();
    let ended = caught(main).await;
    let left = patience(ended.as_ref().ok());
    // What has not ended by then is told right below.
    let _ = drain_home(Some(home), &rt, left).await;
    give_up(home).iter().for_each(lost::lose);
    ended.unwrap_or_else(|panic| resume_unwind(panic))
}

/// A panic of `main` as a value: it waits for the drain.
async fn caught<F: Future>(main: F) -> thread::Result<F::Output> {
    let mut main = pin!(main);
    poll_fn(|cx| {
        let poll = || main.as_mut().poll(cx);
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

/// Waits for `future`, or for the signal that forces: then `None`.
async fn or_forced<F: Future>(signal: impl Future<Output = ()>, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut signal = pin!(signal);
    poll_fn(|cx| {
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(value));
        }
        signal.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// The error of [`Launch::run`]: a signal has stopped the program.
#[derive(Debug)]
pub struct Shutdown {
    exits: Vec<Entry>,
}

impl Shutdown {
    /// The exits of the program, in the order in which they ended: those that went well, that failed, and that were overdue.
    pub fn exits(&self) -> &[Entry] {
        &self.exits
    }

    /// A report whose primary error is the shutdown, with the exits that went wrong beside it.
    pub fn into_report(mut self) -> Report {
        let exits = std::mem::take(&mut self.exits);
        report(self, exits)
    }
}

impl fmt::Display for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped by a signal")?;
        write_losses(f, &self.exits)
    }
}

impl Error for Shutdown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.exits.iter().find_map(Entry::error)
    }
}
