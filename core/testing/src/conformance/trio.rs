//! The behavior of trio's cancel scopes and nurseries that no other area has a case for, each named for the test of trio that it is made after.
//!
//! `docs/cancellation.md` has the table, with what is decided by types and what is different.

mod closing;
mod nursery;

pub use closing::*;
pub use nursery::*;
