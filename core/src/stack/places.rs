//! The places of a stack: its entries in their order, those that are late, and the gaps of those that were taken out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::report::Label;
use crate::slot::Fate;

use super::entry::Entry;

/// Which places: it moves with them when a stack is taken.
pub(super) type Token = u64;

/// By which a lease or a key finds its entry.
///
/// Two words, so that it is returned in registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) token: Token,
    number: u64,
}

/// The entries of a stack.
pub(super) struct Places<V> {
    /// In the order of their numbers.
    entries: Vec<Place<V>>,
    /// The number of the next entry.
    next: u64,
    token: Token,
    /// How many leases there are.
    lent: usize,
    /// Whether there may be gaps, or entries that have left by themselves.
    loose: bool,
    /// Entries that were to leave while a lease had their guard, and how their body ended.
    late: BTreeMap<u64, Leaver<V>>,
}

/// What has left, to be dropped outside of the lock: it may run anything.
pub(super) type Gone<V> = Vec<Place<V>>;

pub(super) struct Place<V> {
    number: u64,
    /// `None` when it was taken out.
    entry: Option<Box<dyn Entry<V>>>,
}

/// The next to leave.
pub(super) enum Next<V> {
    Entry(Box<dyn Entry<V>>),
    /// A lease has its guard; it leaves when that comes back.
    Lent(Label),
    None,
}

/// An entry that leaves, and how its body ended.
pub(super) type Leaver<V> = (Box<dyn Entry<V>>, Fate);

impl<V> Places<V> {
    pub(super) fn new() -> Self {
        // Zero is left out: it is that of places without tickets.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            token: NEXT.fetch_add(1, Ordering::Relaxed),
            ..Self::none()
        }
    }

    /// Places that nobody has tickets for.
    pub(super) fn none() -> Self {
        Self {
            entries: Vec::new(),
            next: 0,
            token: 0,
            lent: 0,
            loose: false,
            late: BTreeMap::new(),
        }
    }

    /// The place of a single entry, which nobody has a ticket for.
    pub(super) fn one(entry: Box<dyn Entry<V>>) -> Self {
        let entry = Some(entry);
        Self {
            entries: vec![Place { number: 0, entry }],
            next: 1,
            ..Self::none()
        }
    }

    pub(super) fn token(&self) -> Token {
        self.token
    }

    pub(super) fn is_any_lent(&self) -> bool {
        self.lent > 0
    }

    /// Gives everything back; nothing is left to leave.
    pub(super) fn forget(&mut self) -> Gone<V> {
        std::mem::take(&mut self.entries)
    }

    /// The ticket of the next entry.
    pub(super) fn next_ticket(&self) -> Ticket {
        Ticket {
            token: self.token,
            number: self.next,
        }
    }

    /// Adds an entry on top.
    pub(super) fn push(&mut self, entry: Box<dyn Entry<V>>, gone: &mut Gone<V>) -> Ticket {
        if self.entries.len() == self.entries.capacity() {
            self.grow(gone);
        }
        let (ticket, place) = self.place(entry);
        self.entries.push(place);
        ticket
    }

    /// Adds an entry that leaves when its lease ends, for the stack has been closed.
    #[cold]
    pub(super) fn push_late(&mut self, entry: Box<dyn Entry<V>>, fate: Fate) -> Ticket {
        let (ticket, Place { number, entry }) = self.place(entry);
        self.late.extend(entry.map(|entry| (number, (entry, fate))));
        ticket
    }

    /// Notes that the guard of an entry is lent out from the beginning.
    pub(super) fn note_lent(&mut self) {
        self.lent += 1;
    }

    /// Notes that an entry may leave by itself.
    pub(super) fn loosen(&mut self) {
        self.loose = true;
    }

    fn place(&mut self, entry: Box<dyn Entry<V>>) -> (Ticket, Place<V>) {
        let ticket = self.next_ticket();
        self.next += 1;
        let place = Place {
            number: ticket.number,
            entry: Some(entry),
        };
        (ticket, place)
    }

    /// Forgets what has left by itself; so a long-lived stack stays as large as what is in it.
    #[cold]
    fn grow(&mut self, gone: &mut Gone<V>) {
        if self.loose {
            gone.extend(self.entries.extract_if(.., |place| place.is_gone()));
        }
        let len = self.entries.len();
        if len >= self.entries.capacity() / 2 {
            self.entries.reserve(len.max(16));
        }
    }

    /// Takes the next to leave, which the body's end is told if it is late.
    #[inline(always)]
    pub(super) fn pop(&mut self, fate: &Fate) -> Next<V> {
        while let Some(Place { number, entry }) = self.entries.pop() {
            match entry {
                Some(entry) if self.lent == 0 || !entry.is_lent() => return Next::Entry(entry),
                Some(entry) => return self.defer(number, entry, fate),
                None => {}
            }
        }
        Next::None
    }

    /// Keeps an entry whose guard is lent out until that comes back.
    #[cold]
    fn defer(&mut self, number: u64, entry: Box<dyn Entry<V>>, fate: &Fate) -> Next<V> {
        let label = entry.label();
        self.late.insert(number, (entry, fate.clone()));
        Next::Lent(label)
    }

    fn position(&self, ticket: Ticket) -> Option<usize> {
        // Mostly nothing has left from between.
        let first = self.entries.first()?.number;
        let place = usize::try_from(ticket.number.checked_sub(first)?).ok()?;
        if let Some(there) = self.entries.get(place)
            && there.number == ticket.number
        {
            return Some(place);
        }
        let by_number = |place: &Place<V>| place.number;
        self.entries
            .binary_search_by_key(&ticket.number, by_number)
            .ok()
    }

    /// Lends the guard of an entry.
    pub(super) fn lend<G: 'static>(&mut self, ticket: Ticket) -> Option<G> {
        if ticket.token != self.token {
            return None;
        }
        let position = self.position(ticket)?;
        let entry = self.entries[position].entry.as_mut()?;
        let guard = entry.guard().downcast_mut::<Option<G>>()?.take()?;
        self.lent += 1;
        Some(guard)
    }

    /// Takes a guard back. An entry that was to leave meanwhile leaves now, as what it was to be told.
    pub(super) fn take_back<G: 'static>(&mut self, ticket: Ticket, guard: G) -> Option<Leaver<V>> {
        self.lent -= 1;
        if let Some(position) = self.position(ticket)
            && let Some(entry) = &mut self.entries[position].entry
        {
            put(&mut **entry, guard);
            return None;
        }
        let (mut entry, fate) = self.take_late(ticket)?;
        put(&mut *entry, guard);
        Some((entry, fate))
    }

    /// Takes out an entry whose guard is lent out.
    pub(super) fn take_out(&mut self, ticket: Ticket) -> Option<Box<dyn Entry<V>>> {
        self.lent -= 1;
        let Some(position) = self.position(ticket) else {
            return self.take_late(ticket).map(|(entry, _)| entry);
        };
        let entry = self.entries[position].entry.take();
        self.loose = true;
        while self
            .entries
            .last()
            .is_some_and(|place| place.entry.is_none())
        {
            self.entries.pop();
        }
        entry
    }

    fn take_late(&mut self, ticket: Ticket) -> Option<Leaver<V>> {
        self.late.remove(&ticket.number)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.iter().all(Place::is_gone)
    }

    pub(super) fn len(&self) -> usize {
        let here = |place: &&Place<V>| !place.is_gone();
        self.entries.iter().filter(here).count()
    }
}

pub(super) fn put<V, G: 'static>(entry: &mut dyn Entry<V>, guard: G) {
    if let Some(place) = entry.guard().downcast_mut() {
        *place = Some(guard);
    }
}

impl<V> Place<V> {
    fn is_gone(&self) -> bool {
        self.entry.as_ref().is_none_or(|entry| entry.is_gone())
    }
}
