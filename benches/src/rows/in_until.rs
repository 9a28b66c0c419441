//! What does a signal that does not come add to a scope?

use std::future::pending;
use std::hint::black_box;

use withal_core::{Interrupted, until, with};

use crate::permit::{Permit, Permits, Refused, drive};

async fn body(permit: &mut Permit) -> Result<u64, Refused> {
    permit.work()
}

async fn guarded(number: u64) -> Result<Result<u64, Refused>, Interrupted> {
    until(pending(), with(Permits(number), body)).await
}

#[inline(never)]
pub(super) fn withal(n: u64) {
    for number in 0..n {
        let _ = black_box(drive(guarded(black_box(number))));
    }
}
