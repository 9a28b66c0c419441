//! Ready-made scopes.

pub(crate) mod acquire;
pub(crate) mod closing;
pub(crate) mod plain;
pub(crate) mod suppress;
