//! A function provides once: the second time does not compile.

use withal::{Never, Provide, scope_fn};

fn main() {
    let _ = scope_fn(async |p: Provide<u8>| {
        p.provide(1).await;
        p.provide(2).await;
        Ok::<_, Never>(())
    });
}
