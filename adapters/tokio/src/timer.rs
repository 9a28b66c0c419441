//! Timers: tokio's own, which can be paused.

use std::fmt;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::{Unconstrained, unconstrained};
use tokio::time::Instant;
use withal_core::Timer;

use crate::Tokio;

/// The epoch of the timer. It lies in the past, for the paused clock of another runtime may be behind.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(|| {
        let now = Instant::now();
        now.checked_sub(Duration::from_secs(3600)).unwrap_or(now)
    })
}

pin_project! {
    /// The future of [`Timer::sleep_until`].
    ///
    /// It takes no part in tokio's budget: a body that uses it up in each poll would never be told that its time is over.
    #[must_use = "futures do nothing unless polled"]
    pub struct Sleep {
        #[pin]
        sleep: Option<Unconstrained<tokio::time::Sleep>>,
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project().sleep.as_pin_mut() {
            Some(sleep) => sleep.poll(cx),
            // Beyond what the clock can tell.
            None => Poll::Pending,
        }
    }
}

impl Timer for Tokio {
    type Sleep = Sleep;

    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(epoch())
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        Sleep {
            sleep: epoch()
                .checked_add(at)
                .map(|at| unconstrained(tokio::time::sleep_until(at))),
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}
