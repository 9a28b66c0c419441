//! What does a root scope pay once, at its first suspension, for a home and an entry in the register?

use std::hint::black_box;

use withal_core::with;

use crate::permit::{Permit, Permits, Refused, drive, give_back, suspend};

async fn body(permit: &mut Permit) -> Result<u64, Refused> {
    suspend(1).await;
    permit.work()
}

async fn acquire_try_release(number: u64) -> Result<u64, Refused> {
    let mut permit = Permit::take(number)?;
    let result = body(&mut permit).await;
    let given_back = give_back(permit, result.is_ok()).await;
    let value = result?;
    given_back?;
    Ok(value)
}

#[inline(never)]
pub(super) fn by_hand(n: u64) {
    for number in 0..n {
        let _ = black_box(drive(acquire_try_release(black_box(number))));
    }
}

async fn scoped(number: u64) -> Result<u64, Refused> {
    with(Permits(number), body).await
}

#[inline(never)]
pub(super) fn withal(n: u64) {
    for number in 0..n {
        let _ = black_box(drive(scoped(black_box(number))));
    }
}
