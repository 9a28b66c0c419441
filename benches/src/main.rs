//! What withal costs.
fn main() {}
