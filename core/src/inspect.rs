//! What is open now, and what was left unclosed: for a program that hangs, or leaks, in production.
//!
//! With the feature `inspect` every scope is listed in a register while it is open: from its enter to the end of its exit, wherever that runs.
//! [`inventory`] reads the register, as a tree that can be printed and as data; [`leaks`] says which source lines made something that was left unclosed.
//! Serve them at an admin endpoint, or print them when a shutdown takes too long.
//!
//! # Examples
//!
//! ```
//! # use withal_core as withal;
//! use withal::{Phase, ScopeExt, inspect, null};
//!
//! # withal_testing::block_on(async {
//! let Ok(()) = null(()).named("server").using(async |()| {
//!     let Ok(()) = null(()).named("session").using(async |()| {
//!         let open = inspect::inventory();
//!         println!("{open}");
//!         // `server` (src/main.rs:7:39): body, 4.2s
//!         //   `session` (src/main.rs:8:44): body, 1.1s
//!         let session = open.scopes().find(|scope| scope.name() == "session").unwrap();
//!         assert_eq!(session.phase(), Phase::Body);
//!         assert_eq!(session.location().file(), file!());
//!         assert_eq!(session.parent().unwrap().name(), "server");
//!     }).await;
//! }).await;
//! # });
//! ```
//!
//! # What it costs
//!
//! Without the feature nothing: no instruction and no byte.
//! With it a scope costs about 50 ns more, half of which is a look at the clock, and no allocation: places are reused, and threads do not share locks.
//! A further poll of a scope costs nothing more.
//! A scope allocates for its name if that was made at run time (`.named(format!(..))`), or if it is composed of scopes with names.
//! `docs/costs.md` has the figures, and the command that measures them.
//!
//! # What it does not show
//!
//! * A future of `with` that was not polled yet has not entered anything, and is not open.
//! * Scopes come and go while the register is read: a scope may be there without the one around it.
//!   What is open from before the call until after it is always there.
//! * Members of a tuple and of an array are one scope with it.
//!
//! The clock is [`std::time::Instant`], on every runtime: this is about the process, and not about the time in which a test plays.

mod inventory;
mod leak;
mod register;

pub use inventory::{Inventory, OpenScope, inventory};
pub use leak::{Leak, leaks};

pub(crate) use leak::unclosed;
pub(crate) use register::Listing;
