//! The twin of `anyhow.rs` without the feature: nothing is seen.

use std::any::Any;
use std::error::Error;

pub(super) fn find<E: Error + Send + Sync + 'static>(_: &dyn Any) -> Option<&E> {
    None
}

pub(super) fn as_error(_: &dyn Any) -> Option<&(dyn Error + 'static)> {
    None
}
