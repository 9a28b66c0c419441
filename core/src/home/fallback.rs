//! The fallback thread: finishes the orphans that have no runtime, or whose runtime has dropped them.
//!
//! It is started by the first of them, drives all of them concurrently, and stays.
//! If it cannot be started, orphans wait in the queue for a [`drain`](super::drain::drain) to drive them.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::Orphan;
use crate::orphan::{Job, Jobs, Parcel};
use crate::surroundings::Surroundings;

struct State {
    queue: Vec<Orphan>,
    waker: Option<Waker>,
    running: bool,
}

static STATE: Mutex<State> = Mutex::new(State {
    queue: Vec::new(),
    waker: None,
    running: false,
});

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Queues `orphan` and sees to it that the thread runs.
pub(super) fn finish(orphan: Orphan) {
    let waker = {
        let mut state = state();
        state.queue.push(orphan);
        if !state.running {
            // I8: a thread that cannot be started is no panic.
            state.running = start();
        }
        state.waker.take()
    };
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn start() -> bool {
    thread::Builder::new()
        .name("withal-fallback".into())
        .spawn(run)
        .is_ok()
}

fn run() {
    let mut jobs = Jobs::NONE;
    let drive = std::future::poll_fn(move |cx| -> Poll<()> {
        let queue = {
            let mut state = state();
            state.waker = Some(cx.waker().clone());
            std::mem::take(&mut state.queue)
        };
        take_in(queue, &mut jobs);
        jobs.poll(cx);
        Poll::Pending
    });
    if let Err(drive) = super::runtime::block_on(drive) {
        block_on(drive);
    }
}

fn take_in(queue: Vec<Orphan>, jobs: &mut Jobs) {
    for orphan in queue {
        let Some(label) = orphan.label().cloned() else {
            continue;
        };
        let job = Job::new(Box::pin(orphan), label, Surroundings::default(), false);
        jobs.push(Parcel::One(job));
    }
}

/// Where there is no thread: takes what is queued, for the caller to drive.
pub(super) fn take_stranded(jobs: &mut Jobs, cx: &Context<'_>) {
    let queue = {
        let mut state = state();
        if state.running {
            return;
        }
        state.waker = Some(cx.waker().clone());
        std::mem::take(&mut state.queue)
    };
    take_in(queue, jobs);
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
        thread::park();
    }
}
