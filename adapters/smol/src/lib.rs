//! [`withal`](https://docs.rs/withal) on smol.
//!
//! [`Smol`] is the runtime as a value, for use inside of any smol program: `smol::block_on` needs nothing else.
//! [`Launcher`] runs a whole program.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//! use withal_core::{Launch, timeout};
//! use withal_smol::{Launcher, Smol};
//!
//! let main = async { timeout(&Smol, Duration::from_secs(5), async { 42 }).await.ok() };
//! assert_eq!(Launcher::new().run(main).ok(), Some(Some(42)));
//! ```

mod blocking;
mod launch;
mod runtime;
mod signals;
mod spawn;
mod timer;

pub use launch::Launcher;
pub use runtime::Smol;
pub use timer::Sleep;
