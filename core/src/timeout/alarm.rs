//! The deadline of a timeout, as a signal.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::outcome::Reason;
use crate::runtime::Timer;

use super::elapsed::Allowed;

/// What a timeout asks its signal.
pub(super) trait Strikes: Future<Output = Reason> {
    type Timer: Timer;

    fn timer(&self) -> &Self::Timer;

    /// When it has struck, and how much time there was.
    fn struck(&self) -> Option<(Duration, Allowed)>;
}

#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    After(Duration),
    At(Duration),
}

pin_project! {
    /// A deadline that stays where it is; a time is counted from the first poll.
    pub(crate) struct Alarm<R: Timer> {
        timer: R,
        when: When,
        #[pin]
        sleep: Option<R::Sleep>,
        // When it was over.
        struck: Option<Duration>,
    }
}

impl<R: Timer> Alarm<R> {
    #[inline(always)]
    pub(super) fn new(timer: R, when: When) -> Self {
        Self {
            timer,
            when,
            sleep: None,
            struck: None,
        }
    }
}

impl<R: Timer> Future for Alarm<R> {
    type Output = Reason;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reason> {
        let mut me = self.project();
        if me.sleep.is_none() {
            let sleep = match *me.when {
                When::After(limit) => me.timer.sleep(limit),
                When::At(deadline) => me.timer.sleep_until(deadline),
            };
            me.sleep.set(Some(sleep));
        }
        if let Some(sleep) = me.sleep.as_mut().as_pin_mut() {
            ready!(sleep.poll(cx));
        }
        *me.struck = Some(me.timer.now());
        Poll::Ready(Reason::Timeout)
    }
}

impl<R: Timer> Strikes for Alarm<R> {
    type Timer = R;

    #[inline(always)]
    fn timer(&self) -> &R {
        &self.timer
    }

    #[inline(always)]
    fn struck(&self) -> Option<(Duration, Allowed)> {
        let allowed = match self.when {
            When::After(limit) => Allowed::After(limit),
            When::At(_) => Allowed::At,
        };
        Some((self.struck?, allowed))
    }
}
