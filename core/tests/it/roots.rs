//! What a drain waits for at the root.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use withal_core::{Entry, ScopeExt, acquire, drained, timeout, unfinished};

const FOREVER: Duration = Duration::from_secs(1 << 30);

/// Whether something is known that was entered on a line of this file.
fn is_known(line: u32) -> bool {
    let here = |entry: &Entry| {
        let at = entry.location();
        at.is_some_and(|at| at.file() == file!() && at.line() == line)
    };
    unfinished().iter().any(here)
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Before something was entered inside of a timeout there is nothing to wait for.
#[test]
fn a_timeout_is_known_once_something_was_entered_inside() {
    withal_testing::run(|rt| async move {
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
