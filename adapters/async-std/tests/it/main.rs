//! The conformance suite on async-std, and what only async-std can show.

mod tasks;

use withal_async_std::Launcher;

withal_testing::conformance!(async_std: Launcher::new());
