//! Whose turn it is: at most one generation is entering, entered or exiting, and everybody else shares it or waits.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};

use crate::frame;

use super::guard::Generation;

/// What the handles of a shared scope have in common; `G` is the part that is shared.
///
/// Here and in the guard there is nothing of the type of the scope: with a lifetime in it, it would take `Send` from futures.
pub(super) struct Hub<G>(Mutex<State<G>>);

struct State<G> {
    /// Whether somebody has the turn.
    is_taken: bool,
    /// The generation that is shared; gone unless there is one that has entered and has users.
    current: Weak<Generation<G>>,
    /// Who waits, in the order in which they have come.
    waiting: BTreeMap<u64, Waker>,
    last_number: u64,
}

impl<G> Default for Hub<G> {
    fn default() -> Self {
        Self(Mutex::new(State {
            is_taken: false,
            current: Weak::new(),
            waiting: BTreeMap::new(),
            last_number: 0,
        }))
    }
}

impl<G> Hub<G> {
    pub(super) fn users(&self) -> usize {
        self.lock().current.strong_count()
    }

    fn lock(&self) -> MutexGuard<'_, State<G>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what all who wait are waiting for.
    ///
    /// All of them are woken, and look for themselves: so nothing is lost with one who is dropped, or is not polled any more, after it was woken.
    fn change(&self, change: impl FnOnce(&mut State<G>)) {
        let waiting = {
            let mut state = self.lock();
            change(&mut state);
            std::mem::take(&mut state.waiting)
        };
        // Outside of the lock: waking may run anything.
        waiting.into_values().for_each(Waker::wake);
    }
}

/// The right to enter, to hold and to exit one generation; dropped, it is free.
pub(super) struct Turn<G>(Arc<Hub<G>>);

impl<G> Turn<G> {
    /// What has entered is shared from now on.
    pub(super) fn share(
        self,
        generation: impl FnOnce(Self) -> Generation<G>,
    ) -> Arc<Generation<G>> {
        let hub = self.0.clone();
        let generation = Arc::new(generation(self));
        hub.change(|state| state.current = Arc::downgrade(&generation));
        generation
    }
}

impl<G> Drop for Turn<G> {
    fn drop(&mut self) {
        self.0.change(|state| {
            state.is_taken = false;
            state.current = Weak::new();
        });
    }
}

/// What one who comes is to do.
pub(super) enum Admitted<G> {
    Shares(Arc<Generation<G>>),
    Enters(Turn<G>),
}

/// One who comes, and perhaps waits.
pub(super) struct Waiting<'h, G> {
    hub: &'h Arc<Hub<G>>,
    /// Its number among those who wait, once it has waited.
    number: Option<u64>,
}

impl<'h, G> Waiting<'h, G> {
    pub(super) fn new(hub: &'h Arc<Hub<G>>) -> Self {
        Self { hub, number: None }
    }
}

impl<G> Future for Waiting<'_, G> {
    type Output = Admitted<G>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Admitted<G>> {
        if frame::is_closing() {
            let mut held_off = pin!(frame::held_off());
            ready!(held_off.as_mut().poll(cx));
        }
        let waker = cx.waker().clone();
        let mut state = self.hub.lock();
        if let Some(generation) = state.current.upgrade() {
            return Poll::Ready(Admitted::Shares(generation));
        }
        if !state.is_taken {
            state.is_taken = true;
            return Poll::Ready(Admitted::Enters(Turn(self.hub.clone())));
        }
        let number = match self.number {
            Some(number) => number,
            None => {
                state.last_number += 1;
                state.last_number
            }
        };
        let old = state.waiting.insert(number, waker);
        drop(state);
        // Outside of the lock: dropping a waker may run anything.
        drop(old);
        self.number = Some(number);
        Poll::Pending
    }
}

impl<G> Drop for Waiting<'_, G> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waker = self.hub.lock().waiting.remove(&number);
            drop(waker);
        }
    }
}
