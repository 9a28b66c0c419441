//! Feature `macros`: what the attributes promise.

mod hygiene;
mod listings;
mod scopes;
mod within;

#[cfg(any(
    feature = "tokio",
    feature = "smol",
    feature = "async-std",
    feature = "futures"
))]
mod trials;

#[cfg(any(feature = "tokio", feature = "smol"))]
mod programs;
