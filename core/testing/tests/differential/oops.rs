//! The errors of programs, found again in ours.

use withal_core::{Entry, Outcome, Report, ScopeError};

use crate::program::Oops;

/// The error of a line of a report.
pub(crate) fn oops(entry: &Entry) -> Oops {
    // What is no error of a program, for instance a skipped exit, is none in CPython.
    let none = Oops { kind: 0, id: 0 };
    entry.downcast_ref().copied().unwrap_or(none)
}

/// The error that is current after these.
pub(crate) fn last(report: &Report) -> Oops {
    report.entries().last().map(oops).expect("it has one")
}

/// The current error: in Python the others hang on it as its context; here a body may fail with a report of several.
pub(crate) fn seen(outcome: Outcome<'_>) -> Option<Oops> {
    match outcome {
        Outcome::Success => None,
        Outcome::Failure(failure) => Some(match failure.exactly() {
            Some(report) => last(report),
            None => *failure.downcast_ref().expect("it is one of ours"),
        }),
        other => panic!("{other}"),
    }
}

/// All errors of a block.
pub(crate) fn joined(error: ScopeError<Report, Report>) -> Report {
    match error {
        ScopeError::Enter(one) | ScopeError::Body(one) | ScopeError::Exit(one) => one,
        ScopeError::BodyAndExit { mut body, exit } => {
            exit.entries().for_each(|entry| body.push(entry.clone()));
            body
        }
        other => panic!("{other}"),
    }
}
