//! The way of a guard from its function to the body, and back.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::outcome::Kept;

/// What lies between a function and whoever runs it as a scope.
pub(super) struct Passage<G>(Mutex<Place<G>>);

struct Place<G> {
    guard: Guard<G>,
    /// The function, which may wait in a set that polls only who was woken.
    waker: Option<Waker>,
}

/// Where the guard is.
enum Guard<G> {
    /// Not here: with the function, or with the body.
    Elsewhere,
    Out(G),
    Back(G, Kept),
}

impl<G> Passage<G> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Place {
            guard: Guard::Elsewhere,
            waker: None,
        })))
    }

    fn place(&self) -> MutexGuard<'_, Place<G>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The guard, if the function has provided it.
    pub(super) fn take(&self) -> Option<G> {
        let mut place = self.place();
        match std::mem::replace(&mut place.guard, Guard::Elsewhere) {
            Guard::Out(guard) => Some(guard),
            other => {
                place.guard = other;
                None
            }
        }
    }

    /// The body has ended.
    pub(super) fn give_back(&self, guard: G, outcome: Kept) {
        let waker = {
            let mut place = self.place();
            place.guard = Guard::Back(guard, outcome);
            place.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The one yield point of a scope that is a function: see [`scope_fn`](crate::scope_fn).
///
/// It is used up by providing, so that a second time does not compile.
/// It is awaited in the function itself: the enter is not woken by a task that has taken it along.
pub struct Provide<G>(pub(super) Arc<Passage<G>>);

impl<G> Provide<G> {
    /// Lends `guard` to the body, and gives it back with the outcome of the body when that has ended, whatever has become of it.
    ///
    /// What comes before is the enter, what comes after is the exit.
    /// Nothing of the function is polled meanwhile.
    ///
    /// # Cancel safety
    ///
    /// It is no place at which the function is dropped: the exit goes on from here.
    /// A function that drops this future itself (a timeout or a `select!` around it) has to do without its guard, which goes to the body or is dropped.
    pub fn provide(self, guard: G) -> Providing<G> {
        Providing {
            passage: self.0,
            guard: Some(guard),
        }
    }
}

/// The future of [`Provide::provide`].
///
/// # Drop behavior
///
/// A guard that no body has got yet is dropped, and nothing is provided.
#[must_use = "nothing is provided unless it is awaited"]
pub struct Providing<G> {
    passage: Arc<Passage<G>>,
    guard: Option<G>,
}

// Nothing in it is pinned in place.
impl<G> Unpin for Providing<G> {}

impl<G> Future for Providing<G> {
    type Output = (G, Kept);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<(G, Kept)> {
        let given = self.guard.take();
        // Wakers are foreign code: they are cloned before the lock is taken, and dropped after it.
        let waker = cx.waker().clone();
        let _before;
        let mut place = self.passage.place();
        if let Some(guard) = given {
            place.guard = Guard::Out(guard);
        } else if let Guard::Back(..) = place.guard
            && let Guard::Back(guard, outcome) =
                std::mem::replace(&mut place.guard, Guard::Elsewhere)
        {
            return Poll::Ready((guard, outcome));
        }
        _before = place.waker.replace(waker);
        Poll::Pending
    }
}

impl<G> Drop for Providing<G> {
    fn drop(&mut self) {
        // Outside of the lock: its drop is foreign code.
        drop(self.passage.take());
    }
}

impl<G> fmt::Debug for Provide<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provide")
    }
}

impl<G> fmt::Debug for Providing<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Providing")
    }
}
