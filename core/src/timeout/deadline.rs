//! A deadline that can be moved while its timeout runs.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use crate::runtime::Timer;

/// The deadline of a running [`timeout_with`](crate::timeout_with): read, and moved to an earlier or later time.
///
/// A clone is the same deadline, and may be moved from anywhere: by another task, on another thread.
/// Moved to an earlier time, the timeout is woken; a time that has passed strikes at once.
/// When the deadline has struck, or the timeout has ended, it can be read, and not moved any more.
pub struct Deadline<R> {
    shared: Arc<Shared<R>>,
}

struct Shared<R> {
    timer: R,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the clock has started.
    since: Option<Duration>,
    due: Due,
    phase: Phase,
    waker: Option<Waker>,
}

/// When it strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Due {
    /// So long after the clock has started.
    After(Duration),
    At(Duration),
    Never,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Running,
    /// It has struck, and this was then.
    Struck(Duration),
    Ended,
}

impl<R: Timer> Deadline<R> {
    pub(super) fn new(timer: R, limit: Duration) -> Self {
        let state = State {
            since: None,
            due: Due::After(limit),
            phase: Phase::Running,
            waker: None,
        };
        Self {
            shared: Arc::new(Shared {
                timer,
                state: Mutex::new(state),
            }),
        }
    }

    /// Starts the clock, if it has not started.
    pub(super) fn start(&self) {
        if self.lock().since.is_none() {
            let now = self.shared.timer.now();
            let mut state = self.lock();
            state.since = Some(now);
            if let Due::After(limit) = state.due {
                state.due = Due::At(now.saturating_add(limit));
            }
        }
    }

    /// Has `waker` woken when it is moved to an earlier time; says when it strikes as yet.
    pub(super) fn listen(&self, waker: &Waker) -> Option<Duration> {
        let waker = waker.clone();
        let (old, at) = {
            let mut state = self.lock();
            (state.waker.replace(waker), state.at())
        };
        // Outside of the lock: dropping a waker may run anything.
        drop(old);
        at
    }

    /// Strikes, unless it is not at `at` any more.
    pub(super) fn strike(&self, at: Duration) -> bool {
        let now = self.shared.timer.now();
        let mut state = self.lock();
        let strikes = state.at() == Some(at);
        if strikes {
            state.phase = Phase::Struck(now);
        }
        strikes
    }

    /// When it has struck, and how much time there was.
    pub(super) fn struck(&self) -> Option<(Duration, Duration)> {
        let state = self.lock();
        let Phase::Struck(struck) = state.phase else {
            return None;
        };
        Some((struck, state.at()?.saturating_sub(state.since?)))
    }

    pub(super) fn timer(&self) -> &R {
        &self.shared.timer
    }

    /// Lets the body run until the timer's clock is at `at`.
    ///
    /// # Errors
    ///
    /// [`TooLate`] if the deadline has struck, or the timeout has ended: then nothing changes.
    pub fn rearm_at(&self, at: Duration) -> Result<(), TooLate> {
        self.rearm(Due::At(at))
    }

    /// Lets the body run for `time` from now on.
    ///
    /// # Errors
    ///
    /// As [`rearm_at`](Self::rearm_at).
    pub fn rearm_after(&self, time: Duration) -> Result<(), TooLate> {
        self.rearm(Due::At(self.shared.timer.now().saturating_add(time)))
    }

    /// Lets the body run without a limit, until it is armed again.
    ///
    /// # Errors
    ///
    /// As [`rearm_at`](Self::rearm_at).
    pub fn disarm(&self) -> Result<(), TooLate> {
        self.rearm(Due::Never)
    }

    fn rearm(&self, due: Due) -> Result<(), TooLate> {
        let waker = {
            let mut state = self.lock();
            match state.phase {
                Phase::Running => {}
                Phase::Struck(_) => return Err(TooLate::Struck),
                Phase::Ended => return Err(TooLate::Ended),
            }
            let before = state.at();
            state.due = due;
            // For a later one the alarm that is set is soon enough.
            let sooner = |at| before.is_none_or(|before| at < before);
            if state.at().is_some_and(sooner) {
                state.waker.take()
            } else {
                None
            }
        };
        // Outside of the lock: waking may run anything.
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// When it strikes, or has struck, by the timer's clock; `None` if there is no limit, or if the clock has not started.
    pub fn when(&self) -> Option<Duration> {
        self.lock().at()
    }

    /// How much time the body has left; `None` if there is no limit.
    ///
    /// What an *exit* has left is told by [`time_left`](crate::time_left).
    pub fn time_left(&self) -> Option<Duration> {
        let due = self.lock().due;
        match due {
            Due::After(limit) => Some(limit),
            Due::At(at) => Some(at.saturating_sub(self.shared.timer.now())),
            Due::Never => None,
        }
    }

    /// Whether it has struck: the body was cut, unless it has ended by that very poll.
    pub fn has_struck(&self) -> bool {
        matches!(self.lock().phase, Phase::Struck(_))
    }
}

impl State {
    fn at(&self) -> Option<Duration> {
        match self.due {
            Due::At(at) => Some(at),
            Due::After(_) | Due::Never => None,
        }
    }
}

impl<R> Deadline<R> {
    fn lock(&self) -> MutexGuard<'_, State> {
        let state = &self.shared.state;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The timeout has ended.
    pub(super) fn end(&self) {
        let waker = {
            let mut state = self.lock();
            if let Phase::Running = state.phase {
                state.phase = Phase::Ended;
            }
            state.waker.take()
        };
        drop(waker);
    }
}

/// Why a deadline cannot be moved any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TooLate {
    /// The deadline has struck.
    Struck,
    /// The body has ended in time, or was dropped.
    Ended,
}

impl fmt::Display for TooLate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Struck => "the deadline has struck already",
            Self::Ended => "the timeout has ended already",
        })
    }
}

impl Error for TooLate {}

impl<R> Clone for Deadline<R> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<R> fmt::Debug for Deadline<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Deadline")
            .field("due", &state.due)
            .field("phase", &state.phase)
            .finish()
    }
}
