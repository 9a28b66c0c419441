//! Orphans: exits whose own future was dropped, and the sets in which adopters drive them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

use crate::frame::{self, Birth, adopt};
use crate::home::{self, Home};
use crate::lost;
use crate::report::{Label, Phase};
use crate::surroundings::Surroundings;

pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One orphaned tree: an exit that waits for the exits inside of it (I5).
///
/// A job that is dropped before its end goes to its home (I1).
pub(crate) struct Job {
    work: Option<Work>,
    pub(crate) label: Label,
    pub(crate) home: Option<Home>,
    surroundings: Surroundings,
}

impl Job {
    pub(crate) fn new(work: Work, label: Label, surroundings: Surroundings) -> Self {
        Self {
            work: Some(work),
            label,
            home: None,
            surroundings,
        }
    }

    /// Polls to `true` at the end. Never unwinds: a panic goes to the lost-error hook (I7).
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(work) = &mut self.work else {
            return true;
        };
        let surroundings = &self.surroundings;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let mut polled = Poll::Pending;
            surroundings.around(&mut || polled = work.as_mut().poll(cx));
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

    /// Moves what is left to a new owner.
    fn take(&mut self) -> Option<Self> {
        let work = self.work.take()?;
        Some(Self {
            work: Some(work),
            label: self.label.clone(),
            home: self.home.take(),
            surroundings: self.surroundings.take(),
        })
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(job) = self.take() {
            home::send(job);
        }
    }
}

/// Finds an adopter for `job`: the top frame of this thread if its lineage is on the stack, else its home.
#[cold]
pub(crate) fn orphan(job: Job, birth: Birth) {
    if let Err(job) = adopt(job, birth) {
        home::send(job);
    }
}

/// The jobs of one adopter; nothing is allocated until there is one.
///
/// A set that is dropped sends what is left to its home.
pub(crate) struct Jobs(Option<Box<Set>>);

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
    pub(crate) fn push(&mut self, job: Job) {
        self.0.get_or_insert_default().push(job);
    }

    /// Adds all of `more`, moving the smaller set into the larger.
    #[cold]
    pub(crate) fn merge(&mut self, more: Self) {
        let Some(mut more) = more.0 else { return };
        let set = match &mut self.0 {
            None => {
                self.0 = Some(more);
                return;
            }
            Some(set) => set,
        };
        if more.live > set.live {
            std::mem::swap(set, &mut more);
        }
        for job in more.drain() {
            set.push(job);
        }
    }

    /// Gives every job to an adopter further out, or to its home.
    #[cold]
    pub(crate) fn pass_on(&mut self, birth: Birth) {
        if let Some(mut set) = self.0.take() {
            for job in set.drain() {
                orphan(job, birth);
            }
        }
    }

    /// Says which home the jobs have that know none yet.
    #[cold]
    pub(crate) fn set_home(&mut self, home: &Home) {
        for job in self.0.iter_mut().flat_map(|set| set.jobs_mut()) {
            job.home.get_or_insert_with(|| home.clone());
        }
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

/// A set of jobs, each with a waker of its own, so that waking one does not poll the others (I4).
#[derive(Default)]
struct Set {
    seats: Vec<Option<Seat>>,
    free: Vec<u32>,
    live: usize,
    ready: Arc<Ready>,
}

struct Seat {
    job: Job,
    bell: Arc<Bell>,
    waker: Waker,
}

impl Set {
    fn push(&mut self, job: Job) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            (self.seats.len() - 1) as u32
        });
        let bell = Arc::new(Bell {
            index,
            rung: AtomicBool::new(true),
            ready: self.ready.clone(),
        });
        let waker = Waker::from(bell.clone());
        self.seats[index as usize] = Some(Seat { job, bell, waker });
        self.live += 1;
        self.ready.lock().queue.push(index);
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        let waker = cx.waker().clone();
        let (woken, old_waker) = {
            let mut ready = self.ready.lock();
            (std::mem::take(&mut ready.queue), ready.waker.replace(waker))
        };
        // Outside of the lock: dropping a waker may run anything.
        drop(old_waker);
        for index in woken {
            // A seat may have been emptied, or taken by another job, since its bell was rung.
            let Some(seat) = &mut self.seats[index as usize] else {
                continue;
            };
            seat.bell.rung.store(false, Ordering::Release);
            if seat.job.poll(&mut Context::from_waker(&seat.waker)) {
                self.seats[index as usize] = None;
                self.free.push(index);
                self.live -= 1;
            }
        }
    }

    fn jobs_mut(&mut self) -> impl Iterator<Item = &mut Job> {
        self.seats.iter_mut().flatten().map(|seat| &mut seat.job)
    }

    fn drain(&mut self) -> impl Iterator<Item = Job> {
        self.seats.drain(..).flatten().map(|seat| seat.job)
    }
}

/// The jobs of a set that were woken, and who is to be told.
#[derive(Default)]
struct Ready(Mutex<ReadyState>);

#[derive(Default)]
struct ReadyState {
    queue: Vec<u32>,
    waker: Option<Waker>,
}

impl Ready {
    fn lock(&self) -> MutexGuard<'_, ReadyState> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The waker of one job.
struct Bell {
    index: u32,
    rung: AtomicBool,
    ready: Arc<Ready>,
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
            ready.queue.push(self.index);
            ready.waker.take()
        };
        // Outside of the lock: waking may run the adopter at once.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
