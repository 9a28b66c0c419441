//! What an exit gives that was lent the error of another scope's body, and is closed by hand.
//!
//! Such an exit is a job of whoever closes it, which ends before that error goes back to its owner (I6).
//! The future of the close only waits for what the job gives: it may be dropped, moved elsewhere or forgotten.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::report::Label;

/// The two ends of an answer, and what tells of one that nobody takes.
pub(crate) fn answer<T>(label: Label, lose: fn(T, &Label)) -> (Answer<T>, Asked<T>) {
    let place = Arc::new(Mutex::new(Place::Empty(None)));
    let asked = Asked {
        place: place.clone(),
        label,
        lose,
    };
    (Answer(place), asked)
}

/// Where the answer comes.
enum Place<T> {
    Empty(Option<Waker>),
    Here(T),
    /// It was taken, or nobody waits for it any more.
    Done,
}

fn lock<T>(place: &Mutex<Place<T>>) -> MutexGuard<'_, Place<T>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of the job.
pub(crate) struct Answer<T>(Arc<Mutex<Place<T>>>);

impl<T> Answer<T> {
    /// Gives `value` to who waits; back again if nobody does.
    pub(crate) fn give(self, value: T) -> Result<(), T> {
        let waker = {
            let mut place = lock(&self.0);
            let Place::Empty(waker) = &mut *place else {
                return Err(value);
            };
            let waker = waker.take();
            *place = Place::Here(value);
            waker
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }
}

/// The end of who waits. Should the job be dropped, it waits for ever.
pub(crate) struct Asked<T> {
    place: Arc<Mutex<Place<T>>>,
    label: Label,
    lose: fn(T, &Label),
}

// Nothing in it is pinned in place.
impl<T> Unpin for Asked<T> {}

impl<T> Future for Asked<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // Wakers are foreign code: they are cloned before the lock is taken, and dropped after it.
        let waker = cx.waker().clone();
        let _before;
        let mut place = lock(&self.place);
        if let Place::Empty(old) = &mut *place {
            _before = old.replace(waker);
            return Poll::Pending;
        }
        match std::mem::replace(&mut *place, Place::Done) {
            Place::Here(value) => Poll::Ready(value),
            _ => unreachable!("an answer is taken once"),
        }
    }
}

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        let place = std::mem::replace(&mut *lock(&self.place), Place::Done);
        if let Place::Here(value) = place {
            (self.lose)(value, &self.label);
        }
    }
}
