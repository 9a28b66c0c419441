//! Looking into `anyhow::Error`.

use std::any::Any;
use std::error::Error;

use crate::report::Report;

/// The `E` in an `anyhow::Error`: a context, the error, or one of its causes.
pub(super) fn find<E: Error + Send + Sync + 'static>(error: &dyn Any) -> Option<&E> {
    let error = error.downcast_ref::<anyhow::Error>()?;
    // The first look also finds a context; the second the causes below it.
    error
        .downcast_ref()
        .or_else(|| error.chain().find_map(|cause| cause.downcast_ref()))
}

pub(super) fn as_error(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    Some(&**error.downcast_ref::<anyhow::Error>()?)
}

/// The error as it is, if it is the only one and an `anyhow::Error`; else all of them.
impl From<Report> for anyhow::Error {
    fn from(report: Report) -> Self {
        report
            .downcast()
            .unwrap_or_else(|report| Self::from_boxed(report.into_error()))
    }
}
