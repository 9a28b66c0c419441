//! What the attribute `#[main]` makes `main` return.

use std::process::{ExitCode, Termination};

use super::Shutdown;

/// How a program has ended: by itself, or by a signal.
///
/// As what `main` returns it is what the program itself has returned; after a signal, the text of [`Shutdown`] goes to stderr and the exit code is 130.
#[derive(Debug)]
pub struct Ended<T>(Result<T, Shutdown>);

impl<T> From<Result<T, Shutdown>> for Ended<T> {
    fn from(ended: Result<T, Shutdown>) -> Self {
        Self(ended)
    }
}

impl<T: Termination> Termination for Ended<T> {
    fn report(self) -> ExitCode {
        match self.0 {
            Ok(value) => value.report(),
            Err(shutdown) => {
                eprintln!("{shutdown}");
                ExitCode::from(130)
            }
        }
    }
}
