//! How a stack unwinds: one after the other or several at once, and in which time.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, hide};
use crate::runtime::Timer;

/// How a stack unwinds; nothing is allocated for the usual way.
#[derive(Clone, Default)]
pub(super) struct Settings(Option<Arc<Special>>);

#[derive(Clone, Default)]
struct Special {
    at_most: Option<usize>,
    clock: Option<Arc<dyn Clock>>,
    each: Option<Duration>,
    budget: Option<Duration>,
}

impl Settings {
    fn special(&mut self) -> &mut Special {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    pub(super) fn set_at_most(&mut self, at_most: usize) {
        self.special().at_most = Some(at_most.max(1));
    }

    pub(super) fn set_clock<R: Timer + Clone + Send + Sync + 'static>(&mut self, timer: &R) {
        self.special().clock = Some(hide(timer));
    }

    pub(super) fn set_each(&mut self, limit: Duration) {
        self.special().each = Some(limit);
    }

    pub(super) fn set_budget(&mut self, budget: Duration) {
        self.special().budget = Some(budget);
    }

    /// Those of a child: the clock and the deadline of each exit; the budget stays that of the whole.
    pub(super) fn for_child(&self, at_most: Option<usize>) -> Self {
        let mut child = self.clone();
        if self.0.is_some() || at_most.is_some() {
            let special = child.special();
            special.at_most = at_most.map(|at_most| at_most.max(1));
            special.budget = None;
        }
        child
    }

    pub(super) fn is_special(&self) -> bool {
        self.0.is_some()
    }

    /// How many exits may run at once, if they are not to run one after the other.
    pub(super) fn at_most(&self) -> Option<usize> {
        self.0.as_ref()?.at_most
    }

    pub(super) fn clock(&self) -> Option<&Arc<dyn Clock>> {
        self.0.as_ref()?.clock.as_ref()
    }

    pub(super) fn each(&self) -> Option<Duration> {
        self.0.as_ref()?.each
    }

    pub(super) fn budget(&self) -> Option<Duration> {
        self.0.as_ref()?.budget
    }
}
