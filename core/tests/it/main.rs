//! What the protocol promises to those who write against it: types that are inferred, futures that are `Send`, errors that are not lost.

#[cfg(feature = "anyhow")]
mod anyhow_errors;
mod app_error;
mod auto_traits;
mod borrowing;
mod boxed;
mod broken;
mod child;
mod closures;
#[cfg(not(feature = "tracing"))]
mod default_hook;
#[cfg(feature = "tracing")]
mod default_hook_event;
mod double_failure;
mod future_size;
mod generic;
mod inference;
mod kept;
mod location;
mod names;
mod open;
mod raise;
mod sample;
mod send;
mod spawned;
mod suppress;
mod ui;
mod verdict;
mod views;
