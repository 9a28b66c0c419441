//! The gallery and its command.

mod command;
mod manual;
mod tour;

#[cfg(unix)]
mod signals;
