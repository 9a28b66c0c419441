//! Being forced: waiting for it, and doing it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::{Bound, is_forced, sources, within};

/// Ends when the exit that awaits it is [forced](crate::is_forced).
///
/// For exits that wait: whichever comes first, what they wait for or this.
/// Outside of an exit it never ends.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::future::pending;
/// use std::pin::pin;
/// use std::time::Duration;
/// use futures::future::select;
/// use withal::{ScopeExt, acquire, forced};
///
/// # withal_testing::run(|rt| async move {
/// let socket = acquire(async || Ok::<_, String>(())).release(async |(), _| {
///     let goodbye = pin!(pending::<()>()); // the other side does not answer
///     select(goodbye, pin!(forced())).await;
///     Ok::<(), String>(()) // here: reset it
/// });
/// // It ends in time, although only just.
/// socket.exit_within(&rt, Duration::from_secs(3)).using(async |()| ()).await?;
/// # Ok::<_, withal::Or<String, withal::Overdue>>(()) }).unwrap();
/// ```
///
/// # Cancel safety
///
/// Dropped, it only waits no more.
pub fn forced() -> Forced {
    Forced {
        number: 0,
        sources: Vec::new(),
    }
}

/// The future of [`forced`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Forced {
    /// Its number on the list, once it has one.
    number: u64,
    /// By whom it was bounded when it was polled last.
    sources: Vec<u32>,
}

/// Who waits for being forced, in the whole process, by who bounds them.
///
/// In which poll somebody is forced is known only to who polls him, and to whom an exit belongs may change while it waits.
/// So those are woken whom it may concern, and look for themselves.
static WAITING: Mutex<Waiting> = Mutex::new(Waiting {
    wakers: BTreeMap::new(),
    last: 0,
});

struct Waiting {
    wakers: BTreeMap<(u32, u64), Arc<Waker>>,
    last: u64,
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes those who wait for being forced and are bounded by `source`: they are, from the poll on that follows.
///
/// Nobody is taken off the list for it. Else another thread, which has taken him off, might not have woken him yet when that poll comes.
#[cold]
pub(crate) fn wake(source: u32) {
    let all = (source, 0)..=(source, u64::MAX);
    let wakers: Vec<_> = waiting()
        .wakers
        .range(all)
        .map(|(_, waker)| waker.clone())
        .collect();
    // Outside of the lock: waking may run anything.
    wakers.iter().for_each(|waker| waker.wake_by_ref());
}

/// Wakes all who wait for being forced: the grace of a canceller is over, which was not there yet when they were polled last.
#[cold]
pub(crate) fn wake_all() {
    let wakers: Vec<_> = waiting().wakers.values().cloned().collect();
    wakers.iter().for_each(|waker| waker.wake_by_ref());
}

impl Future for Forced {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if is_forced() {
            return Poll::Ready(());
        }
        let sources = sources();
        let waker = Arc::new(cx.waker().clone());
        let _old: Vec<_> = {
            let mut waiting = waiting();
            if self.number == 0 {
                waiting.last += 1;
                self.number = waiting.last;
            }
            let number = self.number;
            let gone = self.sources.iter().filter(|old| !sources.contains(old));
            let gone = gone.filter_map(|&source| waiting.wakers.remove(&(source, number)));
            let mut old: Vec<_> = gone.collect();
            for &source in &sources {
                old.extend(waiting.wakers.insert((source, number), waker.clone()));
            }
            old
        };
        self.sources = sources;
        Poll::Pending
    }
}

impl Drop for Forced {
    fn drop(&mut self) {
        for &source in &self.sources {
            let waker = waiting().wakers.remove(&(source, self.number));
            drop(waker);
        }
    }
}

/// Waits for `future`, unless who waits is forced before: then `None`.
pub(crate) async fn unless_forced<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut forced = pin!(forced());
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => forced.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Runs `future` such that the exits inside of it are [forced](crate::is_forced) from the start.
///
/// For a close that should not be graceful any more: `forcefully(open.close(outcome))`.
/// Nothing is cut by it: how much faster an exit ends is the exit's to say.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{Never, ScopeExt, acquire, forcefully, is_forced};
///
/// # withal_testing::block_on(async {
/// let scope = || acquire(async || Ok::<_, Never>(())).release(async |(), _| {
///     println!("in peace: {}", !is_forced());
///     Ok(())
/// });
/// let Ok(()) = scope().using(async |()| ()).await; // in peace: true
/// let Ok(()) = forcefully(scope().using(async |()| ())).await; // in peace: false
/// # });
/// ```
///
/// # Cancel safety
///
/// That of `future`. Exits that become orphans when it is dropped are forced, too.
pub fn forcefully<F: Future>(future: F) -> Forcefully<F> {
    Forcefully {
        future: Some(future),
    }
}

pin_project! {
    /// The future of [`forcefully`].
    ///
    /// # Drop behavior
    ///
    /// That of the future inside; the exits that it leaves behind stay forced.
    #[must_use = "futures do nothing unless polled"]
    pub struct Forcefully<F> {
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Forcefully<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut future = this.project().future;
            if future.is_some() {
                within(Some(Bound::FORCED), || future.set(None));
            }
        }
    }
}

impl<F: Future> Future for Forcefully<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut future = self.project().future;
        within(Some(Bound::FORCED), || {
            let running = future.as_mut().as_pin_mut();
            let polled = running.expect("polled after completion").poll(cx);
            if polled.is_ready() {
                future.set(None);
            }
            polled
        })
    }
}

impl<F> fmt::Debug for Forcefully<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forcefully").finish_non_exhaustive()
    }
}
