//! Timers: async-io's.

use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use withal_core::Timer;

use crate::Futures;

/// The epoch of the timer.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

pin_project! {
    /// The future of [`Timer::sleep_until`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Sleep {
        #[pin]
        sleep: async_io::Timer,
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx).map(drop)
    }
}

impl Timer for Futures {
    type Sleep = Sleep;

    fn now(&self) -> Duration {
        epoch().elapsed()
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        Sleep {
            sleep: match epoch().checked_add(at) {
                Some(at) => async_io::Timer::at(at),
                // Beyond what the clock can tell.
                None => async_io::Timer::never(),
            },
        }
    }
}
