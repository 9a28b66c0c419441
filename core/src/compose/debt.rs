//! An error of one member of a composite: lent to the exits of the others as it is, and given to the caller as the composite's.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::failure::{Failed, Fault, Told, as_error};
use crate::report::{Entries, Entry, Label, Phase, Report, What};
use crate::slot::reclaim;
use crate::untold::tell_entries;

/// An error of a member of which somebody is still to be told; `X` is the error of the composite.
pub struct Debt<X>(Box<dyn Owed<X>>);

impl<X> Debt<X> {
    #[cold]
    pub(super) fn new<Y: Fault>(
        error: Y,
        (phase, label): (Phase, Label),
        inject: fn(Y) -> X,
        entries: Entries<Y>,
    ) -> Self
    where
        X: 'static,
    {
        let error = Arc::new(error);
        let lent = match (*error).as_any().downcast_ref::<Report>() {
            Some(report) => Lent::All(cell(report.clone(), phase)),
            None => {
                let entry = Entry::new(What::Failed(error.clone(), as_error));
                Lent::One(cell(Told(vec![entry.at(phase, &label)]), phase))
            }
        };
        Self(Box::new(Owing {
            error,
            lent,
            phase,
            label,
            inject,
            entries,
        }))
    }

    /// The failure that further exits see.
    pub(super) fn lend(&self) -> Arc<Failed<dyn Fault>> {
        self.0.lend()
    }

    /// A report that shares the error, for the case that nobody is left to take it.
    pub(super) fn report(&self) -> Report {
        self.0.report()
    }

    /// Takes the error; what was lent has come back by now.
    pub(super) fn take(self) -> X {
        self.0.take()
    }

    /// Tells the hook: nobody takes it.
    pub(super) fn tell(self) {
        self.0.tell();
    }
}

impl<X> fmt::Debug for Debt<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Debt").field(&self.report()).finish()
    }
}

trait Owed<X>: Send {
    fn lend(&self) -> Arc<Failed<dyn Fault>>;
    fn report(&self) -> Report;
    fn take(self: Box<Self>) -> X;
    fn tell(self: Box<Self>);
}

/// The error in the form in which it is lent, which shares it.
enum Lent {
    One(Arc<Failed<Told>>),
    /// Of a report exits may pick some.
    All(Arc<Failed<Report>>),
}

/// No exit can suppress the error of an enter.
fn cell<E: Fault>(error: E, phase: Phase) -> Arc<Failed<E>> {
    match phase {
        Phase::Enter => Failed::lasting(error),
        _ => Failed::new(error),
    }
}

struct Owing<Y, X> {
    error: Arc<Y>,
    lent: Lent,
    phase: Phase,
    label: Label,
    /// Makes of it the error of the composite.
    inject: fn(Y) -> X,
    entries: Entries<Y>,
}

impl<Y: Fault, X> Owed<X> for Owing<Y, X> {
    fn lend(&self) -> Arc<Failed<dyn Fault>> {
        match &self.lent {
            Lent::One(told) => told.clone(),
            Lent::All(report) => report.clone(),
        }
    }

    fn report(&self) -> Report {
        let entries = match &self.lent {
            Lent::One(told) => Report::of(told.error.0.iter().cloned()),
            Lent::All(report) => Some(report.error.clone().without_handled()),
        };
        entries.unwrap_or_else(|| Report::msg("an error that was handled"))
    }

    fn take(self: Box<Self>) -> X {
        let left = match self.lent {
            Lent::One(told) => {
                drop(told.reclaim());
                None
            }
            Lent::All(report) => Some(reclaim(report)),
        };
        let mut error = Arc::into_inner(self.error).expect("nobody holds what was lent");
        if let (Some(left), Some(report)) = (left, error.as_any_mut().downcast_mut()) {
            *report = left;
        }
        (self.inject)(error)
    }

    fn tell(self: Box<Self>) {
        let report = self.report();
        let Self {
            error,
            lent,
            phase,
            label,
            entries,
            ..
        } = *self;
        drop(lent);
        // All that is in it, unless somebody still looks at it.
        let entries = match Arc::try_unwrap(error) {
            Ok(error) if !(&error as &dyn Any).is::<Report>() => entries(error),
            _ => Entry::split(report),
        };
        tell_entries(entries, phase, &label);
    }
}
