//! Leases on the guards of entries, and the keys by which they are had again.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::resume_unwind;

use crate::bracket::Member;
use crate::report::Report;
use crate::slot::Fate;
use crate::verdict::{Propagate, Verdict};

use super::ExitStack;
use super::entry::Entry;
use super::places::{Ticket, put};
use super::unwinding::alone;

/// What is there until the lease ends.
const LENT: &str = "lent until the lease ends";

/// A lease on the guard of an entry of an [`ExitStack`]: it derefs to the guard.
///
/// The guard is moved out of the stack, so that several leases are usable at once, and goes back when the lease is dropped.
///
/// # Drop behavior
///
/// The guard goes back to its entry.
/// If the stack has been closed meanwhile, the entry's exit runs now, as an orphan's: whoever is around finishes it.
/// A lease that is leaked by `mem::forget` takes the guard with it: the entry is skipped when the stack closes, and the report names it.
pub struct Entered<'s, G: 'static, V: Verdict = Propagate> {
    guard: Option<G>,
    stack: &'s ExitStack<V>,
    ticket: Ticket,
}

impl<'s, G: 'static, V: Verdict> Entered<'s, G, V> {
    pub(super) fn new(guard: G, stack: &'s ExitStack<V>, ticket: Ticket) -> Self {
        Self {
            guard: Some(guard),
            stack,
            ticket,
        }
    }

    /// Takes the entry out of the stack, and its guard.
    fn take_out(&mut self) -> Option<(G, Box<dyn Entry<V>>)> {
        let guard = self.guard.take()?;
        let entry = self.stack.shared.take_out(self.ticket)?;
        Some((guard, entry))
    }

    /// Releases this entry now; the stack forgets it.
    ///
    /// Its exit is told [`Outcome::Success`](crate::Outcome::Success).
    ///
    /// # Errors
    ///
    /// A [`Report`] of the exit's error.
    ///
    /// # Panics
    ///
    /// If the exit panics.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll, the guard goes back to the stack. Dropped later, the exit goes on: whoever is around adopts it.
    pub async fn close(mut self) -> Result<(), Report> {
        let (guard, mut entry) = self.take_out().expect(LENT);
        put(&mut *entry, guard);
        let mut unwinding = alone(entry, Fate::Success);
        unwinding.rebase();
        match unwinding.await {
            Ok(result) => result.map(|_| ()),
            Err(panic) => resume_unwind(*panic),
        }
    }

    /// Replaces what is leased: enters `scope`, leases its guard in place of this one, and then releases the old entry.
    ///
    /// There is never a moment without a guard, and never more than two are open.
    /// For the old one to be released first: [`close`](Self::close), and then [`enter`](ExitStack::enter) again.
    /// The new entry is on top of the stack; keys to the old one open nothing any more.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use withal::{ExitStack, Report, acquire};
    ///
    /// # withal_testing::block_on(async {
    /// let connect = |number| acquire(async move || Ok::<u32, Report>(number)).release(async |_, _| Ok(()));
    /// ExitStack::with(async |stack| {
    ///     let mut connection = stack.enter(connect(1)).await?;
    ///     connection.swap(connect(2)).await??;
    ///     assert_eq!(*connection, 2);
    ///     Ok::<_, Report>(())
    /// })
    /// .await
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the enter: then the old guard stays.
    /// Inside of it the [`Report`] of the old one's exit: the new guard is there all the same.
    ///
    /// # Cancel safety
    ///
    /// Dropped while the new scope enters, the old guard stays.
    /// Dropped later, the new one is there, and the old one's exit goes on: whoever is around adopts it.
    #[track_caller]
    pub fn swap<S>(
        &mut self,
        scope: S,
    ) -> impl Future<Output = Result<Result<(), Report>, S::Error>>
    where
        S: Member<Part = G>,
        S::Held: 'static,
        S::Rest: 'static,
        V: From<S::Verdict>,
    {
        let enter = self.stack.enter(scope);
        async move {
            let new = enter.await?;
            let old = std::mem::replace(self, new);
            Ok(old.close().await)
        }
    }

    /// Takes the guard out of the stack: it is yours, and there will be no exit.
    #[must_use = "nobody releases it any more"]
    pub fn dismiss(mut self) -> G {
        let (guard, _) = self.take_out().expect(LENT);
        guard
    }

    /// Moves the entry to `other`, on top of what is there.
    ///
    /// If `other` has been closed, it is released when the new lease ends.
    pub fn transfer<'o>(mut self, other: &'o ExitStack<V>) -> Entered<'o, G, V> {
        let (guard, entry) = self.take_out().expect(LENT);
        Entered::new(guard, other, other.push_lent(entry))
    }

    /// A key by which the guard can be leased again: see [`ExitStack::lease`].
    pub fn key(&self) -> Key<G> {
        Key::new(self.ticket)
    }
}

impl<G: 'static, V: Verdict> Deref for Entered<'_, G, V> {
    type Target = G;

    fn deref(&self) -> &G {
        self.guard.as_ref().expect(LENT)
    }
}

impl<G: 'static, V: Verdict> DerefMut for Entered<'_, G, V> {
    fn deref_mut(&mut self) -> &mut G {
        self.guard.as_mut().expect(LENT)
    }
}

impl<G: 'static, V: Verdict> Drop for Entered<'_, G, V> {
    fn drop(&mut self) {
        if let Some(guard) = self.guard.take()
            && let Some((entry, fate)) = self.stack.shared.take_back(self.ticket, guard)
        {
            // Dropped unpolled, it is an orphan.
            drop(alone(entry, fate));
        }
    }
}

impl<G: fmt::Display + 'static, V: Verdict> fmt::Display for Entered<'_, G, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<G: fmt::Debug + 'static, V: Verdict> fmt::Debug for Entered<'_, G, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entered").field(&self.guard).finish()
    }
}

/// A key to the guard of one entry: see [`Entered::key`].
///
/// It stays good when its stack is [taken](ExitStack::take), and opens nothing once the entry has left or was moved by itself.
pub struct Key<G> {
    pub(super) ticket: Ticket,
    guard: PhantomData<fn() -> G>,
}

impl<G> Key<G> {
    pub(super) fn new(ticket: Ticket) -> Self {
        Self {
            ticket,
            guard: PhantomData,
        }
    }
}

impl<G> Clone for Key<G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for Key<G> {}

impl<G> fmt::Debug for Key<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.ticket).finish()
    }
}
