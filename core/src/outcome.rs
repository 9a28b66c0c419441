//! How a body ended, as its exit is told.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::failure::{FailureRef, KeptFailure};

/// How the body of a scope ended: what [`Scope::exit`](crate::Scope::exit) is told.
///
/// An outcome is `Copy` and borrows the body's error.
/// Where a borrow cannot go, [`keep`](Outcome::keep) gives a `'static` lease on it.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::Outcome;
///
/// fn decide(outcome: Outcome<'_>) -> &'static str {
///     match outcome {
///         Outcome::Success => "commit",
///         Outcome::Failure(failure) if failure.downcast_ref::<std::io::Error>().is_some() => "retry",
///         _ => "roll back",
///     }
/// }
/// assert_eq!(decide(Outcome::Success), "commit");
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// The body returned `Ok`.
    Success,
    /// The body returned `Err`.
    Failure(FailureRef<'a>),
    /// The body panicked. The panic goes on after the exits.
    Panicked(PanicRef<'a>),
    /// The body was cut before its end.
    Cancelled(Cancelled),
}

impl<'a> Outcome<'a> {
    /// Whether the body returned `Ok`.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Success)
    }

    /// The body's error, if it failed with an `E`.
    ///
    /// Sees through `Box<dyn Error + Send + Sync>`, [`Report`](crate::Report) and, with the feature `anyhow`, `anyhow::Error`.
    pub fn downcast_ref<E: Error + Send + Sync + 'static>(&self) -> Option<&'a E> {
        match self {
            Self::Failure(failure) => failure.downcast_ref(),
            _ => None,
        }
    }

    /// The reason for which the body was cut, if it was.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Cancelled(cancelled) => Some(cancelled.reason),
            _ => None,
        }
    }

    /// A `'static` lease on this outcome, for tasks, stored outcomes and closures that outlive the call.
    ///
    /// The body's error stays where it is: when the exits have ended, `with` takes it back by value, and the lease says that it has expired.
    pub fn keep(&self) -> Kept {
        self.keep_in(0)
    }

    /// The same for an exit in the frame `exit`.
    pub(crate) fn keep_in(&self, exit: u32) -> Kept {
        match self {
            Self::Success => Kept::Success,
            Self::Failure(failure) => Kept::Failure(failure.keep(exit)),
            Self::Panicked(panic) => Kept::Panicked(panic.0.into()),
            Self::Cancelled(cancelled) => Kept::Cancelled(*cancelled),
        }
    }
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("success"),
            Self::Failure(failure) => write!(f, "failure: {failure}"),
            Self::Panicked(panic) => write!(f, "panic: {panic}"),
            Self::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

/// The message of the panic that ended a body.
#[derive(Clone, Copy, Debug)]
pub struct PanicRef<'a>(pub(crate) &'a str);

impl<'a> PanicRef<'a> {
    /// The message; a fixed text if the payload of the panic was not a string.
    pub fn message(&self) -> &'a str {
        self.0
    }
}

impl fmt::Display for PanicRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// That a body was cut, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Cancelled {
    /// Why.
    pub reason: Reason,
}

impl From<Reason> for Cancelled {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled: {}", self.reason)
    }
}

impl Error for Cancelled {}

/// Why a body was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A [`timeout`](crate::timeout) elapsed.
    Timeout,
    /// Somebody asked for it, and said why.
    Requested(&'static str),
    /// The future was dropped without a word: `select!`, an aborted task, a foreign timeout, the end of the runtime.
    Dropped,
    /// A sibling task of the same group failed.
    SiblingFailed,
    /// The program is stopping: Ctrl-C, SIGTERM.
    Shutdown,
    /// A lease that the body depended on was lost.
    LeaseLost,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "the time was up",
            Self::Requested(why) => why,
            Self::Dropped => "the future was dropped",
            Self::SiblingFailed => "a sibling failed",
            Self::Shutdown => "the program is stopping",
            Self::LeaseLost => "a lease was lost",
        })
    }
}

/// An [`Outcome`] that may be stored: see [`Outcome::keep`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Kept {
    /// The body returned `Ok`.
    Success,
    /// The body returned `Err`.
    Failure(KeptFailure),
    /// The body panicked with this message.
    Panicked(Arc<str>),
    /// The body was cut.
    Cancelled(Cancelled),
}

impl Kept {
    /// Whether the body returned `Ok`.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Success)
    }

    /// Whether the body failed with an `E`.
    ///
    /// Sees through the same boxes as [`Outcome::downcast_ref`].
    pub fn is<E: Error + Send + Sync + 'static>(&self) -> bool {
        self.map(|_: &E| ()).is_some()
    }

    /// Calls `f` with the body's error, if it failed with an `E`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use std::io;
    /// use withal::{Provide, Recover, ScopeExt, scope_fn};
    ///
    /// # withal_testing::block_on(async {
    /// let handler = scope_fn(async |p: Provide<()>| {
    ///     let ((), outcome) = p.provide(()).await;
    ///     let kind = outcome.map(|error: &io::Error| error.kind());
    ///     io::Result::Ok(match kind {
    ///         Some(io::ErrorKind::NotFound) => Recover::Suppress,
    ///         _ => Recover::Propagate,
    ///     })
    /// });
    /// let missing = handler.with(async |()| Err::<(), _>(io::Error::from(io::ErrorKind::NotFound)));
    /// assert!(missing.await?.is_none());
    /// # io::Result::Ok(()) }).unwrap();
    /// ```
    pub fn map<E: Error + Send + Sync + 'static, R>(&self, f: impl FnOnce(&E) -> R) -> Option<R> {
        match self {
            Self::Failure(failure) => failure.map(f),
            _ => None,
        }
    }

    /// The reason for which the body was cut, if it was.
    pub fn reason(&self) -> Option<Reason> {
        self.as_outcome().reason()
    }

    /// The same as an outcome.
    ///
    /// Of an error only its text is there, for the error itself goes back to its owner in the end.
    /// Close with the kept outcome itself, by reference, what is to be told of the error: see [`Ending`].
    pub fn as_outcome(&self) -> Outcome<'_> {
        match self {
            Self::Success => Outcome::Success,
            Self::Failure(failure) => Outcome::Failure(failure.text()),
            Self::Panicked(message) => Outcome::Panicked(PanicRef(message)),
            Self::Cancelled(cancelled) => Outcome::Cancelled(*cancelled),
        }
    }
}

/// How something ended that is closed by hand: an [`Outcome`], or a [`Kept`] one by reference.
///
/// The function of a scope is told a `Kept` outcome.
/// What it closes with that, an [`Open`](crate::Open) or an [`ExitStack`](crate::ExitStack), sees the error of the body itself, as if it had been nested: with its type, and may suppress it.
/// The verdict of the close is then that of the function.
/// Anywhere else (in a task, from another scope) only the text of the error is there.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use withal::{Open, Provide, ScopeExt, Suppress, Type, scope_fn, suppress};
///
/// # withal_testing::block_on(async {
/// let around = scope_fn(async |p: Provide<Open<Suppress<Type<io::Error>>>>| {
///     let Ok(handler) = suppress::<io::Error>().open().await;
///     let (handler, outcome) = p.provide(handler).await;
///     handler.close(&outcome).await
/// });
/// let missing = around.with(async |_| Err::<(), _>(io::Error::from(io::ErrorKind::NotFound)));
/// assert!(missing.await?.is_none());
/// # io::Result::Ok(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "nothing is closed with `{Self}`",
    label = "this is not how a body ended",
    note = "it is an `Outcome`, or in the function of a scope what the yield gave, by reference: `close(&outcome)`"
)]
pub trait Ending: sealed::Sealed {
    #[doc(hidden)]
    fn with_outcome<R>(self, tell: impl FnOnce(Outcome<'_>) -> R) -> R;
}

impl Ending for Outcome<'_> {
    fn with_outcome<R>(self, tell: impl FnOnce(Outcome<'_>) -> R) -> R {
        tell(self)
    }
}

impl Ending for &Kept {
    fn with_outcome<R>(self, tell: impl FnOnce(Outcome<'_>) -> R) -> R {
        if let Kept::Failure(failure) = self
            && let Some(failed) = failure.inside()
        {
            return tell(Outcome::Failure(FailureRef(&failed)));
        }
        tell(self.as_outcome())
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Outcome<'_> {}
    impl Sealed for &super::Kept {}
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failure(failure) => write!(f, "failure: {failure}"),
            other => other.as_outcome().fmt(f),
        }
    }
}
