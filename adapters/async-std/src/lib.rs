//! [`withal`](https://docs.rs/withal) on async-std.
//!
//! [`AsyncStd`] is the runtime as a value, for use inside of any async-std program: `async_std::task::block_on` and `#[async_std::main]` need nothing else.
//! [`Launcher`] runs a whole program.
//!
//! # Maintenance
//!
//! async-std itself is discontinued, and its authors point to smol; the advisory [RUSTSEC-2025-0052] says so, and tools that read advisories will report it.
//! This adapter is for programs that are still on it, and is kept working.
//! Both stand on the same reactor and the same pool for blocking work, so that a new program loses nothing with `withal-smol`.
//!
//! [RUSTSEC-2025-0052]: https://rustsec.org/advisories/RUSTSEC-2025-0052
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//! use withal_async_std::{AsyncStd, Launcher};
//! use withal_core::{Launch, timeout};
//!
//! let main = async { timeout(&AsyncStd, Duration::from_secs(5), async { 42 }).await.ok() };
//! assert_eq!(Launcher::new().run(main).ok(), Some(Some(42)));
//! ```

mod blocking;
mod launch;
mod runtime;
mod signals;
mod spawn;
mod timer;

pub use launch::Launcher;
pub use runtime::AsyncStd;
pub use timer::Sleep;
