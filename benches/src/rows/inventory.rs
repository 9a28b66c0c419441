//! What may the inventory cost each scope?

/// In nanoseconds, beside what the scope costs; no allocation.
pub(super) const TIME: f64 = 60.0;
