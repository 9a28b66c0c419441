//! Async resource scopes: acquire, use, release, guaranteed, on every runtime.

pub use withal_core::*;

#[cfg(feature = "tokio")]
#[doc(inline)]
pub use withal_tokio as tokio;

#[cfg(feature = "smol")]
#[doc(inline)]
pub use withal_smol as smol;

#[cfg(feature = "fs")]
#[doc(inline)]
pub use withal_fs as fs;
