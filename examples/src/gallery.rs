//! The list of all examples.

mod combined;
mod coordinated;
mod decorated;
mod exit_fails;
mod explicit_close;
mod fake_connection;
mod file;
mod handler;
mod hang;
mod lock;
mod measured;
mod nested;
mod normal_exit_is_not_suppression;
mod resource;
mod sees_error;
mod serve;
mod server;
mod stack_conditional;
mod stack_loop;
mod suppress_one;
mod temp_dir;
mod timeout;
mod timeout_order;
mod timer;
mod wait;
mod yielded_value;

use withal::Runtime;
use withal::smol::Smol;

use crate::{Example, Label};

/// Makes an [`Example`] of a module of this gallery.
macro_rules! example {
    ($id:literal, $name:ident) => {
        Example::new(
            Label {
                id: $id,
                name: stringify!($name),
                title: $name::TITLE,
                transcript: $name::TRANSCRIPT,
                interactive: false,
            },
            |rt, out| Box::pin(async move { $name::run(&rt, &out).await }),
        )
    };
}

/// Every example, on the runtime `R`.
pub fn gallery<R: Runtime>() -> Vec<Example<R>> {
    vec![
        example!("A1", resource),
        example!("A2", decorated),
        example!("A3", timer),
        example!("A4", fake_connection),
        example!("A5", yielded_value),
        example!("A6", explicit_close),
        example!("A7", measured),
        example!("B1", sees_error),
        example!("B2", suppress_one),
        example!("B3", handler),
        example!("B4", normal_exit_is_not_suppression),
        example!("B5", exit_fails),
        example!("C1", nested),
        example!("C2", stack_loop),
        example!("C3", stack_conditional),
        example!("C4", combined),
        example!("C5", coordinated),
        example!("D1", file),
        example!("D3", temp_dir),
        example!("G1", lock),
        example!("H1", timeout),
        example!("H2", timeout_order),
        example!("J1", server),
        example!("X1", wait).interactive(),
        example!("X2", hang).interactive(),
        example!("X3", serve).interactive(),
    ]
}

/// The labels of all examples, which are the same on every runtime.
pub fn labels() -> Vec<Label> {
    gallery::<Smol>().iter().map(Example::label).collect()
}
