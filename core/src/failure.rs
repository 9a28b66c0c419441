//! The error of a body, lent to its exits and taken back by value.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use crate::frame;
use crate::lost;
use crate::report::{Entry, Report, ReportError, What};

#[cfg(feature = "anyhow")]
#[path = "failure/anyhow.rs"]
mod seen;
#[cfg(not(feature = "anyhow"))]
#[path = "failure/no_anyhow.rs"]
mod seen;

/// What the error of a body or of a scope must be: printable, `Send`, `Sync` and `'static`.
///
/// Every such type has it: errors that implement [`Error`], `anyhow::Error`, `String`, `Box<dyn Error + Send + Sync>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a scope or of its body",
    label = "this error type",
    note = "an error must be `Display + Debug + Send + Sync + 'static`: it may reach exits on other threads and the lost-error hook"
)]
pub trait Fault: Any + Display + Debug + Send + Sync {
    #[doc(hidden)]
    fn as_any(&self) -> &dyn Any;
    #[doc(hidden)]
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<E: Any + Display + Debug + Send + Sync> Fault for E {
    #[inline]
    fn as_any(&self) -> &dyn Any {
        self
    }

    #[inline]
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// Finds an `E` in `error`, also inside of the boxes that applications use.
pub(crate) fn find<E: Error + Send + Sync + 'static>(error: &dyn Any) -> Option<&E> {
    if let Some(found) = error.downcast_ref::<E>() {
        return Some(found);
    }
    if let Some(boxed) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return boxed.downcast_ref().or_else(|| {
            let report = boxed.downcast_ref::<ReportError>()?;
            report.0.primary().downcast_ref()
        });
    }
    if let Some(report) = error.downcast_ref::<Report>() {
        return report.first_left()?.downcast_ref();
    }
    if let Some(told) = error.downcast_ref::<Told>() {
        return told.newest()?.downcast_ref();
    }
    seen::find(error)
}

/// The standard error inside of a fault whose type is one that is known here.
pub(crate) fn as_error(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    if let Some(boxed) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Some(&**boxed);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return Some(error);
    }
    if let Some(report) = error.downcast_ref::<Report>() {
        return report.primary().error();
    }
    seen::as_error(error)
}

/// What an exit has failed with, as the failure that further exits see: it looks like its newest error.
pub(crate) struct Told(pub(crate) Vec<Entry>);

impl Told {
    fn newest(&self) -> Option<&Entry> {
        self.0.iter().rfind(|entry| !entry.is_handled())
    }
}

impl Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.newest().or(self.0.last()) {
            Some(entry) => Display::fmt(entry.what(), f),
            None => Ok(()),
        }
    }
}

impl Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.newest().or(self.0.last()).map(Entry::what) {
            Some(What::Failed(error, _)) => Debug::fmt(error, f),
            Some(what) => Debug::fmt(what, f),
            None => Ok(()),
        }
    }
}

/// A view of the body's error, lent to an exit.
#[derive(Clone, Copy)]
pub struct FailureRef<'a>(pub(crate) &'a Arc<Failed<dyn Fault>>);

impl<'a> FailureRef<'a> {
    /// The error, if it is an `E`.
    ///
    /// Sees through `Box<dyn Error + Send + Sync>`, [`Report`] (its primary error) and, with the feature `anyhow`, `anyhow::Error` with all its causes.
    pub fn downcast_ref<E: Error + Send + Sync + 'static>(&self) -> Option<&'a E> {
        find(self.0.error.as_any())
    }

    /// The error, if its own type is exactly `E`: also for types that are no [`Error`], like `String` and `anyhow::Error`.
    pub fn exactly<E: 'static>(&self) -> Option<&'a E> {
        let error = self.0.error.as_any();
        error.downcast_ref().or_else(|| {
            let told = error.downcast_ref::<Told>()?;
            told.newest()?.exactly()
        })
    }

    /// What is in it, if it may be several errors.
    pub(crate) fn entries(&self) -> Option<Vec<&'a Entry>> {
        let error = self.0.error.as_any();
        if let Some(report) = error.downcast_ref::<Report>() {
            return Some(report.entries().collect());
        }
        let Told(entries) = error.downcast_ref()?;
        Some(entries.iter().collect())
    }

    /// A lease; inside of the frame `exit` the error itself can be lent on.
    pub(crate) fn keep(&self, exit: u32) -> KeptFailure {
        let lease = self
            .0
            .lease
            .get_or_init(|| Arc::new(Lease::new(Arc::downgrade(self.0))));
        KeptFailure {
            lease: lease.clone(),
            exit,
        }
    }
}

impl Display for FailureRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0.error, f)
    }
}

impl Debug for FailureRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0.error, f)
    }
}

/// A lease on the body's error that may be stored: see [`Outcome::keep`](crate::Outcome::keep).
///
/// It is good until the exits of the scope have ended; then the error goes back to the caller of `with`, and the lease has expired.
#[derive(Clone)]
pub struct KeptFailure {
    lease: Arc<Lease>,
    /// The frame of the exit that was told, if what that closes is told the same.
    exit: u32,
}

impl KeptFailure {
    /// Calls `f` with the error if it is an `E` and the lease has not expired.
    pub fn map<E: Error + Send + Sync + 'static, R>(&self, f: impl FnOnce(&E) -> R) -> Option<R> {
        self.lease
            .with(|failed| find(failed.error.as_any()).map(f))
            .flatten()
    }

    /// The text of the error, as a failure.
    pub(crate) fn text(&self) -> FailureRef<'_> {
        FailureRef(
            self.lease
                .text
                .get_or_init(|| Failed::text(self.to_string())),
        )
    }

    /// The error itself, if who asks is inside of the exit that was told: what is closed there ends before it goes back to its owner.
    pub(crate) fn inside(&self) -> Option<Arc<Failed<dyn Fault>>> {
        if !frame::is_frame_on_stack(self.exit) {
            return None;
        }
        self.lease.upgrade()
    }

    /// Whether the exits have ended and the error has gone back to its owner.
    pub fn is_expired(&self) -> bool {
        self.lease.with(|_| ()).is_none()
    }
}

impl Display for KeptFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lease
            .with(|failed| Display::fmt(&failed.error, f))
            .unwrap_or_else(|| f.write_str("an error that has gone back to its owner"))
    }
}

impl Debug for KeptFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lease
            .with(|failed| Debug::fmt(&failed.error, f))
            .unwrap_or_else(|| f.write_str("<expired>"))
    }
}

/// The cell in which the error of a body lives while the exits run.
pub(crate) struct Failed<E: ?Sized> {
    lease: OnceLock<Arc<Lease>>,
    /// Set by a composite exit of which one part has suppressed this error and another one has failed.
    suppressed: AtomicBool,
    of: Of,
    pub(crate) error: E,
}

/// What an error is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A body, to whose caller it goes back.
    Body,
    /// An enter: no exit can suppress it, for there is no body.
    Enter,
    /// A body that keeps it: this is its text.
    Elsewhere,
}

impl<E: Fault> Failed<E> {
    pub(crate) fn new(error: E) -> Arc<Self> {
        Self::make(error, Of::Body)
    }

    /// A cell for the error of an enter.
    #[cold]
    pub(crate) fn lasting(error: E) -> Arc<Self> {
        Self::make(error, Of::Enter)
    }

    /// A cell for the text of an error: nobody asks for it back.
    #[cold]
    fn text(error: E) -> Arc<Self> {
        Self::make(error, Of::Elsewhere)
    }

    #[inline]
    fn make(error: E, of: Of) -> Arc<Self> {
        Arc::new(Self {
            lease: OnceLock::new(),
            suppressed: AtomicBool::new(false),
            of,
            error,
        })
    }

    /// Ends every lease and takes the error out.
    ///
    /// Nothing else holds the cell by now: an exit borrows it, what that closes ends before it, and a lease is a weak pointer that is strong only under its lock.
    pub(crate) fn reclaim(self: Arc<Self>) -> E {
        if let Some(lease) = self.lease.get() {
            lease.expire();
        }
        let failed = Arc::try_unwrap(self).unwrap_or_else(|failed| {
            let text = failed.error.to_string();
            lost::tell(Entry::new(What::fault(text)));
            panic!("what this exit has closed elsewhere still holds the error of the body");
        });
        failed.error
    }
}

impl<E: ?Sized> Failed<E> {
    /// An inner exit has suppressed this error, whatever comes of the exits further out.
    pub(crate) fn suppress(&self) {
        self.suppressed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_suppressed(&self) -> bool {
        self.suppressed.load(Ordering::Relaxed)
    }

    pub(crate) fn is_lasting(&self) -> bool {
        self.of == Of::Enter
    }

    /// Whether its owner gets it back when the exits have ended.
    pub(crate) fn is_lent(&self) -> bool {
        self.of != Of::Elsewhere
    }
}

/// The shared end of all leases on one error.
struct Lease {
    failed: RwLock<Option<Weak<Failed<dyn Fault>>>>,
    /// What is left of it where the error itself cannot go.
    text: OnceLock<Arc<Failed<dyn Fault>>>,
}

impl Lease {
    fn new(failed: Weak<Failed<dyn Fault>>) -> Self {
        Self {
            failed: RwLock::new(Some(failed)),
            text: OnceLock::new(),
        }
    }

    fn with<R>(&self, f: impl FnOnce(&Failed<dyn Fault>) -> R) -> Option<R> {
        let held = self.failed.read().unwrap_or_else(PoisonError::into_inner);
        let failed = held.as_ref()?.upgrade()?;
        Some(f(&failed))
    }

    fn upgrade(&self) -> Option<Arc<Failed<dyn Fault>>> {
        let held = self.failed.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref()?.upgrade()
    }

    /// Waits for the readers of this moment, then turns all further ones away.
    fn expire(&self) {
        *self.failed.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
