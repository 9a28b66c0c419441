//! An error of one member of a composite: lent to the exits of the others as it is, and given to the caller as the composite's.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::failure::{Failed, Fault, Told, as_error};
use crate::report::{Entries, Entry, Label, Phase, Report, What};
use crate::slot::{reclaim, tell_entries};

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
        let lent: Arc<dyn Fault> = match (*error).as_any().downcast_ref::<Report>() {
            // Of the error of an enter nothing is suppressed, so that an exit marks only a copy.
            Some(report) if phase == Phase::Enter => Arc::new(report.clone()),
            _ => error.clone(),
        };
        let entry = Entry::new(What::Failed(lent, as_error)).at(phase, &label);
        Self(Box::new(Owing {
            error,
            told: Failed::new(Told(entry)),
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

struct Owing<Y, X> {
    error: Arc<Y>,
    /// The same error in the form in which it is lent.
    told: Arc<Failed<Told>>,
    phase: Phase,
    label: Label,
    /// Makes of it the error of the composite.
    inject: fn(Y) -> X,
    entries: Entries<Y>,
}

impl<Y: Fault, X> Owed<X> for Owing<Y, X> {
    fn lend(&self) -> Arc<Failed<dyn Fault>> {
        self.told.clone()
    }

    fn report(&self) -> Report {
        match (*self.error).as_any().downcast_ref::<Report>() {
            Some(report) => report.clone().without_handled(),
            None => Report::from_entry(self.told.error.0.clone()),
        }
    }

    fn take(self: Box<Self>) -> X {
        drop(self.told.reclaim());
        let error = Arc::into_inner(self.error).expect("nobody holds what was lent");
        // Less what an exit has picked out of a report.
        (self.inject)(reclaim(Failed::new(error)))
    }

    fn tell(self: Box<Self>) {
        let report = self.report();
        let Self {
            error,
            told,
            phase,
            label,
            entries,
            ..
        } = *self;
        drop(told);
        // All that is in it, unless somebody still looks at it.
        let entries = match Arc::try_unwrap(error) {
            Ok(error) if !(&error as &dyn Any).is::<Report>() => entries(error),
            _ => Entry::split(report),
        };
        tell_entries(entries, phase, &label);
    }
}
