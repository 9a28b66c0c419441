//! What the facade promises: each feature alone gives its module, and no feature changes what another one does.
//!
//! `ci/features` runs these tests with no feature, with each one alone, and with all of them.

mod bare;

#[cfg(feature = "macros")]
mod macros;

#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "smol")]
mod smol;

#[cfg(feature = "async-std")]
mod async_std;

#[cfg(feature = "futures")]
mod futures;

#[cfg(feature = "fs")]
mod fs;

#[cfg(feature = "anyhow")]
mod anyhow;

#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "inspect")]
mod inspect;

#[cfg(all(
    feature = "tokio",
    feature = "smol",
    feature = "async-std",
    feature = "futures",
    feature = "fs"
))]
mod all;

/// One program, whose transcript is the same everywhere.
mod program;
