//! Feature `async-std`.

use withal::async_std::Launcher;

use crate::program;

#[test]
fn the_program_is_the_same_on_async_std() {
    program::check(&Launcher::new());
}
