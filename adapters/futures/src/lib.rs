//! [`withal`](https://docs.rs/withal) on the executors of the crate `futures`, with the timers of async-io.
//!
//! [`Futures`] is the runtime as a value, for use inside of any program that runs on `futures::executor`: `block_on`, a `LocalPool` and a `ThreadPool` need nothing else.
//! [`Launcher`] runs a whole program.
//!
//! # Sync bridges
//!
//! The executors of `futures` refuse to be nested: inside of a task on a `ThreadPool`, or of `futures::executor::block_on`, another `futures::executor::block_on` panics.
//! [`Launcher`]'s `block_on` works there, and hides the scopes around it by itself.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//! use withal_core::{Launch, timeout};
//! use withal_futures::{Futures, Launcher};
//!
//! let rt = Futures::new();
//! let main = async { timeout(&rt, Duration::from_secs(5), async { 42 }).await.ok() };
//! assert_eq!(Launcher::new().run(main).ok(), Some(Some(42)));
//! ```

mod blocking;
mod launch;
mod runtime;
mod signals;
mod spawn;
mod timer;

pub use launch::Launcher;
pub use runtime::Futures;
pub use timer::Sleep;
