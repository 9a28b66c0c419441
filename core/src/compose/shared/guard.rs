//! One generation of a shared scope, and the guards of its users.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use super::turn::Turn;

/// What is there until the guard is given back.
const SHARED: &str = "shared until its end";

/// What is held from an enter to the end of its exit.
///
/// It is counted by its `Arc`, of which each guard has one, and nobody else.
/// So the last guard is the one that gets it by value, and none can release what belongs to another generation.
pub(super) struct Generation<G> {
    part: G,
    // In a mutex that nobody waits for: so a generation is `Sync` if the part is.
    rest: Mutex<Rest>,
    turn: Turn<G>,
    /// Makes an orphan of the exit; made where the scope is known.
    rescue: fn(SharedGuard<G>),
}

/// What the scope has left beside the part.
type Rest = Box<dyn Any + Send>;

impl<G> Generation<G> {
    pub(super) fn new(part: G, rest: Rest, turn: Turn<G>, rescue: fn(SharedGuard<G>)) -> Self {
        Self {
            part,
            rest: Mutex::new(rest),
            turn,
            rescue,
        }
    }
}

/// The guard of a user of a [`shared`](crate::shared()) scope: it derefs to the guard that all of them share.
///
/// It belongs to the generation that it was given for, wherever it is moved: two that are swapped each release their own.
/// (If their scopes are of different types, the errors of their exits go to the [lost-error hook](crate::on_lost_error), for the blocks have no type for them.)
///
/// # Drop behavior
///
/// It is given back to its scope at the end of the block, and the last one releases.
/// One that was taken out (of an `Option`, or by [`dismiss`](crate::Entered::dismiss)) counts until it is dropped; if it is the last one then, the exit is an orphan's, and sees `Cancelled`.
/// One that is leaked by `mem::forget` counts for ever.
pub struct SharedGuard<G> {
    generation: Option<Arc<Generation<G>>>,
    location: &'static Location<'static>,
}

impl<G> SharedGuard<G> {
    pub(super) fn new(
        generation: Arc<Generation<G>>,
        location: &'static Location<'static>,
    ) -> Self {
        Self {
            generation: Some(generation),
            location,
        }
    }

    pub(super) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// Counts no more. The last one gives what was entered, unless it is of another scope than `R` says: then that is released as an orphan.
    pub(super) fn leave<R: 'static>(mut self) -> Option<(G, R, Turn<G>)> {
        let last = Arc::into_inner(self.generation.take()?)?;
        let rest = last.rest.into_inner();
        match rest.unwrap_or_else(PoisonError::into_inner).downcast() {
            Ok(rest) => Some((last.part, *rest, last.turn)),
            Err(rest) => {
                let rest = Mutex::new(rest);
                rescue(Generation { rest, ..last }, self.location);
                None
            }
        }
    }
}

/// Makes an orphan of the exit, with a guard that is again the only one, and of which the handles do not know.
fn rescue<G>(last: Generation<G>, location: &'static Location<'static>) {
    (last.rescue)(SharedGuard::new(Arc::new(last), location));
}

impl<G> Drop for SharedGuard<G> {
    fn drop(&mut self) {
        if let Some(last) = self.generation.take().and_then(Arc::into_inner) {
            rescue(last, self.location);
        }
    }
}

impl<G> Deref for SharedGuard<G> {
    type Target = G;

    fn deref(&self) -> &G {
        &self.generation.as_ref().expect(SHARED).part
    }
}

impl<G: fmt::Debug> fmt::Debug for SharedGuard<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedGuard").field(&**self).finish()
    }
}
