//! What a drain waits for at the root.

use std::future::pending;
use std::time::Duration;

use withal_core::{Entry, ScopeExt, acquire, drained, timeout, unfinished};
use withal_testing::{poll_once, run, yield_now};

const FOREVER: Duration = Duration::from_secs(1 << 30);

/// Whether something is known that was entered on a line of this file.
fn is_known(line: u32) -> bool {
    let here = |entry: &Entry| {
        let at = entry.location();
        at.is_some_and(|at| at.file() == file!() && at.line() == line)
    };
    unfinished().iter().any(here)
}

/// Before something was entered inside of a timeout there is nothing to wait for.
#[test]
fn a_timeout_is_known_once_something_was_entered_inside() {
    run(|rt| async move {
        let body = async {
            yield_now().await;
            let scope = acquire(async || Ok::<_, String>(()))
                .release(async |(), _| Ok::<_, String>(yield_now().await));
            scope.using(async |()| pending::<()>().await).await
        };
        let line = line!() + 1;
        let mut timed = Box::pin(timeout(&rt, FOREVER, body));
        assert!(poll_once(&mut timed).await.is_pending());
        assert!(!is_known(line));
        assert!(poll_once(&mut timed).await.is_pending());
        assert!(is_known(line));
        drop(timed);
        drained().await;
        assert!(!is_known(line));
    });
}
