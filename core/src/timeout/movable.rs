//! A deadline that can be moved, as a signal.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::outcome::Reason;
use crate::runtime::Timer;

use super::alarm::Strikes;
use super::deadline::Deadline;
use super::elapsed::Allowed;

pin_project! {
    /// A deadline that can be moved, as a signal.
    pub(crate) struct Movable<R: Timer> {
        deadline: Deadline<R>,
        #[pin]
        sleep: Option<R::Sleep>,
        // Until when that sleeps.
        until: Option<Duration>,
    }

    impl<R: Timer> PinnedDrop for Movable<R> {
        fn drop(this: Pin<&mut Self>) {
            this.deadline.end();
        }
    }
}

impl<R: Timer> Movable<R> {
    pub(super) fn new(deadline: Deadline<R>) -> Self {
        Self {
            deadline,
            sleep: None,
            until: None,
        }
    }

    pub(super) fn deadline(&self) -> &Deadline<R> {
        &self.deadline
    }
}

impl<R: Timer> Future for Movable<R> {
    type Output = Reason;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reason> {
        let mut me = self.project();
        let deadline = &*me.deadline;
        loop {
            let Some(at) = deadline.listen(cx.waker()) else {
                me.sleep.set(None);
                *me.until = None;
                return Poll::Pending;
            };
            if *me.until != Some(at) {
                me.sleep.set(None);
                // A timer may be coarse: what has passed strikes now.
                if deadline.timer().now() < at {
                    me.sleep.set(Some(deadline.timer().sleep_until(at)));
                }
                *me.until = Some(at);
            }
            if let Some(sleep) = me.sleep.as_mut().as_pin_mut() {
                ready!(sleep.poll(cx));
            }
            if deadline.strike(at) {
                return Poll::Ready(Reason::Timeout);
            }
            // It was moved just now.
        }
    }
}

impl<R: Timer> Strikes for Movable<R> {
    type Timer = R;

    fn timer(&self) -> &R {
        self.deadline.timer()
    }

    fn struck(&self) -> Option<(Duration, Allowed)> {
        let (struck, whole) = self.deadline.struck()?;
        Some((struck, Allowed::After(whole)))
    }
}
