//! The error of an application, as applications write it.

use std::io;
use std::num::ParseIntError;

use withal_testing::Injected;

#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error("io: {0}")]
    Io(#[from] io::Error),
    #[error("parse: {0}")]
    Parse(#[from] ParseIntError),
    #[error("traced: {0}")]
    Traced(#[from] Injected),
}
