//! An open scope as a value: for struct fields, actors, fixtures.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::panic::{Location, resume_unwind};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use crate::armed::Armed;
use crate::bracket::{Bracket, Peek};
use crate::frame;
use crate::inspect;
use crate::outcome::Ending;
use crate::owner::{Owner, ScopeName};
use crate::slot::{Fate, Slot, Trouble};
use crate::watch::Watch;

/// What is there until [`Open::close`] takes it.
const OPEN: &str = "open until it is closed";

/// An entered scope that is owned: made by [`ScopeExt::open`](crate::ScopeExt::open), released by [`close`](Open::close).
///
/// Prefer [`with`](crate::ScopeExt::with), which cannot be forgotten.
/// This is for where no block fits: a field of a struct, an actor, a fixture.
/// It derefs to what a body would see.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{Outcome, ScopeExt, acquire};
///
/// struct Service<C> {
///     connection: C,
/// }
///
/// # withal_testing::block_on(async {
/// let connect = acquire(async || Ok::<_, String>(String::from("hello"))).release(async |_, _| Ok::<(), _>(()));
/// let service = Service { connection: connect.open().await? };
/// assert_eq!(service.connection.len(), 5);
/// service.connection.close(Outcome::Success).await?;
/// # Ok::<_, String>(()) }).unwrap();
/// ```
///
/// # Drop behavior
///
/// Dropped unclosed it is an orphan: the scope in whose body it was opened finishes it if that body is running on this thread, else its home does.
/// Its exit then sees `Cancelled` with [`Dropped`](crate::Reason::Dropped), or the reason of the canceller that dropped it.
#[must_use = "an open scope that is dropped is released by somebody else, later"]
pub struct Open<S: Bracket>
where
    S::Held: 'static,
{
    held: Option<S::Held>,
    // In a mutex that nobody waits for: so an `Open` is `Sync` if its guard is.
    owner: Mutex<Option<Owner<ScopeName<S>>>>,
}

#[track_caller]
pub(crate) fn open<S: Bracket>(scope: S) -> impl Future<Output = Result<Open<S>, S::Error>>
where
    S::Held: 'static,
{
    let location = Location::caller();
    async move {
        if frame::is_closing() {
            frame::held_off().await;
        }
        let name = ScopeName::<S>(scope.tag());
        let watch = Watch::enter::<S>(&name.0, location);
        let held = match watch.trace.around(scope.begin(Armed::new(location))).await {
            Ok(held) => held,
            Err(error) => {
                watch.trace.refused();
                return Err(error);
            }
        };
        let mut owner = Owner::watched(name, location, watch);
        // A value may be moved anywhere at any time, so that its home is noted at once.
        if frame::is_root() {
            owner.settle();
        }
        Ok(Open {
            held: Some(held),
            owner: Mutex::new(Some(owner)),
        })
    }
}

impl<S: Bracket> Open<S>
where
    S::Held: 'static,
{
    /// Turns into the slot of a scope, from which the exit starts.
    fn take(&mut self) -> Option<Slot<S, Infallible>> {
        let owner = self.owner.get_mut().unwrap_or_else(PoisonError::into_inner);
        Some(Slot::new(self.held.take()?, owner.take()?))
    }

    /// What a body would see. The same as a mutable deref, for the scopes that have none.
    pub fn view(&mut self) -> &mut S::View {
        S::view(self.held.as_mut().expect(OPEN))
    }

    /// Releases, telling the exit that things ended with `outcome`: an [`Outcome`](crate::Outcome), or in the function of a scope a `&`[`Kept`](crate::Kept).
    ///
    /// # Errors
    ///
    /// The exit's.
    ///
    /// # Panics
    ///
    /// If the exit panics.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll, it is as if the `Open` was dropped. Dropped later, the exit goes on: whoever is around adopts it.
    /// An exit that was given a `Failure` ends before the scope to which that failure belongs, wherever this future is by then.
    /// Should nobody be left inside of that scope to drive it, it is dropped, and told as overdue; this future, should it still be awaited, does not end then.
    pub async fn close(mut self, outcome: impl Ending) -> Result<S::Verdict, S::Error> {
        // I6: what is closed inside of an exit belongs to that exit, wherever it was opened.
        let mut slot = self.take().expect(OPEN);
        slot.owner.rebase();
        let fate = outcome.with_outcome(Fate::of);
        slot.owner.borrows = fate.borrows();
        slot.leave_after(fate);
        let exited = if slot.owner.borrows {
            match poll_fn(|cx| Poll::Ready(slot.poll_left(cx))).await {
                Poll::Ready(exited) => exited,
                Poll::Pending => slot.lend().await,
            }
        } else {
            poll_fn(|cx| slot.poll_left(cx)).await
        };
        match exited {
            Ok(verdict) => Ok(verdict),
            Err(trouble) => match *trouble {
                Trouble::Error(error, _) => Err(error),
                Trouble::Panic(panic) => resume_unwind(*panic),
            },
        }
    }
}

impl<S: Bracket> Deref for Open<S>
where
    S::Held: 'static,
    S: Peek,
{
    type Target = S::View;

    fn deref(&self) -> &S::View {
        S::peek(self.held.as_ref().expect(OPEN))
    }
}

impl<S: Bracket> DerefMut for Open<S>
where
    S::Held: 'static,
    S: Peek,
{
    fn deref_mut(&mut self) -> &mut S::View {
        self.view()
    }
}

impl<S: Bracket> Drop for Open<S>
where
    S::Held: 'static,
{
    fn drop(&mut self) {
        if let Some(slot) = self.take() {
            inspect::unclosed(|| slot.owner.label());
        }
    }
}

impl<S: Bracket> fmt::Debug for Open<S>
where
    S::Held: 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        let label = owner.as_ref().map(Owner::label);
        f.debug_tuple("Open").field(&label).finish()
    }
}
