#![deny(unused_must_use)]

use std::future::pending;
use std::io;
use std::time::Duration;
use withal_core::{ScopeExt, acquire, sync, timeout, until, using, with, with_report};

fn forgetful(rt: &withal_testing::Manual) {
    with(sync(1), async |n| io::Result::Ok(*n));
    using(sync(1), async |n| *n);
    with_report(sync(1), async |n| io::Result::Ok(*n));
    sync(1).with(async |n| io::Result::Ok(*n));
    sync(1).using(async |n| *n);
    sync(1).open();
    timeout(rt, Duration::ZERO, async {});
    until(pending(), async {});
}

fn only_made() {
    sync(1);
    sync(1).named("a");
    acquire(async || io::Result::Ok(1));
}

fn main() {}
