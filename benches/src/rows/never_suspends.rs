//! Does a scope around a guard that releases in its `Drop` cost next to nothing?

use std::hint::black_box;

use withal_core::{sync, with};

use crate::permit::{Permit, Refused, drive};

async fn body(permit: &mut Permit) -> Result<u64, Refused> {
    permit.work()
}

async fn acquire_try_release(number: u64) -> Result<u64, Refused> {
    let mut permit = Permit::take(number)?;
    let result = body(&mut permit).await;
    drop(permit);
    result
}

#[inline(never)]
pub(super) fn by_hand(n: u64) {
    for number in 0..n {
        let _ = black_box(drive(acquire_try_release(black_box(number))));
    }
}

async fn scoped(number: u64) -> Result<u64, Refused> {
    with(sync(Permit::take(number)?), body).await
}

#[inline(never)]
pub(super) fn withal(n: u64) {
    for number in 0..n {
        let _ = black_box(drive(scoped(black_box(number))));
    }
}
