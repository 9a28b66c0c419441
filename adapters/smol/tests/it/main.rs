//! The conformance suite on smol, and what only smol can show.

mod executors;

use withal_smol::Launcher;

withal_testing::conformance!(smol: Launcher::new());
