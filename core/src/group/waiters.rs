//! Those who wait for something that happens to a group.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use crate::failure::Fault;

use super::state::{Shared, State};

/// A list of them, by number. (A tree of numbers gives its memory back, unlike a vector with gaps.)
#[derive(Default)]
pub(super) struct Waiters {
    wakers: BTreeMap<u64, Waker>,
    last: u64,
}

impl Waiters {
    /// Takes all of them, to be woken outside of the lock; who still waits comes again.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.wakers).into_values()
    }

    fn note(&mut self, number: &mut u64, cx: &Context<'_>) -> Option<Waker> {
        if *number == 0 {
            self.last += 1;
            *number = self.last;
        }
        match self.wakers.get(number) {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            _ => self.wakers.insert(*number, cx.waker().clone()),
        }
    }
}

/// Waits until `look` finds something. Dropped, it is taken off the list.
pub(super) struct Waiting<'s, E: Fault, T> {
    shared: &'s Shared<E>,
    list: fn(&mut State<E>) -> &mut Waiters,
    look: fn(&mut State<E>) -> Option<T>,
    number: u64,
}

impl<'s, E: Fault, T> Waiting<'s, E, T> {
    pub(super) fn new(
        shared: &'s Shared<E>,
        list: fn(&mut State<E>) -> &mut Waiters,
        look: fn(&mut State<E>) -> Option<T>,
    ) -> Self {
        Self {
            shared,
            list,
            look,
            number: 0,
        }
    }
}

impl<E: Fault, T> Waiting<'_, E, T> {
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<T> {
        let old = {
            let mut state = self.shared.lock();
            if let Some(found) = (self.look)(&mut state) {
                return Poll::Ready(found);
            }
            (self.list)(&mut state).note(&mut self.number, cx)
        };
        drop(old);
        Poll::Pending
    }
}

impl<E: Fault, T> Drop for Waiting<'_, E, T> {
    fn drop(&mut self) {
        if self.number != 0 {
            let waker = (self.list)(&mut self.shared.lock())
                .wakers
                .remove(&self.number);
            drop(waker);
        }
    }
}
