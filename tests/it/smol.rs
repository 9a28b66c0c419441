//! Feature `smol`.

use withal::smol::Launcher;

use crate::program;

#[test]
fn the_program_is_the_same_on_smol() {
    program::check(&Launcher::new());
}
