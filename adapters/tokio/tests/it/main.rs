//! What only tokio can show; the semantics are in the conformance suite.

mod stress;
