//! The list of a stack: its entries, and whether it is open, closing or closed.

use std::borrow::Cow;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::frame;
use crate::owner::{Called, Owner};
use crate::report::{Label, Report};
use crate::slot::Fate;
use crate::verdict::Verdict;

use super::entry::Entry;
use super::places::{Gone, Leaver, Next, Places, Ticket, Token};
use super::settings::Settings;

/// A stack, shared by its owner, its handles and its unwinding.
pub(super) struct Shared<V: Verdict> {
    inner: Mutex<Inner<V>>,
    /// The frame of its exits while it unwinds: who closes it from there would wait for himself.
    unwinding: AtomicU32,
    pub(super) location: &'static Location<'static>,
}

pub(super) struct Inner<V: Verdict> {
    pub(super) places: Places<V>,
    /// Where places went that were taken while there were leases.
    moved: Vec<(Token, Arc<Shared<V>>)>,
    pub(super) phase: Phase<V>,
    pub(super) settings: Settings,
    /// Lineage and home; an unwinding takes it along.
    pub(super) owner: Option<Owner<Called>>,
    /// Whether another stack closes it.
    pub(super) is_child: bool,
}

pub(super) enum Phase<V> {
    Open,
    /// How the body ended (without its error, which goes back to its owner), for what is late.
    Closing(Fate, Vec<Waker>),
    Closed(Fate, Result<V, Report>),
}

/// What one who closes a stack is to do.
pub(super) enum Closing<V: Verdict> {
    /// He unwinds it.
    First(Owner<Called>),
    /// Somebody else does.
    Waits,
    /// He is inside of one of its exits, which cannot wait for itself.
    Inside,
    Closed(Result<V, Report>),
}

fn label(location: &'static Location<'static>) -> Label {
    Label {
        name: Cow::Borrowed("ExitStack"),
        location,
    }
}

impl<V: Verdict> Shared<V> {
    pub(super) fn new(settings: Settings, location: &'static Location<'static>) -> Arc<Self> {
        Self::of(Places::new(), settings, label(location))
    }

    fn of(places: Places<V>, settings: Settings, Label { name, location }: Label) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Inner {
                places,
                moved: Vec::new(),
                phase: Phase::Open,
                settings,
                owner: Some(Owner::new(Called(name), location)),
                is_child: false,
            }),
            unwinding: AtomicU32::new(0),
            location,
        })
    }

    /// Moves all entries to a new stack with the same settings.
    pub(super) fn take(&self, location: &'static Location<'static>) -> Arc<Self> {
        let mut gone = Vec::new();
        let mut inner = self.lock();
        let places = std::mem::replace(&mut inner.places, Places::new());
        let (token, lent) = (places.token(), places.is_any_lent());
        let taken = Self::of(places, inner.settings.clone(), label(location));
        if lent {
            if inner.moved.len() == inner.moved.capacity() {
                // To be dropped outside of the lock: it may be anything.
                gone.extend(inner.moved.extract_if(.., |(_, to)| !to.is_awaited()));
                let len = inner.moved.len();
                inner.moved.reserve(len.max(4));
            }
            inner.moved.push((token, taken.clone()));
        }
        drop(inner);
        taken
    }

    /// Whether a lease may still come back to it.
    fn is_awaited(&self) -> bool {
        let inner = self.lock();
        inner.places.is_any_lent() || !inner.moved.is_empty()
    }

    /// Takes a guard back from its lease; what leaves thereby is given.
    pub(super) fn take_back<G: 'static>(
        self: &Arc<Self>,
        ticket: Ticket,
        guard: G,
    ) -> Option<Leaver<V>> {
        let mut inner = self.lock();
        if inner.places.token() == ticket.token {
            return inner.places.take_back(ticket, guard);
        }
        drop(inner);
        self.moved(ticket)?.take_back(ticket, guard)
    }

    /// Takes out an entry whose guard is lent out.
    pub(super) fn take_out(self: &Arc<Self>, ticket: Ticket) -> Option<Box<dyn Entry<V>>> {
        let mut inner = self.lock();
        if inner.places.token() == ticket.token {
            return inner.places.take_out(ticket);
        }
        drop(inner);
        self.moved(ticket)?.take_out(ticket)
    }

    /// Where the list went.
    #[cold]
    fn moved(&self, ticket: Ticket) -> Option<Arc<Self>> {
        let inner = self.lock();
        let mut moved = inner.moved.iter();
        let (_, to) = moved.find(|(token, _)| *token == ticket.token)?;
        Some(to.clone())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner<V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn label(&self) -> Label {
        label(self.location)
    }

    /// Begins to close, or says who does.
    pub(super) fn begin_close(&self, fate: &Fate) -> Closing<V> {
        let fate = fate.detached();
        let mut inner = self.lock();
        match &inner.phase {
            Phase::Open => {}
            Phase::Closing(..) => {
                let frame = self.unwinding.load(Ordering::Relaxed);
                return if frame::is_frame_on_stack(frame) {
                    Closing::Inside
                } else {
                    Closing::Waits
                };
            }
            Phase::Closed(_, result) => return Closing::Closed(result.clone()),
        }
        match inner.owner.take() {
            Some(owner) => {
                self.unwinding.store(owner.frame, Ordering::Relaxed);
                inner.phase = Phase::Closing(fate, Vec::new());
                Closing::First(owner)
            }
            None => unreachable!("an open stack has its owner"),
        }
    }

    /// Waits until somebody else has closed it.
    pub(super) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<Result<V, Report>> {
        const MANY: usize = 64;
        let mut inner = self.lock();
        let wakers = match &mut inner.phase {
            Phase::Closed(_, result) => return Poll::Ready(result.clone()),
            Phase::Closing(_, wakers) => wakers,
            Phase::Open => unreachable!("it is being closed"),
        };
        if wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        // Most of so many are of waiters that are gone; the others come again.
        let gone = if wakers.len() == MANY {
            std::mem::take(wakers)
        } else {
            Vec::new()
        };
        wakers.push(cx.waker().clone());
        drop(inner);
        gone.into_iter().for_each(Waker::wake);
        Poll::Pending
    }

    /// The result has been given to the owner: if nobody else can ask for it, its errors are given by value.
    pub(super) fn forget_result(self: &mut Arc<Self>) {
        if let Some(shared) = Arc::get_mut(self) {
            let inner = shared.inner.get_mut();
            let inner = inner.unwrap_or_else(PoisonError::into_inner);
            if let Phase::Closed(_, result) = &mut inner.phase {
                *result = Ok(V::PROPAGATE);
            }
        }
    }

    /// What is in it, if it is open and nobody else can reach it: neither handle nor lease nor parent.
    pub(super) fn dismantle(self: &mut Arc<Self>) -> Option<(Places<V>, Settings, Owner<Called>)> {
        let inner = &mut Arc::get_mut(self)?.inner;
        let inner = inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !matches!(inner.phase, Phase::Open) {
            return None;
        }
        let owner = inner.owner.take()?;
        let places = std::mem::replace(&mut inner.places, Places::none());
        Some((places, std::mem::take(&mut inner.settings), owner))
    }

    /// Notes the result, and says whether somebody waits for it; `None` if entries were added: then the unwinding goes on.
    pub(super) fn finish(&self, result: impl FnOnce() -> Result<V, Report>) -> Option<bool> {
        let mut inner = self.lock();
        if !inner.places.is_empty() {
            return None;
        }
        let (fate, wakers) = match std::mem::replace(&mut inner.phase, Phase::Open) {
            Phase::Closing(fate, wakers) => (fate, wakers),
            Phase::Open | Phase::Closed(..) => unreachable!("it is being closed"),
        };
        inner.phase = Phase::Closed(fate, result());
        let gone = inner.places.forget();
        drop(inner);
        // Outside of the lock: these may run anything.
        drop(gone);
        let waited = !wakers.is_empty();
        wakers.into_iter().for_each(Waker::wake);
        Some(waited)
    }
}

impl<V: Verdict> Inner<V> {
    /// Adds an entry whose guard is lent out on top; after the end, as one that leaves when its lease ends.
    ///
    /// What has left by itself is given, to be dropped outside of the lock.
    pub(super) fn push_lent(&mut self, entry: Box<dyn Entry<V>>, gone: &mut Gone<V>) -> Ticket {
        let ticket = match &self.phase {
            Phase::Open | Phase::Closing(..) => self.places.push(entry, gone),
            Phase::Closed(fate, _) => self.places.push_late(entry, fate.clone()),
        };
        self.places.note_lent();
        ticket
    }

    /// Takes the next to leave.
    pub(super) fn pop(&mut self) -> Next<V> {
        let fate = match &self.phase {
            Phase::Closing(fate, _) | Phase::Closed(fate, _) => fate,
            Phase::Open => &Fate::Success,
        };
        self.places.pop(fate)
    }

    /// The outcome for what is added after the end, if it has come.
    pub(super) fn closed(&self) -> Option<&Fate> {
        match &self.phase {
            Phase::Closed(fate, _) => Some(fate),
            Phase::Open | Phase::Closing(..) => None,
        }
    }
}
