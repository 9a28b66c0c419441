//! Random programs: what a body does with its stack.

use proptest::collection::vec;
use proptest::prelude::*;

/// What the body of a stack does, one after the other.
pub(crate) type Steps = Vec<Step>;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Add(Add),
    /// A stack inside of this one.
    Inner {
        how: Inner,
        steps: Steps,
        /// Whether it is closed by hand at the end of its steps; else the outer one does it.
        closed: bool,
    },
    /// All entries go to a new stack, which is closed, or entered here.
    Take {
        closed: bool,
    },
    /// Something is done with one of the entries that have a key: with this one of so many as there are.
    Lease {
        which: usize,
        deed: Deed,
    },
    /// The body fails.
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inner {
    Fork,
    Nest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Close,
    /// It is taken out and pushed again.
    Dismiss,
    /// It is moved to the stack around this one, or to the top of this one if there is none.
    Transfer,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Add {
    pub(crate) how: How,
    /// How often enter and exit suspend.
    pub(crate) yields: usize,
    pub(crate) end: End,
    /// Whether its lease lasts until the end of the steps, or the next deed.
    pub(crate) held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Enter,
    Push,
    Defer,
    Callback,
    /// Its enter fails, and with it the body.
    Refuse,
}

/// How an exit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Well,
    Fails,
    Panics,
}

/// Any program.
pub(crate) fn programs() -> impl Strategy<Value = Steps> {
    steps(3)
}

fn steps(depth: u32) -> BoxedStrategy<Steps> {
    vec(step(depth), 0..=5).boxed()
}

fn step(depth: u32) -> BoxedStrategy<Step> {
    let add = add().prop_map(Step::Add);
    let take = any::<bool>().prop_map(|closed| Step::Take { closed });
    let deed = prop_oneof![Just(Deed::Close), Just(Deed::Dismiss), Just(Deed::Transfer)];
    let lease = (0..8_usize, deed).prop_map(|(which, deed)| Step::Lease { which, deed });
    if depth == 0 {
        return prop_oneof![12 => add, 1 => take, 3 => lease, 1 => Just(Step::Fail)].boxed();
    }
    let how = prop_oneof![Just(Inner::Fork), Just(Inner::Nest)];
    let inner = (how, steps(depth - 1), any::<bool>());
    let inner = inner.prop_map(|(how, steps, closed)| Step::Inner { how, steps, closed });
    prop_oneof![12 => add, 1 => take, 3 => lease, 1 => Just(Step::Fail), 3 => inner].boxed()
}

fn add() -> impl Strategy<Value = Add> {
    let how = prop_oneof![
        8 => Just(How::Enter),
        3 => Just(How::Push),
        2 => Just(How::Defer),
        2 => Just(How::Callback),
        1 => Just(How::Refuse),
    ];
    let end = prop_oneof![7 => Just(End::Well), 2 => Just(End::Fails), 1 => Just(End::Panics)];
    (how, 0..=2_usize, end, any::<bool>()).prop_map(|(how, yields, end, held)| Add {
        how,
        yields,
        end,
        held,
    })
}

/// The same program with other steps in the place of each.
pub(crate) fn replaced(steps: &[Step], by: &impl Fn(Step) -> Steps) -> Steps {
    let inner = |step: &Step| match step.clone() {
        Step::Inner { how, steps, closed } => Step::Inner {
            how,
            steps: replaced(&steps, by),
            closed,
        },
        step => step,
    };
    steps.iter().flat_map(|step| by(inner(step))).collect()
}

/// The same program, without the steps that change the order of the entries.
pub(crate) fn in_order(steps: &[Step]) -> Steps {
    replaced(steps, &|step| match step {
        Step::Lease { .. } => Vec::new(),
        step => vec![step],
    })
}

/// The same program, in which nothing fails but what `keep` says.
pub(crate) fn without_faults(steps: &[Step], keep: impl Fn(End) -> bool) -> Steps {
    replaced(steps, &|step| match step {
        Step::Add(add) if add.how == How::Refuse || !keep(add.end) => vec![Step::Add(Add {
            end: End::Well,
            how: match add.how {
                How::Refuse => How::Enter,
                how => how,
            },
            ..add
        })],
        Step::Fail => Vec::new(),
        step => vec![step],
    })
}
