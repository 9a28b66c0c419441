//! The register of the scopes that are open: a listing for each.
//!
//! What never changes while a scope is open is behind the lock of a shard, taken once at the enter and once at the end.
//! What changes is in atomics: a scope's phase, and its place in the tree.

use std::any::Any;
use std::borrow::Cow;
use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::bracket::Bracket;
use crate::frame::{self, Birth};
use crate::report::Label;

/// More than there are threads that enter scopes in most programs, so that each has a lock of its own.
const SHARDS: usize = 64;

static REGISTER: [Shard; SHARDS] = [const {
    Shard(Mutex::new(Places {
        records: Vec::new(),
        free: Vec::new(),
    }))
}; SHARDS];

/// On cache lines of its own.
#[repr(align(128))]
struct Shard(Mutex<Places>);

struct Places {
    records: Vec<(&'static Place, Option<Record>)>,
    free: Vec<usize>,
}

/// A place in the register. It is used again and again, and never given back: there are as many as there were scopes at most at one time.
struct Place {
    shard: usize,
    index: usize,
    state: AtomicU8,
    /// The id of the frame of the body; 0 while entering.
    frame: AtomicU32,
    birth: AtomicU64,
}

struct Record {
    name: Name,
    location: &'static Location<'static>,
    since: Instant,
}

/// How a scope is called: found when somebody asks.
enum Name {
    Now(Cow<'static, str>),
    /// The tag of most scopes is no byte, and then its box is none.
    Later(
        Box<dyn Any + Send + Sync>,
        fn(&dyn Any) -> Option<Cow<'static, str>>,
    ),
}

impl Name {
    fn of<B: Bracket>(tag: &B::Tag) -> Self {
        let any: &dyn Any = tag;
        if any.is::<Cow<'static, str>>() || any.is::<&'static str>() {
            return Self::Now(B::name(tag));
        }
        let find = |tag: &dyn Any| tag.downcast_ref().map(B::name);
        Self::Later(Box::new(tag.clone()), find)
    }

    fn find(&self) -> Cow<'static, str> {
        match self {
            Self::Now(name) => name.clone(),
            Self::Later(tag, find) => find(&**tag).unwrap_or_default(),
        }
    }
}

/// What a scope is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Entering,
    Open,
    Leaving,
    /// It leaves, and its own future was dropped.
    Orphaned,
}

/// The listing of one scope in the register, for as long as this lives.
pub(crate) struct Listing(Option<&'static Place>);

impl Listing {
    /// Nothing is listed.
    pub(crate) const NONE: Self = Self(None);

    /// A scope begins to enter.
    pub(crate) fn enter<B: Bracket>(tag: &B::Tag, location: &'static Location<'static>) -> Self {
        Self::add(
            Name::of::<B>(tag),
            location,
            State::Entering,
            frame::birth(),
        )
    }

    /// Something else with this name begins to enter.
    pub(crate) fn enter_called(
        name: impl FnOnce() -> Cow<'static, str>,
        location: &'static Location<'static>,
    ) -> Self {
        Self::add(Name::Now(name()), location, State::Entering, frame::birth())
    }

    fn add(
        name: Name,
        location: &'static Location<'static>,
        state: State,
        Birth(birth): Birth,
    ) -> Self {
        let record = Record {
            name,
            location,
            since: Instant::now(),
        };
        let number = shard_of_this_thread();
        let mut places = lock(number);
        let index = match places.free.pop() {
            Some(index) => index,
            None => places.grow(number),
        };
        let (place, listed) = &mut places.records[index];
        place.set(state);
        place.frame.store(0, Ordering::Relaxed);
        place.birth.store(birth, Ordering::Relaxed);
        *listed = Some(record);
        Self(Some(*place))
    }

    /// It has entered: the id of its frame, and where it was born.
    #[inline]
    pub(crate) fn entered(&self, frame: u32, birth: Birth) {
        if let Some(place) = self.0 {
            place.frame.store(frame, Ordering::Relaxed);
            place.birth.store(birth.0, Ordering::Relaxed);
            place.set(State::Open);
        }
    }

    /// It belongs somewhere else now.
    pub(crate) fn rebase(&self, birth: Birth) {
        if let Some(place) = self.0 {
            place.birth.store(birth.0, Ordering::Relaxed);
        }
    }

    /// Its exit begins.
    #[inline]
    pub(crate) fn leave(&self) {
        if let Some(place) = self.0 {
            place.set(State::Leaving);
        }
    }

    /// Its own future was dropped, and somebody else drives its exit: the listing for that.
    ///
    /// What was not listed is from now on: a part of a scope that has outlived the whole.
    #[cold]
    pub(crate) fn orphan(&mut self, label: &Label, birth: Birth) -> Self {
        match self.0.take() {
            Some(place) => {
                place.set(State::Orphaned);
                Self(Some(place))
            }
            None => {
                let name = Name::Now(label.name.clone());
                Self::add(name, label.location, State::Orphaned, birth)
            }
        }
    }

    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }
}

impl Drop for Listing {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            let mut places = lock(place.shard);
            let record = places.records[place.index].1.take();
            places.free.push(place.index);
            drop(places);
            drop(record);
        }
    }
}

impl Place {
    #[inline]
    fn set(&self, state: State) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    fn state(&self) -> State {
        let states = [State::Entering, State::Open, State::Leaving];
        let state = usize::from(self.state.load(Ordering::Relaxed));
        states.get(state).copied().unwrap_or(State::Orphaned)
    }
}

impl Places {
    /// Adds places, and gives one of them.
    #[cold]
    fn grow(&mut self, shard: usize) -> usize {
        const MORE: usize = 64;
        let first = self.records.len();
        let places: Vec<_> = (first..first + MORE)
            .map(|index| Place {
                shard,
                index,
                state: AtomicU8::new(0),
                frame: AtomicU32::new(0),
                birth: AtomicU64::new(0),
            })
            .collect();
        let places = places.leak().iter().map(|place| (place, None));
        self.records.extend(places);
        self.free.extend((first + 1..first + MORE).rev());
        first
    }
}

#[inline]
fn lock(shard: usize) -> MutexGuard<'static, Places> {
    REGISTER[shard]
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

thread_local!(static SHARD: Cell<usize> = const { Cell::new(SHARDS) });

#[inline]
fn shard_of_this_thread() -> usize {
    match SHARD.get() {
        SHARDS => take_shard(),
        shard => shard,
    }
}

/// Threads take turns with the shards.
#[cold]
fn take_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let shard = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    SHARD.set(shard);
    shard
}

/// What the register says of one scope.
pub(super) struct Sighting {
    pub(super) name: Cow<'static, str>,
    pub(super) location: &'static Location<'static>,
    pub(super) since: Instant,
    pub(super) state: State,
    /// The id of its frame; 0 while entering.
    pub(super) frame: u32,
    /// The ids of the frame, and of the scope's body, in which it was entered; 0 where there was none.
    pub(super) inside: [u32; 2],
}

/// All scopes that are open, in no order.
pub(super) fn sightings() -> Vec<Sighting> {
    let mut seen = Vec::new();
    for shard in 0..SHARDS {
        let places = lock(shard);
        seen.extend(places.records.iter().filter_map(|(place, record)| {
            let record = record.as_ref()?;
            let birth = place.birth.load(Ordering::Relaxed);
            Some(Sighting {
                name: record.name.find(),
                location: record.location,
                since: record.since,
                state: place.state(),
                frame: place.frame.load(Ordering::Relaxed),
                inside: [birth as u32, (birth >> 32) as u32],
            })
        }));
    }
    seen
}
