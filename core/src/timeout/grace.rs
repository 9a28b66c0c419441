//! How long the exits of a timeout may take.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::clock::{Clock, Limit, hide};
use crate::runtime::Timer;

pin_project! {
    /// The time for exits: it starts when the deadline has struck.
    pub(crate) struct Grace<R: Timer> {
        timer: R,
        time: Duration,
        hide: fn(&R) -> Arc<dyn Clock>,
        // When it ends, once it has started.
        by: Option<Duration>,
        #[pin]
        sleep: Option<R::Sleep>,
    }
}

impl<R: Timer> Grace<R> {
    pub(super) fn new(timer: R, time: Duration) -> Self
    where
        R: Clone + Send + Sync + 'static,
    {
        Self {
            timer,
            time,
            hide,
            by: None,
            sleep: None,
        }
    }

    /// Starts, and says when it ends.
    pub(super) fn start(self: Pin<&mut Self>) -> Option<Limit> {
        let me = self.project();
        let limit = Limit::after((me.hide)(me.timer), *me.time)?;
        *me.by = Some(limit.by);
        Some(limit)
    }
}

impl<R: Timer> Future for Grace<R> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut me = self.project();
        if me.sleep.is_none() {
            let sleep = match *me.by {
                Some(by) => me.timer.sleep_until(by),
                None => me.timer.sleep(*me.time),
            };
            me.sleep.set(Some(sleep));
        }
        match me.sleep.as_pin_mut() {
            Some(sleep) => sleep.poll(cx),
            None => Poll::Pending,
        }
    }
}
