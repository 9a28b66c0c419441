//! Which runtimes are enabled: two macros for each, of which one gives its items back and the other one nothing. By them the attribute `test` writes its tests.

#[cfg(feature = "async-std")]
pub use crate::{__here as on_async_std, __nowhere as off_async_std};
#[cfg(not(feature = "async-std"))]
pub use crate::{__here as off_async_std, __nowhere as on_async_std};

#[cfg(feature = "futures")]
pub use crate::{__here as on_futures, __nowhere as off_futures};
#[cfg(not(feature = "futures"))]
pub use crate::{__here as off_futures, __nowhere as on_futures};

#[cfg(feature = "smol")]
pub use crate::{__here as on_smol, __nowhere as off_smol};
#[cfg(not(feature = "smol"))]
pub use crate::{__here as off_smol, __nowhere as on_smol};

#[cfg(feature = "tokio")]
pub use crate::{__here as on_tokio, __nowhere as off_tokio};
#[cfg(not(feature = "tokio"))]
pub use crate::{__here as off_tokio, __nowhere as on_tokio};

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
