//! Which runtimes are enabled: a macro for each, by which the attribute `test` writes its tests, or none.

#[cfg(feature = "async-std")]
pub use crate::__here as on_async_std;
#[cfg(not(feature = "async-std"))]
pub use crate::__nowhere as on_async_std;

#[cfg(feature = "futures")]
pub use crate::__here as on_futures;
#[cfg(not(feature = "futures"))]
pub use crate::__nowhere as on_futures;

#[cfg(feature = "smol")]
pub use crate::__here as on_smol;
#[cfg(not(feature = "smol"))]
pub use crate::__nowhere as on_smol;

#[cfg(feature = "tokio")]
pub use crate::__here as on_tokio;
#[cfg(not(feature = "tokio"))]
pub use crate::__nowhere as on_tokio;

#[cfg(not(any(
    feature = "tokio",
    feature = "smol",
    feature = "async-std",
    feature = "futures"
)))]
pub use crate::__here as on_none;
#[cfg(any(
    feature = "tokio",
    feature = "smol",
    feature = "async-std",
    feature = "futures"
))]
pub use crate::__nowhere as on_none;

#[doc(hidden)]
#[macro_export]
macro_rules! __here {
    ($($item:item)*) => { $($item)* };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __nowhere {
    ($($item:item)*) => {};
}
