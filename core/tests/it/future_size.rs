//! What a scope adds to the future around it.

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use withal_core::{
    CancelHandle, Never, ScopeExt, cancellable, move_on_after, sync, timeout, until, with_local,
};
use withal_testing::Manual;

use crate::sample::Sample;

#[test]
fn each_level_adds_the_same_and_does_not_double_what_is_inside() {
    let one = size_of_val(&sync(1_u64).using(async |n| *n));
    let two = size_of_val(&sync(1_u64).using(async |a| sync(*a).using(async |b| *b).await));
    let three = size_of_val(&sync(1_u64).using(async |a| {
        sync(*a)
            .using(async |b| sync(*b).using(async |c| *c).await)
            .await
    }));
    assert_eq!(three - two, two - one, "{one}, {two}, {three} bytes");
}

/// A future of 8000 bytes and some.
async fn large(n: &u64) -> usize {
    let kept = [*n; 1000];
    ready(()).await;
    kept.len()
}

#[test]
fn a_large_body_is_stored_once() {
    let rt = Manual::new();
    let limit = Duration::from_secs(1);
    let alone = size_of_val(&large(&1));
    let few = 1000;
    let scope = size_of_val(&sync(1).using(async |n| large(n).await));
    assert!(scope < alone + few, "{scope} bytes around {alone}");
    let local = with_local(Sample::<Never>::new(1), async |_| {
        Ok::<_, Infallible>(large(&1).await)
    });
    let local = size_of_val(&local);
    assert!(local < alone + few, "{local} bytes around {alone}");
    let stopped = size_of_val(&cancellable(|_| large(&1)));
    let by_hand = size_of_val(&until(CancelHandle::new().cancelled(), large(&1)));
    assert_eq!(stopped, by_hand);
    assert!(stopped < alone + few, "{stopped} bytes around {alone}");
    let timed = size_of_val(&timeout(&rt, limit, large(&1)));
    assert!(timed < alone + few, "{timed} bytes around {alone}");
    let moved_on = size_of_val(&move_on_after(&rt, limit, large(&1)));
    assert!(moved_on < alone + few, "{moved_on} bytes around {alone}");
}
