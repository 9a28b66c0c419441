//! The behavior of JavaScript's explicit resource management, case by case: each is named for the test of `test262` that it is made after.
//!
//! `docs/contextlib.md` has the table, with what is decided by types and what is different.

mod block;
mod disposing;
mod stack;

pub use block::*;
pub use disposing::*;
pub use stack::*;
