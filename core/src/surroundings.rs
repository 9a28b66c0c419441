//! What an exit needs of its surroundings when it runs elsewhere: the tracing span, task-locals.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

#[cfg(feature = "tracing")]
#[path = "surroundings/span.rs"]
mod ambient;
#[cfg(not(feature = "tracing"))]
#[path = "surroundings/no_span.rs"]
mod ambient;

use ambient::Ambient;

use crate::lost;
use crate::report::{Entry, What};

/// Carries something ambient from where a scope is entered to where its exit runs, when that is elsewhere.
///
/// An exit whose future was dropped is finished by an adopter or by a home, in another task and perhaps on another thread.
/// A carrier takes along what the exit expects to find around it: a task-local, a request id.
/// The current `tracing` span is carried without any ado when the feature `tracing` is on.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::cell::Cell;
///
/// thread_local!(static REQUEST: Cell<u32> = const { Cell::new(0) });
///
/// struct RequestId;
/// impl withal::Carrier for RequestId {
///     fn pick_up(&self) -> Option<Box<dyn withal::Carried>> {
///         Some(Box::new(Id(REQUEST.get())))
///     }
/// }
///
/// struct Id(u32);
/// impl withal::Carried for Id {
///     fn around(&self, poll: &mut dyn FnMut()) {
///         let before = REQUEST.replace(self.0);
///         poll();
///         REQUEST.set(before);
///     }
/// }
///
/// withal::carry(RequestId);
/// ```
pub trait Carrier: Send + Sync + 'static {
    /// Takes along what is ambient now, at the enter of a scope; `None` if there is nothing.
    fn pick_up(&self) -> Option<Box<dyn Carried>>;
}

/// What a [`Carrier`] has taken along.
pub trait Carried: Send + Sync + 'static {
    /// Calls `poll` once, with the surroundings in place.
    fn around(&self, poll: &mut dyn FnMut());
}

static CARRIERS: RwLock<Vec<Arc<dyn Carrier>>> = RwLock::new(Vec::new());
static ANY: AtomicBool = AtomicBool::new(false);

/// Registers a carrier, for scopes that are entered from now on.
pub fn carry(carrier: impl Carrier) {
    CARRIERS
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Arc::new(carrier));
    ANY.store(true, Ordering::Release);
}

/// The surroundings of one scope; empty and free unless there is something to carry.
#[derive(Default)]
pub(crate) struct Surroundings(Option<Box<Luggage>>);

struct Luggage {
    ambient: Ambient,
    carried: Vec<Box<dyn Carried>>,
}

impl Surroundings {
    /// Whether there may be something to carry.
    #[inline(always)]
    pub(crate) fn any() -> bool {
        Ambient::any() || ANY.load(Ordering::Acquire)
    }

    /// The surroundings of this moment, if there is something to carry.
    #[cold]
    pub(crate) fn here() -> Option<Self> {
        let carried: Vec<_> = if ANY.load(Ordering::Acquire) {
            // A copy, for a carrier may enter scopes itself.
            let carriers = CARRIERS
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            carriers.iter().filter_map(pick_up).collect()
        } else {
            Vec::new()
        };
        let ambient = Ambient::here();
        if ambient.is_none() && carried.is_empty() {
            return None;
        }
        Some(Self(Some(Box::new(Luggage { ambient, carried }))))
    }

    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// Calls `poll` once, with everything in place.
    pub(crate) fn around(&self, poll: &mut dyn FnMut()) {
        let Some(luggage) = &self.0 else {
            return poll();
        };
        luggage.ambient.around(|| nest(&luggage.carried, poll));
    }
}

/// A carrier that panics carries nothing: the scope has been entered, and must not be lost for that.
fn pick_up(carrier: &Arc<dyn Carrier>) -> Option<Box<dyn Carried>> {
    catch_unwind(AssertUnwindSafe(|| carrier.pick_up())).unwrap_or_else(|panic| {
        lost::tell(Entry::new(What::Panic(lost::message(&*panic).to_owned())));
        lost::discard(Box::new(panic));
        None
    })
}

fn nest(carried: &[Box<dyn Carried>], poll: &mut dyn FnMut()) {
    match carried {
        [] => poll(),
        [first, rest @ ..] => first.around(&mut || nest(rest, poll)),
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Surroundings")
            .field(&self.0.is_some())
            .finish()
    }
}
