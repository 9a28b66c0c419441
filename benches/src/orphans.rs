//! How often are adopted orphans polled, if there are many? No more than if each had been spawned.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use withal_core::{Outcome, Propagate, Scope, with};

use crate::permit::{Permits, Refused};

/// How often the exits of orphans were polled.
#[derive(Clone, Copy, Debug)]
pub struct Polls {
    /// How many orphans there were.
    pub orphans: usize,
    /// How often all of them together were polled by the scope that adopted them.
    pub adopted: usize,
    /// How often spawned tasks would have been: once, and once for each wake.
    pub spawned: usize,
}

impl Polls {
    /// Whether adopting costs no more polls than spawning.
    pub fn is_within(&self) -> bool {
        self.adopted <= self.spawned
    }

    /// Makes orphans whose exits suspend once, and wakes one after the other.
    ///
    /// # Panics
    ///
    /// If an orphan was lost.
    pub fn count(orphans: usize) -> Self {
        let board = Board::default();
        let mut adopter = pin!(with(Permits(1), async |_| {
            for _ in 0..orphans {
                let mut loser = Box::pin(with(Waits(board.clone()), async |_| pending().await));
                let polled: Poll<Result<(), Refused>> =
                    poll_fn(|cx| Poll::Ready(loser.as_mut().poll(cx))).await;
                assert!(polled.is_pending());
            }
            Ok::<_, Refused>(())
        }));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(adopter.as_mut().poll(&mut cx).is_pending());
        let waiting = std::mem::take(&mut board.lock().waiting);
        assert_eq!(waiting.len(), orphans, "an orphan was not polled");
        let mut ended = false;
        for waker in waiting {
            assert!(!ended, "an orphan was not waited for");
            waker.wake();
            ended = adopter.as_mut().poll(&mut cx).is_ready();
        }
        assert!(ended, "an orphan was lost");
        Self {
            orphans,
            adopted: board.lock().polls,
            spawned: 2 * orphans,
        }
    }
}

/// Where exits count their polls and wait.
#[derive(Clone, Default)]
struct Board(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    polls: usize,
    waiting: Vec<Waker>,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A scope whose exit suspends until it is woken.
struct Waits(Board);

impl Scope for Waits {
    type Guard = Board;
    type Error = Refused;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Board, Refused> {
        Ok(self.0)
    }

    async fn exit(board: Board, _: Outcome<'_>) -> Result<Propagate, Refused> {
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            let mut entries = board.lock();
            entries.polls += 1;
            if polls == 1 {
                entries.waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        Ok(Propagate)
    }
}
