//! The conformance suite on both flavours of tokio, and what only tokio can show.

mod abort;
mod homes;

use withal_tokio::Launcher;

withal_testing::conformance!(multi_thread: Launcher::multi_thread().unwrap());
withal_testing::conformance!(current_thread: Launcher::current_thread().unwrap());
