//! What does each level of nesting cost at every poll? Here `n` is the number of polls of one future.

use std::hint::black_box;

use withal_core::with;

use crate::permit::{Permit, Permits, Refused, drive, give_back, suspend};

pub(super) const LEVELS: u32 = 4;

async fn body(permit: &mut Permit, n: u64) -> Result<u64, Refused> {
    suspend(n).await;
    permit.work()
}

async fn four_by_hand(n: u64) -> Result<u64, Refused> {
    let a = Permit::take(1)?;
    let b = Permit::take(2)?;
    let c = Permit::take(3)?;
    let mut d = Permit::take(4)?;
    let result = body(&mut d, n).await;
    let success = result.is_ok();
    for permit in [d, c, b, a] {
        give_back(permit, success).await?;
    }
    result
}

#[inline(never)]
pub(super) fn by_hand(n: u64) {
    let _ = black_box(drive(four_by_hand(black_box(n))));
}

async fn four_scopes(n: u64) -> Result<u64, Refused> {
    with(Permits(1), async |_| {
        with(Permits(2), async |_| {
            with(Permits(3), async |_| {
                with(Permits(4), async |d| body(d, n).await).await
            })
            .await
        })
        .await
    })
    .await
}

#[inline(never)]
pub(super) fn withal(n: u64) {
    let _ = black_box(drive(four_scopes(black_box(n))));
}
