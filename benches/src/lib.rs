//! What withal costs, beside hand-written code: the contenders.
//!
//! `cargo run --release -p withal-benches` measures them; times are reported, never tested.
//! What can be counted exactly (allocations, bytes, polls) is held to its budget by the binary and by the tests.

pub mod entries;
pub mod orphans;
pub mod peers;
pub mod permit;
pub mod rows;
pub mod sizes;
pub mod stack;
