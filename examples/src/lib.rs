//! The gallery: what people do with async scopes, each example written once and run on every runtime.
//!
//! Each example is one file in `src/gallery`, with its parts in a folder beside it if it is larger, made to be copied: read [`resource`](gallery) first.
//! The command shows them:
//!
//! ```text
//! cargo run -p withal-examples                                # everything, on every runtime
//! cargo run -p withal-examples -- list
//! cargo run -p withal-examples -- run resource --runtime smol
//! ```
//!
//! # Adding an example
//!
//! Write `src/gallery/<name>.rs` with a `TITLE`, the `TRANSCRIPT` that it must give and an async `run`; in `src/gallery.rs` declare it and add its line to the list.
//! The tests and the command find it there.

mod difference;
mod example;
pub mod gallery;
mod host;
mod table;
mod tour;
mod transcript;

pub use example::{Example, Label};
pub use host::{Ended, Host, RUNTIMES, Start};
pub use tour::{Toured, tour};
pub use transcript::Transcript;
