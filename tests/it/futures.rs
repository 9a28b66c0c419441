//! Feature `futures`.

use withal::futures::Launcher;

use crate::program;

#[test]
fn the_program_is_the_same_on_the_executors_of_futures() {
    program::check(&Launcher::new());
}
