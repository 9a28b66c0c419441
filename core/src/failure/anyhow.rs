//! Looking into `anyhow::Error`.

use std::any::Any;
use std::error::Error;

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
