//! Feature `tokio`.

use withal::tokio::Launcher;

use crate::program;

#[test]
fn the_program_is_the_same_on_many_threads() {
    program::check(&Launcher::multi_thread().unwrap());
}

#[test]
fn the_program_is_the_same_on_the_current_thread() {
    program::check(&Launcher::current_thread().unwrap());
}
