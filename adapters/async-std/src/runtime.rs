//! The runtime as a value.

use withal_core::Runtime;

/// The async-std runtime: its global executor, its reactor, its blocking pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStd;

impl Runtime for AsyncStd {
    const NAME: &'static str = "async-std";
}
