//! How the error of a scope becomes the error of its caller.

use std::fmt;

/// The error of a scope that cannot fail.
///
/// It raises into every error type.
/// For a *body* that cannot fail use [`using`](crate::using), or `std::convert::Infallible` as its error:
/// `Never` there would leave the compiler two ways to convert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

/// The error of several scopes in one: of tuples, joins and wrappers.
///
/// It raises member by member, each by its own `From`.
/// It implements no [`std::error::Error`] itself, so that this conversion is the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Or<A, B> {
    /// An error of the first.
    A(A),
    /// An error of the second.
    B(B),
}

impl<A: fmt::Display, B: fmt::Display> fmt::Display for Or<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(a) => a.fmt(f),
            Self::B(b) => b.fmt(f),
        }
    }
}

/// Conversion of a scope's error into the error of the body around it.
///
/// There are three ways, and the marker `How` keeps them apart; it is always inferred:
/// [`Never`] becomes anything, [`Or`] is converted member by member, and everything else goes by [`From`]
/// (so also `anyhow::Error`, `String` and `Box<dyn Error + Send + Sync>`).
#[diagnostic::on_unimplemented(
    message = "the scope's error `{Self}` does not convert into the body's error `{E}`",
    note = "implement `From<{Self}> for {E}`, use an application error such as `withal::Report` or `anyhow::Error`, or keep both apart with `with_report`"
)]
pub trait Raise<E, How>: Sized {
    /// Converts.
    fn raise(self) -> E;
}

/// Marks conversion by [`From`].
#[derive(Debug)]
pub struct ByFrom;

/// Marks conversion out of [`Never`].
#[derive(Debug)]
pub struct CannotFail;

/// Marks conversion of an [`Or`], member by member.
#[derive(Debug)]
pub struct Either<A, B>(std::marker::PhantomData<(A, B)>);

#[diagnostic::do_not_recommend]
impl<X, E: From<X>> Raise<E, ByFrom> for X {
    #[inline]
    fn raise(self) -> E {
        self.into()
    }
}

impl<E> Raise<E, CannotFail> for Never {
    #[inline]
    fn raise(self) -> E {
        match self {}
    }
}

impl<E, A, B, HowA, HowB> Raise<E, Either<HowA, HowB>> for Or<A, B>
where
    A: Raise<E, HowA>,
    B: Raise<E, HowB>,
{
    #[inline]
    fn raise(self) -> E {
        match self {
            Self::A(a) => a.raise(),
            Self::B(b) => b.raise(),
        }
    }
}
