//! The runtime as a value.

use withal_core::Runtime;

/// The smol runtime: its global executor, its reactor, its blocking pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

impl Runtime for Smol {
    const NAME: &'static str = "smol";
}
