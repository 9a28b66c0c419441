//! Timers: tokio's own, which can be paused.

use std::fmt;
use std::pin::{Pin, pin};
use std::ptr;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::unconstrained;
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
        sleep: Option<tokio::time::Sleep>,
        // The addresses of the data and of the functions of the waker that tokio has. While it has it, no other waker is there.
        told: (usize, usize),
    }
}

impl Sleep {
    fn new(sleep: Option<tokio::time::Sleep>) -> Self {
        Self {
            sleep,
            told: (0, 0),
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let me = self.project();
        // Beyond what the clock can tell, if there is none.
        let Some(sleep) = me.sleep.as_pin_mut() else {
            return Poll::Pending;
        };
        let waker = cx.waker();
        let told = (waker.data().addr(), ptr::from_ref(waker.vtable()).addr());
        // Mostly it is the same task as before, and the time is not over: that costs tokio more to find out.
        if told == *me.told && !sleep.is_elapsed() {
            return Poll::Pending;
        }
        *me.told = told;
        pin!(unconstrained(sleep)).poll(cx)
    }
}

impl Timer for Tokio {
    type Sleep = Sleep;

    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(epoch())
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        Sleep::new(epoch().checked_add(at).map(tokio::time::sleep_until))
    }

    fn sleep(&self, time: Duration) -> Sleep {
        Sleep::new(Some(tokio::time::sleep(time)))
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}
