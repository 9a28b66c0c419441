//! The runtime as a value.

use withal_core::Runtime;

/// The tokio runtime around the caller.
///
/// # Panics
///
/// Its methods panic outside of a tokio runtime, or in one without timers or IO.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Runtime for Tokio {
    const NAME: &'static str = "tokio";
}
