//! Futures side by side, each with a waker of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::orphan::{Bell, Ready};

/// Futures of one type that are driven side by side; only those that were woken are polled.
pub(super) struct Abreast<F> {
    lanes: Vec<Option<Lane<F>>>,
    left: usize,
    ready: Arc<Ready>,
}

struct Lane<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
    waker: Waker,
}

impl<F: Future> Abreast<F> {
    pub(super) fn new(futures: impl Iterator<Item = F>) -> Self {
        let ready = Arc::<Ready>::default();
        let lane = |(index, future)| {
            let bell = Bell::new(index, &ready);
            bell.wake_by_ref();
            Some(Lane {
                future: Box::pin(future),
                waker: Waker::from(bell.clone()),
                bell,
            })
        };
        let lanes: Vec<_> = futures.enumerate().map(lane).collect();
        Self {
            left: lanes.len(),
            lanes,
            ready,
        }
    }

    /// The next that has ended, and its number; `None` after the last.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, F::Output)>> {
        let waker = cx.waker().clone();
        let (mut turns, old_waker) = {
            let mut ready = self.ready.lock();
            (ready.queue.len(), ready.waker.replace(waker))
        };
        // Outside of the lock: dropping a waker may run anything.
        drop(old_waker);
        while turns > 0 {
            turns -= 1;
            let Some(index) = self.ready.lock().queue.pop_front() else {
                break;
            };
            let Some(lane) = &mut self.lanes[index] else {
                continue;
            };
            lane.bell.silence();
            let mut cx = Context::from_waker(&lane.waker);
            if let Poll::Ready(value) = lane.future.as_mut().poll(&mut cx) {
                self.lanes[index] = None;
                self.left -= 1;
                return Poll::Ready(Some((index, value)));
            }
        }
        if self.left == 0 {
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}
