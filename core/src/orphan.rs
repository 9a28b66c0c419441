//! Orphans: exits whose own future was dropped, and the sets in which adopters drive them.
//!
//! A set is flat: a node of a tree has a seat like any other, and gets its turn when the group of its children has ended (I2, I5).
//! So waking one job of many costs the same at any depth, and driving a tree needs no stack for its depth (I9).

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::budget::{self, Bound};
use crate::frame::{self, Birth, Dropping, adopt};
use crate::home::{self, Home};
use crate::inspect::Listing;
use crate::lost;
use crate::report::{Entry, Label, Phase, What};
use crate::surroundings::Surroundings;

pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One orphaned exit.
///
/// Dropped before its end, it goes to its home (I1).
pub(crate) struct Job {
    work: Option<Work>,
    pub(crate) label: Label,
    surroundings: Surroundings,
    /// Whether it was lent the error of another scope's body, whose `with` ends only after it: it cannot go home.
    borrows: bool,
    listing: Listing,
    /// Whether it was forced when it became an orphan: then it stays so.
    forced: bool,
}

impl Job {
    pub(crate) fn new(work: Work, label: Label, surroundings: Surroundings, borrows: bool) -> Self {
        Self {
            work: Some(work),
            label,
            surroundings,
            borrows,
            listing: Listing::NONE,
            forced: false,
        }
    }

    /// The same with a listing, which ends with it.
    pub(crate) fn listed(mut self, listing: Listing) -> Self {
        self.listing = listing;
        self
    }

    /// Drops the work of a job that cannot go on.
    fn abandon(&mut self) {
        let work = self.work.take();
        lost::tell(Entry::new(What::Overdue).at(Phase::Exit, &self.label));
        let drop_it = || catch_unwind(AssertUnwindSafe(|| drop(work)));
        if let Err(panic) = frame::while_dropping(Dropping::Abandoned, drop_it) {
            lost::tell_panic(&*panic, Phase::Exit, &self.label);
            lost::discard(Box::new(panic));
        }
    }

    /// Polls to `true` at the end. Never unwinds: a panic goes to the lost-error hook (I7).
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(work) = &mut self.work else {
            return true;
        };
        let surroundings = &self.surroundings;
        let bound = self.forced.then_some(Bound::FORCED);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let mut polled = Poll::Pending;
            let mut poll = || polled = work.as_mut().poll(cx);
            budget::within(bound, || surroundings.around(&mut poll));
            polled
        }));
        match polled {
            Ok(Poll::Pending) => return false,
            Ok(Poll::Ready(())) => {}
            Err(panic) => {
                lost::tell_panic(&*panic, Phase::Exit, &self.label);
                lost::discard(Box::new(panic));
            }
        }
        let work = self.work.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(work))) {
            lost::tell_panic(&*panic, Phase::Exit, &self.label);
            lost::discard(Box::new(panic));
        }
        true
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            let surroundings = self.surroundings.take();
            let job = Self::new(work, self.label.clone(), surroundings, self.borrows);
            let mut job = job.listed(self.listing.take());
            job.forced = self.forced;
            home::send(Parcel::One(job), None);
        }
    }
}

/// What is handed from one owner to the next: a single orphan, or trees of them.
pub(crate) enum Parcel {
    One(Job),
    Many(Jobs),
}

impl Parcel {
    /// Polls to `true` at the end. Never unwinds.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        match self {
            Self::One(job) => frame::shielded(|| job.poll(cx)),
            Self::Many(jobs) => {
                jobs.poll(cx);
                !jobs.any()
            }
        }
    }

    /// It is handed on: what was forced stays so.
    pub(crate) fn stay_forced(&mut self) {
        if budget::is_dropped_by_force() {
            match self {
                Self::One(job) => job.forced = true,
                Self::Many(jobs) => jobs.force(),
            }
        }
    }

    /// What of it can go home: not the jobs that were lent an error which must be given back before.
    pub(crate) fn without_borrowers(mut self) -> Option<Self> {
        match &mut self {
            Self::One(job) if job.borrows => job.abandon(),
            Self::One(_) => return Some(self),
            Self::Many(jobs) => {
                jobs.abandon_borrowers();
                if jobs.any() {
                    return Some(self);
                }
            }
        }
        None
    }

    /// The name under which its home knows it.
    pub(crate) fn label(&self) -> Option<&Label> {
        match self {
            Self::One(job) => Some(&job.label),
            Self::Many(jobs) => jobs.0.as_ref().and_then(|set| set.top_label()),
        }
    }
}

/// Finds an adopter for `parcel`: the top frame of this thread if its lineage is on the stack, else its home.
#[cold]
pub(crate) fn orphan(mut parcel: Parcel, home: Option<Home>, birth: Birth) {
    parcel.stay_forced();
    if let Err(parcel) = adopt(parcel, birth) {
        home::send(parcel, home);
    }
}

/// The jobs of one adopter; nothing is allocated until there is one.
///
/// A set that is dropped goes to its home.
#[derive(Default)]
pub(crate) struct Jobs(Option<Box<Set>>);

impl Drop for Jobs {
    #[inline(always)]
    fn drop(&mut self) {
        if self.0.is_some() {
            home::send(Parcel::Many(self.take()), None);
        }
    }
}

impl Jobs {
    pub(crate) const NONE: Self = Self(None);

    #[inline(always)]
    pub(crate) fn any(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    #[cold]
    pub(crate) fn push(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::One(job) => self.0.get_or_insert_default().push(job),
            Parcel::Many(jobs) => self.merge(jobs),
        }
    }

    /// Adds all of `more`, moving the smaller set into the larger.
    #[cold]
    pub(crate) fn merge(&mut self, mut more: Self) {
        let Some(mut more) = more.0.take() else {
            return;
        };
        let Some(set) = &mut self.0 else {
            self.0 = Some(more);
            return;
        };
        if more.live > set.live {
            std::mem::swap(set, &mut more);
        }
        set.absorb(*more);
    }

    /// Makes one tree of these jobs and `top`, which waits for all of them (I5).
    #[cold]
    pub(crate) fn under(mut self, top: Job) -> Parcel {
        match &mut self.0 {
            None => Parcel::One(top),
            Some(set) => {
                set.crown(top);
                Parcel::Many(self)
            }
        }
    }

    /// Drops all of them, which is told: the deadline of what they belong to has struck.
    #[cold]
    pub(crate) fn abandon(&mut self) {
        self.abandon_all(|_| true);
    }

    fn abandon_borrowers(&mut self) {
        self.abandon_all(|job| job.borrows);
    }

    fn abandon_all(&mut self, which: impl Fn(&Job) -> bool) {
        let Some(set) = &mut self.0 else { return };
        for index in 0..set.seats.len() {
            let Some(seat) = set.seats[index].as_mut().filter(|seat| which(&seat.job)) else {
                continue;
            };
            seat.job.abandon();
            if let Some(parent) = set.leave(index) {
                set.ring(parent);
            }
        }
        if set.live == 0 {
            self.0 = None;
        }
    }

    fn force(&mut self) {
        let seats = self.0.iter_mut().flat_map(|set| set.seats.iter_mut());
        seats.flatten().for_each(|seat| seat.job.forced = true);
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = &Label> {
        self.0
            .iter()
            .flat_map(|set| set.seats.iter().flatten().map(|seat| &seat.job.label))
    }

    /// Polls the jobs that were woken since the last time, each once. Never unwinds.
    #[cold]
    #[inline(never)]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) {
        if let Some(set) = &mut self.0 {
            frame::shielded(|| set.poll(cx));
            if set.live == 0 {
                self.0 = None;
            }
        }
    }

    /// Drives all jobs to their end.
    pub(crate) async fn drain(mut self) {
        std::future::poll_fn(|cx| {
            self.poll(cx);
            if self.any() {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}

/// A flat set of trees of jobs, each job with a waker of its own, so that waking one does not poll the others (I4).
struct Set {
    seats: Vec<Option<Seat>>,
    free_seats: Vec<usize>,
    groups: Vec<Group>,
    free_groups: Vec<usize>,
    /// The group of the jobs that have no parent.
    top: usize,
    live: usize,
    ready: Arc<Ready>,
}

struct Seat {
    job: Job,
    group: usize,
    /// Whether it waits for the group of its children.
    waits: bool,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Jobs with the same parent: how many are left, and the seat that waits for them.
#[derive(Clone, Copy, Default)]
struct Group {
    left: usize,
    parent: Option<usize>,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            seats: Vec::new(),
            free_seats: Vec::new(),
            groups: vec![Group::default()],
            free_groups: Vec::new(),
            top: 0,
            live: 0,
            ready: Arc::default(),
        }
    }
}

impl Set {
    /// Adds a job without a parent.
    fn push(&mut self, job: Job) {
        let index = self.sit(job, self.top, false);
        self.ring(index);
    }

    /// Adds a job that is the parent of all that have none.
    fn crown(&mut self, job: Job) {
        let children = std::mem::replace(&mut self.top, usize::MAX);
        self.top = self.new_group();
        let index = self.sit(job, self.top, true);
        self.groups[children].parent = Some(index);
    }

    /// Gives `job` a seat; its bell is still to be rung.
    fn sit(&mut self, job: Job, group: usize, waits: bool) -> usize {
        let index = self.free_seats.pop().unwrap_or_else(|| {
            self.seats.push(None);
            self.seats.len() - 1
        });
        let bell = Bell::new(index, &self.ready);
        let waker = Waker::from(bell.clone());
        self.seats[index] = Some(Seat {
            job,
            group,
            waits,
            bell,
            waker,
        });
        self.groups[group].left += 1;
        self.live += 1;
        index
    }

    fn new_group(&mut self) -> usize {
        self.free_groups.pop().unwrap_or_else(|| {
            self.groups.push(Group::default());
            self.groups.len() - 1
        })
    }

    fn ring(&self, index: usize) {
        if let Some(seat) = &self.seats[index] {
            seat.bell.wake_by_ref();
        }
    }

    /// The label of a job without a parent.
    fn top_label(&self) -> Option<&Label> {
        let mut seats = self.seats.iter().flatten();
        seats
            .find(|seat| seat.group == self.top)
            .map(|seat| &seat.job.label)
    }

    /// Moves all of `more` here. Its jobs get new wakers, and so one more poll.
    fn absorb(&mut self, more: Self) {
        let groups: Vec<usize> = (0..more.groups.len())
            .map(|group| match more.groups[group] {
                _ if group == more.top => self.top,
                Group { left: 0, .. } => usize::MAX, // free
                _ => self.new_group(),
            })
            .collect();
        let mut moved = vec![usize::MAX; more.seats.len()];
        for (old, seat) in more.seats.into_iter().enumerate() {
            let Some(seat) = seat else { continue };
            moved[old] = self.sit(seat.job, groups[seat.group], seat.waits);
            if !seat.waits {
                self.ring(moved[old]);
            }
        }
        for (old, group) in more.groups.iter().enumerate() {
            if let Some(parent) = group.parent {
                self.groups[groups[old]].parent = Some(moved[parent]);
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        let waker = cx.waker().clone();
        let (mut woken, old_waker) = {
            let mut ready = self.ready.lock();
            (std::mem::take(&mut ready.queue), ready.waker.replace(waker))
        };
        // Outside of the lock: dropping a waker may run anything.
        drop(old_waker);
        while let Some(index) = woken.pop_front() {
            // A seat may have been emptied, or taken by another job, since its bell was rung.
            let Some(seat) = self.seats[index].as_mut().filter(|seat| !seat.waits) else {
                continue;
            };
            seat.bell.silence();
            if seat.job.poll(&mut Context::from_waker(&seat.waker))
                && let Some(parent) = self.leave(index)
            {
                woken.push_back(parent);
            }
        }
    }

    /// Empties a seat; gives its parent if that has nothing to wait for any more.
    fn leave(&mut self, index: usize) -> Option<usize> {
        let seat = self.seats[index].take()?;
        self.free_seats.push(index);
        self.live -= 1;
        let group = &mut self.groups[seat.group];
        group.left -= 1;
        if group.left > 0 {
            return None;
        }
        let parent = group.parent.take()?;
        self.free_groups.push(seat.group);
        if let Some(parent) = &mut self.seats[parent] {
            parent.waits = false;
        }
        Some(parent)
    }
}

/// The jobs of a set that were woken, and who is to be told.
#[derive(Default)]
pub(crate) struct Ready(Mutex<ReadyState>);

#[derive(Default)]
pub(crate) struct ReadyState {
    pub(crate) queue: VecDeque<usize>,
    pub(crate) waker: Option<Waker>,
}

impl Ready {
    pub(crate) fn lock(&self) -> MutexGuard<'_, ReadyState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The waker of one job.
pub(crate) struct Bell {
    index: usize,
    rung: AtomicBool,
    ready: Arc<Ready>,
}

impl Bell {
    pub(crate) fn new(index: usize, ready: &Arc<Ready>) -> Arc<Self> {
        Arc::new(Self {
            index,
            rung: AtomicBool::new(false),
            ready: ready.clone(),
        })
    }

    /// It is about to be answered: it may be rung again.
    pub(crate) fn silence(&self) {
        self.rung.store(false, Ordering::Release);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let waker = {
            let mut ready = self.ready.lock();
            ready.queue.push_back(self.index);
            ready.waker.take()
        };
        // Outside of the lock: waking may run the adopter at once.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
