//! [`withal`](https://docs.rs/withal) on tokio, multi-thread and current-thread.
//!
//! [`Tokio`] is the runtime as a value, for use inside of any tokio program: `#[tokio::main]` and `#[tokio::test]` need nothing else.
//! [`Launcher`] owns a runtime and runs a whole program on it.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//! use withal_core::{Launch, timeout};
//! use withal_tokio::{Launcher, Tokio};
//!
//! let main = async { timeout(&Tokio, Duration::from_secs(5), async { 42 }).await.ok() };
//! assert_eq!(Launcher::multi_thread()?.run(main).ok(), Some(Some(42)));
//! # std::io::Result::Ok(())
//! ```

mod blocking;
mod launch;
mod runtime;
mod signals;
mod spawn;
mod timer;

pub use launch::Launcher;
pub use runtime::Tokio;
pub use timer::Sleep;
