//! The error of alternatives.

use std::fmt;

use crate::failure::Fault;
use crate::lost;
use crate::raise::{Either, Raise};
use crate::report::{Entry, Phase, Report, What};

/// The error of two scopes of which one is entered: of [`or_enter`](crate::ScopeExt::or_enter) and [`race`](crate::race).
///
/// It raises into what both errors raise into.
/// Of [`Both`](Self::Both) the second is raised; a [`Report`] keeps the first beside it, and else the first goes to the [lost-error hook](crate::on_lost_error).
/// [`with_report`](crate::with_report) gives it as it is.
///
/// Like [`Or`](crate::Or) it implements no [`std::error::Error`] itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneOf<A, B> {
    /// The first had been entered, and its exit failed.
    First(A),
    /// The second had been entered, and its exit failed.
    Second(B),
    /// Neither could be entered.
    Both {
        /// Why not the first.
        first: A,
        /// Why not the second.
        second: B,
    },
}

impl<A: fmt::Display, B: fmt::Display> fmt::Display for OneOf<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(error) => error.fmt(f),
            Self::Second(error) => error.fmt(f),
            Self::Both { first, second } => write!(f, "{second} (and before: {first})"),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<E, A, B, HowA, HowB> Raise<E, Either<HowA, HowB>> for OneOf<A, B>
where
    E: Fault,
    A: Raise<E, HowA> + Fault,
    B: Raise<E, HowB>,
{
    fn raise(self) -> E {
        match self {
            Self::First(error) => error.raise(),
            Self::Second(error) => error.raise(),
            Self::Both { first, second } => {
                let mut error = second.raise();
                match error.as_any_mut().downcast_mut::<Report>() {
                    Some(report) => entries(first).for_each(|entry| report.push(entry)),
                    None => entries(first).for_each(lost::tell),
                }
                error
            }
        }
    }
}

/// The entries of an enter's error: those of a report, else one.
fn entries<A: Fault>(mut error: A) -> impl Iterator<Item = Entry> {
    let report = match error.as_any_mut().downcast_mut::<Report>() {
        Some(report) => report.clone(),
        None => Report::from_entry(Entry::new(What::fault(error)).in_phase(Phase::Enter)),
    };
    report.into_entries()
}
