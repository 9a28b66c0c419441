//! The register of what is not ended: live root scopes that have suspended, and orphans at their homes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::HomeId;
use crate::frame;
use crate::report::{Entry, Label, Phase, What};

/// A place in the register; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) u32);

struct Record {
    label: Label,
    phase: Phase,
    /// The frame of a live root; 0 for a job.
    frame: u32,
    home: HomeId,
    /// The exits of this job that are running now, the inner ones of a tree included.
    running: Vec<Label>,
    /// Its overdueness has been told for good: nobody waits for it any more.
    given_up: bool,
}

/// Threads register in different shards, so that root scopes of a server do not meet at one lock.
const SHARDS: usize = 16;

#[derive(Default)]
struct Shard {
    records: Vec<Option<Record>>,
    free: Vec<usize>,
}

static REGISTER: [Mutex<Shard>; SHARDS] = [const {
    Mutex::new(Shard {
        records: Vec::new(),
        free: Vec::new(),
    })
}; SHARDS];

/// How many records were ever added: tells one who looks through the shards whether he has missed something.
static ADDED: AtomicUsize = AtomicUsize::new(0);
static WAITING: AtomicUsize = AtomicUsize::new(0);
static WAITERS: Mutex<Vec<Waker>> = Mutex::new(Vec::new());

fn shard(number: usize) -> MutexGuard<'static, Shard> {
    REGISTER[number]
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn add(record: Record) -> Key {
    // Frame ids come in blocks per thread, so that their upper bits tell threads apart.
    let number = (frame::next_id() >> 12) as usize % SHARDS;
    let mut shard = shard(number);
    // Under the lock, and before any record that this one replaces is removed.
    ADDED.fetch_add(1, Ordering::SeqCst);
    let place = match shard.free.pop() {
        Some(place) => {
            shard.records[place] = Some(record);
            place
        }
        None => {
            shard.records.push(Some(record));
            shard.records.len() - 1
        }
    };
    key(number, place)
}

fn key(shard: usize, place: usize) -> Key {
    Key((place * SHARDS + shard + 1) as u32)
}

fn split(key: Key) -> (usize, usize) {
    let index = key.0 as usize - 1;
    (index % SHARDS, index / SHARDS)
}

pub(crate) fn add_root(label: Label, frame: u32, home: HomeId) -> Key {
    add(Record {
        label,
        phase: Phase::Body,
        frame,
        home,
        running: Vec::new(),
        given_up: false,
    })
}

pub(super) fn add_job(label: Label, home: HomeId) -> Key {
    add(Record {
        label,
        phase: Phase::Exit,
        frame: 0,
        home,
        running: Vec::new(),
        given_up: false,
    })
}

/// Notes that a live root is in its exit.
pub(crate) fn set_exiting(key: Key) {
    let (number, place) = split(key);
    if let Some(Some(record)) = shard(number).records.get_mut(place) {
        record.phase = Phase::Exit;
    }
}

pub(crate) fn remove(key: Key) {
    let (number, place) = split(key);
    {
        let mut shard = shard(number);
        shard.records[place] = None;
        shard.free.push(place);
    }
    if WAITING.load(Ordering::SeqCst) > 0 {
        let waiters = std::mem::take(&mut *WAITERS.lock().unwrap_or_else(PoisonError::into_inner));
        for waiter in waiters {
            waiter.wake();
        }
    }
}

/// An exit of a job that has suspended; taken off the list when it is dropped.
pub(crate) struct Running {
    key: Key,
    label: Label,
}

impl Running {
    /// Notes an exit of the job that is being driven on this thread; `None` if that is not the job of a home.
    pub(crate) fn note(label: &Label) -> Option<Self> {
        let key = Key(std::num::NonZero::new(frame::errand())?.get());
        let (number, place) = split(key);
        shard(number)
            .records
            .get_mut(place)?
            .as_mut()?
            .running
            .push(label.clone());
        Some(Self {
            key,
            label: label.clone(),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let (number, place) = split(self.key);
        if let Some(Some(record)) = shard(number).records.get_mut(place) {
            let same = |label: &Label| {
                label.name == self.label.name && label.location == self.label.location
            };
            if let Some(found) = record.running.iter().position(same) {
                record.running.swap_remove(found);
            }
        }
    }
}

/// The records of a shard for which somebody waits who waits for `home`, or for all of them: not the root, or the job, that he is himself inside of.
fn counted(
    number: usize,
    shard: &mut Shard,
    home: Option<HomeId>,
) -> impl Iterator<Item = &mut Record> {
    let errand = frame::errand();
    let records = shard.records.iter_mut().enumerate();
    records.filter_map(move |(place, record)| {
        let record = record.as_mut()?;
        let counts = !record.given_up
            && home.is_none_or(|home| home == record.home)
            && !frame::is_frame_on_stack(record.frame)
            && key(number, place).0 != errand;
        counts.then_some(record)
    })
}

/// Whether nothing is left at `home`, or anywhere.
pub(super) fn is_empty(home: Option<HomeId>) -> bool {
    loop {
        let added = ADDED.load(Ordering::SeqCst);
        let found = (0..SHARDS).any(|number| {
            let shard = &mut shard(number);
            counted(number, shard, home).next().is_some()
        });
        // A root may have become a job in a shard that was looked through before it, and was gone from the other one.
        if found || ADDED.load(Ordering::SeqCst) == added {
            return !found;
        }
    }
}

/// What is left, as overdue; if it is to be given up, nobody waits for it any more.
pub(super) fn overdue(home: Option<HomeId>, give_up: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    for number in 0..SHARDS {
        for record in counted(number, &mut shard(number), home) {
            record.given_up |= give_up;
            if record.running.is_empty() {
                entries.push(Entry::new(What::Overdue).at(record.phase, &record.label));
            }
            for label in &record.running {
                entries.push(Entry::new(What::Overdue).at(Phase::Exit, label));
            }
        }
    }
    entries
}

/// One who waits for the register to become empty.
pub(super) struct Waiter(());

impl Waiter {
    pub(super) fn new() -> Self {
        WAITING.fetch_add(1, Ordering::SeqCst);
        Self(())
    }

    /// Is woken at the next removal.
    pub(super) fn listen(&self, waker: &Waker) {
        let mut waiters = WAITERS.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiters.iter().any(|waiting| waiting.will_wake(waker)) {
            waiters.push(waker.clone());
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if WAITING.fetch_sub(1, Ordering::SeqCst) == 1 {
            let waiters =
                std::mem::take(&mut *WAITERS.lock().unwrap_or_else(PoisonError::into_inner));
            // A waiter that has come meanwhile looks again.
            waiters.into_iter().for_each(Waker::wake);
        }
    }
}
