//! The lossless, typed error of `with_report`.

use std::error::Error;
use std::fmt;

/// What went wrong in a scope, typed and complete: the error of [`with_report`](crate::with_report).
///
/// `E` is the body's error, `X` the scope's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeError<E, X> {
    /// The scope could not be entered; the body did not run.
    Enter(X),
    /// The body failed, and the exit went well.
    Body(E),
    /// The body succeeded, and the exit failed.
    Exit(X),
    /// Both failed.
    BodyAndExit {
        /// The body's error.
        body: E,
        /// The exit's error.
        exit: X,
    },
}

impl<E, X> ScopeError<E, X> {
    /// The body's error.
    pub fn body(&self) -> Option<&E> {
        match self {
            Self::Body(body) | Self::BodyAndExit { body, .. } => Some(body),
            Self::Enter(_) | Self::Exit(_) => None,
        }
    }

    /// The exit's error.
    pub fn exit(&self) -> Option<&X> {
        match self {
            Self::Exit(exit) | Self::BodyAndExit { exit, .. } => Some(exit),
            Self::Enter(_) | Self::Body(_) => None,
        }
    }
}

impl<E: fmt::Display, X: fmt::Display> fmt::Display for ScopeError<E, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enter(_) => f.write_str("the scope could not be entered"),
            Self::Body(_) => f.write_str("the body failed"),
            Self::Exit(_) => f.write_str("the exit failed"),
            Self::BodyAndExit { exit, .. } => {
                write!(f, "the body failed, and then the exit: {exit}")
            }
        }
    }
}

impl<E: Error + 'static, X: Error + 'static> Error for ScopeError<E, X> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Enter(x) | Self::Exit(x) => Some(x),
            Self::Body(e) | Self::BodyAndExit { body: e, .. } => Some(e),
        }
    }
}
