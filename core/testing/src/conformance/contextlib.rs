//! The behavior of Python's `contextlib`, case by case: each is named for the test of `CPython` that it is made after.
//!
//! `docs/contextlib.md` has the table, with what is decided by types and what is different.

mod chaining;
mod decorators;
mod managers;
mod neighbours;
mod stack;
mod suppress;

pub use chaining::*;
pub use decorators::*;
pub use managers::*;
pub use neighbours::*;
pub use stack::*;
pub use suppress::*;
