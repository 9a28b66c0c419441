//! Homes: where orphans without an adopter are finished.
//!
//! The home of a root scope is the executor that offers itself by [`at_home`], else the current tokio runtime (feature `tokio`), else the fallback thread.
//! A home may drop an orphan at any time; then the fallback thread finishes it.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::frame;
use crate::orphan::Parcel;
use crate::report::Label;

pub(crate) mod drain;
mod fallback;
pub(crate) mod registry;
#[cfg(feature = "tokio")]
#[path = "home/tokio.rs"]
mod runtime;
#[cfg(not(feature = "tokio"))]
#[path = "home/no_runtime.rs"]
mod runtime;

use registry::Key;

/// An executor that finishes the orphans of the root scopes that it runs.
///
/// Only executors need this, such as the manual one of `withal-testing`:
/// they wrap each poll in [`at_home`].
pub trait Shelter: Send + Sync + 'static {
    /// Runs `orphan` to its end, beside everything else; must not block and must not panic.
    ///
    /// An orphan that is dropped before its end goes to the fallback thread.
    fn finish(&self, orphan: Orphan);
}

/// An exit whose own future was dropped, on its way to its end: a future to be polled by its home.
///
/// # Drop behavior
///
/// If it has not ended, the fallback thread goes on with it.
#[must_use = "an orphan that is dropped goes to the fallback thread"]
pub struct Orphan {
    parcel: Option<Parcel>,
    key: Key,
}

impl Future for Orphan {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let key = self.key.0;
        let Some(parcel) = &mut self.parcel else {
            return Poll::Ready(());
        };
        // A home may run its tasks under the frames of somebody else; an orphan is a root.
        let ended = frame::hidden(|| frame::on_errand(key, || parcel.poll(cx)));
        if !ended {
            return Poll::Pending;
        }
        self.parcel = None;
        registry::remove(self.key);
        Poll::Ready(())
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        if let Some(parcel) = self.parcel.take() {
            fallback::finish(Self {
                parcel: Some(parcel),
                key: self.key,
            });
        }
    }
}

impl Orphan {
    fn label(&self) -> Option<&Label> {
        self.parcel.as_ref().and_then(Parcel::label)
    }
}

impl fmt::Debug for Orphan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Orphan")
            .field("label", &self.label())
            .finish()
    }
}

/// Which home.
#[derive(Clone)]
pub(crate) enum Home {
    Shelter(Arc<dyn Shelter>),
    Runtime(runtime::Runtime),
    Fallback,
}

/// Which home, for those who wait for what is left there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HomeId {
    Shelter(usize),
    Runtime(runtime::Id),
    Fallback,
}

thread_local! {
    /// The home of what is entered on this thread now, if somebody has said.
    static HERE: RefCell<Option<Home>> = const { RefCell::new(None) };
}

/// Runs `poll` with `shelter` as the home of the root scopes inside.
pub fn at_home<R>(shelter: &Arc<dyn Shelter>, poll: impl FnOnce() -> R) -> R {
    with_home(Some(Home::Shelter(shelter.clone())), poll)
}

fn with_home<R>(home: Option<Home>, f: impl FnOnce() -> R) -> R {
    /// Restores the home also when `f` unwinds.
    struct Leave(Option<Home>);
    impl Drop for Leave {
        fn drop(&mut self) {
            let _ = HERE.try_with(|here| here.replace(self.0.take()));
        }
    }
    let before = HERE.try_with(|here| here.replace(home));
    let _leave = Leave(before.ok().flatten());
    f()
}

/// Runs a synchronous section with this thread's scopes hidden: what is orphaned inside is finished by the fallback thread, not by a scope around the section.
///
/// Wrap it around anything that runs another executor inside of a body (`block_on`, `executor.run`).
/// A scope around the section cannot be polled until the section is over, and neither can a runtime of this thread alone:
/// waiting inside for an orphan that one of them has would be waiting for ever (I6).
/// The `block_on` of withal's own launchers does it by itself, and offers its own runtime as the home.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// let answer = withal::isolated(|| 42); // here: some `block_on`
/// assert_eq!(answer, 42);
/// ```
pub fn isolated<R>(section: impl FnOnce() -> R) -> R {
    frame::hidden(|| with_home(Some(Home::Fallback), section))
}

/// Runs a synchronous section as [`isolated`] does, for one that enters a runtime as its caller: the home is that runtime.
///
/// This is for launchers, around their `block_on`.
pub fn launched<R>(section: impl FnOnce() -> R) -> R {
    frame::hidden(|| with_home(None, section))
}

impl Home {
    /// The home of a root that runs here.
    #[cold]
    pub(crate) fn here() -> Self {
        let said = HERE.try_with(|here| here.borrow().clone());
        if let Some(home) = said.ok().flatten() {
            return home;
        }
        runtime::Runtime::current().map_or(Self::Fallback, Self::Runtime)
    }

    pub(crate) fn id(&self) -> HomeId {
        match self {
            Self::Shelter(shelter) => HomeId::Shelter(Arc::as_ptr(shelter).addr()),
            Self::Runtime(runtime) => HomeId::Runtime(runtime.id()),
            Self::Fallback => HomeId::Fallback,
        }
    }
}

/// Sends orphans home.
#[cold]
pub(crate) fn send(mut parcel: Parcel, home: Option<Home>) {
    parcel.stay_forced();
    let Some(parcel) = parcel.without_borrowers() else {
        return;
    };
    let Some(label) = parcel.label().cloned() else {
        return; // nothing in it
    };
    let home = home.unwrap_or_else(Home::here);
    let key = registry::add_job(label, home.id());
    let orphan = Orphan {
        parcel: Some(parcel),
        key,
    };
    match home {
        // I8: a home that panics has dropped the orphan, which is thereby at the fallback.
        Home::Shelter(shelter) => {
            let _ = catch_unwind(AssertUnwindSafe(|| shelter.finish(orphan)));
        }
        Home::Runtime(runtime) => {
            let _ = catch_unwind(AssertUnwindSafe(|| runtime.finish(orphan)));
        }
        Home::Fallback => fallback::finish(orphan),
    }
}

/// A root scope that has suspended: its home, and its entry in the registry as long as it lives.
pub(crate) struct Root {
    pub(crate) home: Home,
    pub(crate) key: Key,
    /// Whether the register knows that it is in its exit.
    pub(crate) exiting: bool,
}

impl Drop for Root {
    fn drop(&mut self) {
        registry::remove(self.key);
    }
}
