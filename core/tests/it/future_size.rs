//! What a scope adds to the future around it.

use withal_core::{ScopeExt, sync};

/// Beyond body, captures and guard.
const BUDGET: usize = 128;

#[test]
fn a_scope_adds_little_to_its_body() {
    let body = async |n: &mut u64| {
        let kept = [*n; 25];
        std::future::ready(()).await;
        kept.len()
    };
    let size = size_of_val(&body(&mut 1));
    let around = size_of_val(&sync(1_u64).using(body));
    let guard = size_of::<u64>();
    assert!(around <= size + guard + BUDGET, "{around} around {size}");
}

#[test]
fn levels_add_up_and_do_not_multiply() {
    let one = sync(1_u64).using(async |n| *n);
    let three = sync(1_u64).using(async |a| {
        sync(*a)
            .using(async |b| sync(*b).using(async |c| *c).await)
            .await
    });
    let (one, three) = (size_of_val(&one), size_of_val(&three));
    assert!(three <= one + 2 * (BUDGET + 8), "{three} around {one}");
}
