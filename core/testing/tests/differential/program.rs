//! A program for exit stacks, as data: everything that Python's stack and ours can both do.
//!
//! A program is a tree, and every program is a valid one: a step for which there is no stack any more is skipped, see `book.rs`.

use std::error::Error;
use std::fmt;

/// The number of a stack, of an entry or of an error in its program.
pub(crate) type Id = u32;

/// What is done one after the other, in a body or in an exit.
pub(crate) type Steps = Vec<Step>;

/// One thing that is done.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    /// Whether a failure is caught here; else it ends the steps.
    pub(crate) tried: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Adds an entry.
    Add { to: Target, how: How, entry: Entry },
    /// Runs a block with a new stack.
    With(Block),
    /// Runs a block with a stack that is there.
    Reuse(Block),
    /// Makes a stack without a block.
    Make { stack: Id },
    /// Makes a stack that is an entry of another.
    Nest { to: Target, how: Nesting, stack: Id },
    /// Makes an entry of a stack that is there.
    Move { to: Target, how: Moving, stack: Id },
    /// Moves all entries to a new stack: `pop_all`.
    Take { from: Id, into: Id },
    /// Exits all entries; the stack may be used again.
    Close { stack: Id },
    /// Exits all entries, for good.
    Finish { stack: Id },
}

impl Action {
    /// Whether exits may run in it.
    pub(crate) fn may_unwind(&self) -> bool {
        !matches!(
            self,
            Self::Add { .. }
                | Self::Make { .. }
                | Self::Nest { .. }
                | Self::Move { .. }
                | Self::Take { .. }
        )
    }
}

/// A stack, its body, and the error with which the body ends.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) stack: Id,
    pub(crate) steps: Steps,
    pub(crate) end: Option<Oops>,
}

/// The stack to which something is added.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// The one that is unwinding the entry that does this.
    Own,
    Stack(Id),
}

/// How an entry gets into a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Enter,
    EnterSync,
    Push,
    PushSync,
    /// An async callback, which does not see how the body ended.
    Defer,
    /// The same, sync.
    Callback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nesting {
    Enter,
    Push,
    Fork,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moving {
    Enter,
    Push,
}

/// What an entry does when it is entered, and when it exits.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: Id,
    pub(crate) enter_pauses: u32,
    pub(crate) enter_fails: Option<Oops>,
    pub(crate) exit_pauses: u32,
    pub(crate) exit_steps: Steps,
    pub(crate) answer: Answer,
}

/// How an exit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Pass,
    Fail(Oops),
    /// Fails if there is an error.
    Replace(Oops),
    /// Suppresses every error, or those of one kind.
    Suppress(Option<u32>),
}

/// An error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oops {
    pub(crate) kind: u32,
    pub(crate) id: Id,
}

impl fmt::Display for Oops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{}:{}", self.kind, self.id)
    }
}

impl Error for Oops {}

impl How {
    /// Whether the exit sees the error, and so may suppress it.
    pub(crate) fn sees(self) -> bool {
        !matches!(self, Self::Defer | Self::Callback)
    }
}

/// What an interpreter has seen of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// What happened, in order.
    pub(crate) trace: Vec<String>,
    /// For each error that was caught, the errors that have survived until there, in order of time.
    pub(crate) caught: Vec<Vec<Id>>,
}
