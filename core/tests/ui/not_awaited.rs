#![deny(unused_must_use)]
use std::time::Duration;
use withal_core::{Launch, ScopeExt, acquire, suppress_nothing, sync, timeout, until, using, with, with_local, with_report};

async fn forgetful(rt: withal_testing::Manual) {
    with(sync(1), async |n| std::io::Result::Ok(*n));
    using(sync(1), async |n| *n);
    with_report(sync(1), async |n| std::io::Result::Ok(*n));
    with_local(Local, async |_| std::io::Result::Ok(1));
    sync(1).with(async |n| std::io::Result::Ok(*n));
    sync(1).using(async |n| *n);
    sync(1).with_report(async |n| std::io::Result::Ok(*n));
    sync(1).open();
    timeout(&rt, Duration::ZERO, async {});
    until(std::future::pending(), async {});
    sync(1);
    suppress_nothing();
    sync(1).named("a");
    acquire(async || std::io::Result::Ok(1));
    rt.run(async {});
}

fn main() {}
