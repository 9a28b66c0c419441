//! Random programs of users of shared scopes.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::program::End;

/// What an enter or an exit does: it suspends so many times, and ends so.
pub(crate) type Plan = (usize, End);

/// One use of a shared scope.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) which: usize,
    pub(crate) before: usize,
    pub(crate) inside: usize,
    pub(crate) cut: Option<(Cut, usize)>,
    pub(crate) more: Option<(More, Box<Use>)>,
    pub(crate) end: End,
}

impl Use {
    /// Changes it and those inside of it.
    pub(crate) fn change(&mut self, change: &impl Fn(&mut Self)) {
        change(self);
        if let Some((_, inner)) = &mut self.more {
            inner.change(change);
        }
    }
}

/// How a use is stopped after so many polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Dropped,
    Cancelled,
}

/// What a body does beside waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    /// It uses a scope.
    Nests,
    /// It uses a scope, and swaps the guards.
    Swaps,
}

/// What the generations of each scope do, what each user does, and in which order they are polled at the beginning.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) scopes: Vec<Vec<(Plan, Plan)>>,
    pub(crate) users: Vec<Vec<Use>>,
    pub(crate) schedule: Vec<usize>,
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![6 => Just(End::Well), 2 => Just(End::Fails), 1 => Just(End::Panics)]
}

fn uses() -> impl Strategy<Value = Use> {
    let cut = prop_oneof![Just(Cut::Dropped), Just(Cut::Cancelled)];
    let cut = proptest::option::weighted(0.3, (cut, 0..8_usize));
    let one = (0..3_usize, 0..4_usize, 0..4_usize, cut, ends());
    let one = one.prop_map(|(which, before, inside, cut, end)| Use {
        which,
        before,
        inside,
        cut,
        more: None,
        end,
    });
    let one = one.boxed();
    let leaf = one.clone();
    leaf.prop_recursive(2, 3, 1, move |inner| {
        let more = prop_oneof![Just(More::Nests), Just(More::Swaps)];
        (one.clone(), more, inner).prop_map(|(one, more, inner)| Use {
            more: Some((more, Box::new(inner))),
            ..one
        })
    })
}

/// Programs with at most so many users, each of whom uses at most so many scopes one after the other.
pub(crate) fn programs(users: usize, times: usize) -> impl Strategy<Value = Program> {
    let plan = || (0..3_usize, ends());
    let program = (
        vec(vec((plan(), plan()), 0..6), 1..=3),
        vec(vec(uses(), 0..=times), 1..=users),
        vec(0..users, 0..30),
    );
    program.prop_map(|(scopes, users, schedule)| Program {
        scopes,
        users,
        schedule,
    })
}
