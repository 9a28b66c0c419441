//! What does a deadline that does not strike add to a scope?

use std::future::{Pending, pending};
use std::hint::black_box;
use std::time::Duration;

use withal_core::{Elapsed, Timer, timeout, with};

use crate::permit::{Permit, Permits, Refused, drive};

/// A timer without a clock: this row is about the timeout, not about a runtime's timer.
#[derive(Clone, Copy)]
struct Idle;

impl Timer for Idle {
    type Sleep = Pending<()>;

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep_until(&self, _: Duration) -> Pending<()> {
        pending()
    }
}

async fn body(permit: &mut Permit) -> Result<u64, Refused> {
    permit.work()
}

async fn timed(number: u64) -> Result<Result<u64, Refused>, Elapsed> {
    timeout(&Idle, Duration::from_secs(1), with(Permits(number), body)).await
}

#[inline(never)]
pub(super) fn withal(n: u64) {
    for number in 0..n {
        let _ = black_box(drive(timed(black_box(number))));
    }
}
