//! Tests for [`withal`](https://docs.rs/withal): for its own scopes and adapters, and for yours.
//!
//! * [`Manual`] is a runtime on one thread whose clock never waits; [`block_on`] and [`run`] use it.
//! * [`Ledger`] records what scopes do and checks that each exits exactly once, inside out.
//! * [`drop_sweep`] drops a future after 0, 1, 2 … polls; [`fault_sweep()`] fails at every point; [`stress()`] does it all at random on many threads.
//! * [`conformance!`] makes the tests of the whole suite for a runtime adapter.
//! * [`LostErrors`] hears what the lost-error hook hears.
//!
//! The harness is tested itself: [`with_leaky`] loses exits, and a sweep over it must fail.

pub mod conformance;
mod cut;
mod drop_sweep;
mod faults;
mod leaky;
mod ledger;
mod lost;
mod manual;
mod stress;

pub use cut::{CutAfter, caught, cut_after, poll_once, spawn_abortable, yield_now, yield_times};
pub use drop_sweep::{drop_sweep, drop_sweep_and};
pub use faults::{fault_sweep, hush_injected_panics};
pub use leaky::with_leaky;
pub use ledger::{Injected, Ledger, Traced, TracedGuard};
pub use lost::LostErrors;
pub use manual::{Manual, Sleep, block_on, run};
pub use stress::{Stress, stress};
