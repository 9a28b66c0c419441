//! What an exit says of the body's error: pass it on or suppress it.

/// The answer of an exit, which also decides the type that [`with`](crate::with) returns.
///
/// A scope whose verdict is [`Propagate`] gives back the body's value as it is.
/// A scope whose verdict is [`Recover`] gives an `Option`: `None` says that the body failed and the exit suppressed the error.
/// So nobody can swallow an error without the caller seeing it in the type.
///
/// The trait is sealed: these two are all there is.
pub trait Verdict: sealed::Sealed + Copy + Send + Sync + 'static {
    /// What `with` returns for a body that gives a `T`.
    type Output<T>;

    /// The verdict of a composite of this scope and one with the verdict `V`: [`Recover`] if one of them is.
    type Or<V: Verdict>: Verdict;

    #[doc(hidden)]
    const PROPAGATE: Self;

    #[doc(hidden)]
    fn new(suppresses: bool) -> Self;

    #[doc(hidden)]
    fn suppresses(&self) -> bool;

    #[doc(hidden)]
    fn output<T>(value: T) -> Self::Output<T>;

    #[doc(hidden)]
    fn suppressed<T>() -> Option<Self::Output<T>>;
}

/// The verdict of a scope that never suppresses: the body's result is passed on as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Propagate;

/// The verdict of a scope that may suppress the body's error.
///
/// Only a failure can be suppressed.
/// On success, after a panic and after a cancellation [`Suppress`](Recover::Suppress) means nothing:
/// a cancellation cannot be swallowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recover {
    /// Pass the body's result on.
    #[default]
    Propagate,
    /// Swallow the body's error; the caller sees `None`.
    Suppress,
}

impl Verdict for Propagate {
    type Output<T> = T;
    type Or<V: Verdict> = V;

    const PROPAGATE: Self = Self;

    fn new(_: bool) -> Self {
        Self
    }

    #[inline]
    fn suppresses(&self) -> bool {
        false
    }

    #[inline]
    fn output<T>(value: T) -> T {
        value
    }

    #[inline]
    fn suppressed<T>() -> Option<T> {
        None
    }
}

impl Verdict for Recover {
    type Output<T> = Option<T>;
    type Or<V: Verdict> = Self;

    const PROPAGATE: Self = Self::Propagate;

    fn new(suppresses: bool) -> Self {
        if suppresses {
            Self::Suppress
        } else {
            Self::Propagate
        }
    }

    #[inline]
    fn suppresses(&self) -> bool {
        matches!(self, Self::Suppress)
    }

    #[inline]
    fn output<T>(value: T) -> Option<T> {
        Some(value)
    }

    #[inline]
    fn suppressed<T>() -> Option<Option<T>> {
        Some(None)
    }
}

/// A scope that never suppresses can stand where suppressing is allowed.
impl From<Propagate> for Recover {
    fn from(_: Propagate) -> Self {
        Self::Propagate
    }
}

/// What the closure of a release may answer: `()` or a [`Verdict`].
pub trait IntoVerdict: Send {
    /// The verdict that it stands for.
    type Verdict: Verdict;

    /// Turns the answer into the verdict.
    fn into_verdict(self) -> Self::Verdict;
}

impl IntoVerdict for () {
    type Verdict = Propagate;

    fn into_verdict(self) -> Propagate {
        Propagate
    }
}

impl<V: Verdict> IntoVerdict for V {
    type Verdict = V;

    fn into_verdict(self) -> V {
        self
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Propagate {}
    impl Sealed for super::Recover {}
}
