//! What the protocol promises to those who write against it: types that are inferred, futures that are `Send`, errors that are not lost.

#[cfg(feature = "anyhow")]
mod anyhow_errors;
mod app_error;
mod auto_traits;
mod backoff;
mod borrowing;
mod boxed;
mod broken;
mod by_hand;
mod cancel_handle;
mod child;
mod closures;
mod compose_choice;
mod compose_enters;
mod compose_exits;
mod compose_join;
mod compose_lazy;
mod compose_send;
mod compose_then;
mod compose_views;
#[cfg(not(feature = "tracing"))]
mod default_hook;
#[cfg(feature = "tracing")]
mod default_hook_event;
mod double_failure;
mod escalate;
mod function;
mod future_size;
mod generic;
mod inference;
#[cfg(feature = "inspect")]
mod inventory;
#[cfg(feature = "inspect")]
mod inventory_ends;
#[cfg(feature = "inspect")]
mod inventory_stack;
mod kept;
mod laws_of_composition;
#[cfg(feature = "inspect")]
mod leaks;
mod location;
mod names;
mod open;
mod raise;
mod releasing;
mod roots;
mod sample;
mod send;
#[cfg(feature = "tracing")]
mod spans;
mod spawned;
mod stack;
mod stack_scale;
mod step;
mod suppress;
mod ui;
mod verdict;
mod views;
