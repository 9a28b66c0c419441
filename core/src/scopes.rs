//! Ready-made scopes.

pub(crate) mod acquire;
pub(crate) mod backoff;
pub(crate) mod closing;
pub(crate) mod escalate;
pub(crate) mod plain;
pub(crate) mod suppress;
