//! Futures that are run to their end, whatever becomes of their waiter.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::panic::{Location, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use crate::exiting::Exiting;
use crate::frame::{self, Dropping, Panic};
use crate::lost;
use crate::orphan::{Jobs, Work};
use crate::owner::{Called, Owner};
use crate::report::{Entry, Label, Phase, What};
use crate::slot::Unsettled;
use crate::untold::{abandon, driven};

/// Shields `future` from cancelling: once begun, by the first poll, it is run to its end.
///
/// A canceller around it ([`timeout`](crate::timeout), [`until`](crate::until)) waits for it as for an exit, and what is entered inside is not cut either.
/// It is for a step that must not stop half-way and is no exit: a message with its acknowledgement, a rename of two files.
/// It is no way to start a task: a shield waits, and nothing goes on behind its back while it is awaited.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::time::Duration;
/// use withal::{Timer, shield, timeout};
///
/// # withal_testing::run(|rt| async move {
/// let timer = rt.clone();
/// let transfer = shield(async move { timer.sleep(Duration::from_secs(3)).await });
/// let body = async {
///     transfer.await;
///     std::future::pending::<()>().await
/// };
/// assert!(timeout(&rt, Duration::from_secs(1), body).await.is_err());
/// assert_eq!(rt.now(), Duration::from_secs(3)); // and not 1
/// # });
/// ```
///
/// # Panics
///
/// If `future` panics, whoever awaits it does.
///
/// # Cancel safety
///
/// Never polled, it does nothing. While a canceller is closing, it does not begin.
/// Begun and then dropped, it is an orphan: the enclosing scope runs it to its end before its own exit, else the home of the outermost scope does.
/// Its value is dropped there, and a panic is told to the [lost-error hook](crate::on_lost_error).
#[track_caller]
pub fn shield<F>(future: F) -> Shield<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let frame = frame::next_id();
    Shield {
        // Its frame is that of an exit: what is entered inside is shielded, and ends before it ends (I6).
        stage: Stage::Fresh(Box::pin(async move { Exiting::new(future, frame).await })),
        finish: |work, frame, label| Box::pin(finish(work, frame, label)),
        frame,
        name: Cow::Borrowed("shield"),
        location: Location::caller(),
    }
}

type Shielded<T> = Pin<Box<dyn Future<Output = Result<T, Panic>> + Send>>;

/// A future that is run to its end: see [`shield()`].
///
/// # Drop behavior
///
/// If it has begun and not ended, it becomes an orphan, and its value is dropped in the end.
/// Only the deadline of an exit around it stops it, and that is told.
#[must_use = "futures do nothing unless polled"]
pub struct Shield<T> {
    stage: Stage<T>,
    // What needs `'static` is made where the function asks for it, as in `Protected`.
    finish: fn(Shielded<T>, u32, Label) -> Work,
    frame: u32,
    name: Cow<'static, str>,
    location: &'static Location<'static>,
}

enum Stage<T> {
    Fresh(Shielded<T>),
    Begun(Shielded<T>, Owner<Called>),
    Ended,
}

impl<T> Shield<T> {
    /// Names it in reports; without it the name is "shield".
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// It belongs to where it is polled first.
    fn begin(&mut self, work: Shielded<T>) {
        let mut owner = Owner::new(Called(std::mem::take(&mut self.name)), self.location);
        owner.frame = self.frame;
        self.stage = Stage::Begun(work, owner);
    }
}

impl<T> Future for Shield<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if matches!(self.stage, Stage::Fresh(_)) {
            if frame::is_closing() {
                ready!(pin!(frame::held_off()).poll(cx));
            }
            if let Stage::Fresh(work) = std::mem::replace(&mut self.stage, Stage::Ended) {
                self.begin(work);
            }
        }
        let Stage::Begun(work, owner) = &mut self.stage else {
            panic!("polled after completion")
        };
        let Poll::Ready(ended) = work.as_mut().poll(cx) else {
            owner.settle_exit();
            return Poll::Pending;
        };
        self.stage = Stage::Ended;
        match ended {
            Ok(value) => Poll::Ready(value),
            Err(panic) => resume_unwind(*panic),
        }
    }
}

impl<T> Drop for Shield<T> {
    fn drop(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended);
        let Stage::Begun(work, mut owner) = stage else {
            return;
        };
        let label = owner.label();
        let dropping = frame::dropping();
        if dropping == Dropping::Abandoned {
            return abandon(work, Unsettled::<Infallible>::Nothing, &label);
        }
        if dropping == Dropping::MovedOn {
            lost::tell(Entry::new(What::Overdue).at(Phase::Exit, &label));
        }
        let work = (self.finish)(work, self.frame, label);
        owner.orphan(Jobs::NONE, work);
    }
}

/// Drives what nobody awaits any more, and tells what came of it.
async fn finish<T>(work: Shielded<T>, frame: u32, label: Label) {
    let ended = match driven(work, &label).await {
        // In its frame again: what the value owns belongs there.
        Ok(value) => Exiting::new(async { drop(value) }, frame).await,
        Err(panic) => Err(panic),
    };
    match ended {
        Ok(()) => lost::tell(Entry::new(What::Finished).at(Phase::Exit, &label)),
        Err(panic) => {
            lost::tell_panic(&**panic, Phase::Exit, &label);
            lost::discard(panic);
        }
    }
}

impl<T> fmt::Debug for Shield<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::Fresh(_) => "fresh",
            Stage::Begun(..) => "begun",
            Stage::Ended => "ended",
        };
        f.debug_struct("Shield")
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
