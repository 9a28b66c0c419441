//! Budgets: how much time the exits on this thread's stack have, and whether they are forced.
//!
//! Whoever ends an exit by force says so while he polls it: the deadline of an exit, the budget of a stack, the grace of a canceller.
//! The bounds of all of them lie on one list of this thread, the innermost last, and are there only during the poll; so an exit that moves elsewhere leaves them behind.
//! Their clocks may differ: what is left is compared, and no points in time.
//!
//! When the time of an exit is over, it is polled once more with the last bound replaced by [`Bound::FORCED`], so that what can end at once ends.

pub(crate) mod forced;

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::Duration;

use crate::clock::Limit;
use crate::frame;

/// What bounds the exits that are polled now.
#[derive(Clone)]
pub(crate) struct Bound {
    /// Who bounds them: an id that only those inside know, so that they can be [woken](forced::wake) when their time is over. 0 is nobody.
    source: u32,
    time: Time,
}

#[derive(Clone)]
enum Time {
    /// They have so much, and their clock has not started.
    All(Duration),
    /// They are given up then.
    By(Limit),
    /// Their time is over: this is the last poll, or a close that is not to be graceful.
    Forced,
}

impl Bound {
    pub(crate) const FORCED: Self = Self {
        source: 0,
        time: Time::Forced,
    };

    /// They have so much, and their clock has not started.
    pub(crate) fn all(source: u32, time: Duration) -> Self {
        let time = Time::All(time);
        Self { source, time }
    }

    /// They are given up then.
    pub(crate) fn by(source: u32, limit: Limit) -> Self {
        let time = Time::By(limit);
        Self { source, time }
    }

    /// That of a limit which may be over.
    pub(crate) fn until(source: u32, limit: &Limit) -> Self {
        match limit.left() {
            Some(Duration::ZERO) => Self::FORCED,
            _ => Self::by(source, limit.clone()),
        }
    }

    fn left(&self) -> Option<Duration> {
        match &self.time {
            Time::All(time) => Some(*time),
            Time::By(limit) => limit.left(),
            Time::Forced => Some(Duration::ZERO),
        }
    }

    /// Whether it was said that the time is over.
    pub(crate) fn is_forced(&self) -> bool {
        matches!(self.time, Time::Forced)
    }
}

/// Which part of the list counts: cells without a destructor, so that they are still there while the thread exits (I8).
struct Here {
    len: Cell<usize>,
    /// How many are hidden by [`aside`].
    base: Cell<usize>,
    /// How many there were when the innermost canceller began to close; only read while closing.
    outside: Cell<usize>,
}

thread_local! {
    static HERE: Here = const {
        Here {
            len: Cell::new(0),
            base: Cell::new(0),
            outside: Cell::new(0),
        }
    };
    static BOUNDS: RefCell<Vec<Bound>> = const { RefCell::new(Vec::new()) };
}

/// Looks at this thread's cells. (By `try_with`, for `with` is not inlined everywhere.)
#[inline(always)]
fn here<R>(look: impl FnOnce(&Here) -> R) -> R {
    match HERE.try_with(look) {
        Ok(seen) => seen,
        Err(_) => unreachable!("it has no destructor"),
    }
}

/// Runs `f`, a poll or a drop of exits, within `bound`, if there is one.
#[inline(always)]
pub(crate) fn within<R>(bound: Option<Bound>, f: impl FnOnce() -> R) -> R {
    let _pop = bound.and_then(push);
    f()
}

/// Takes the bound off again, also when the poll unwinds.
struct Pop;

#[cold]
fn push(bound: Bound) -> Option<Pop> {
    // The list is gone while the thread exits (I8).
    BOUNDS
        .try_with(|bounds| bounds.borrow_mut().push(bound))
        .ok()?;
    here(|here| here.len.set(here.len.get() + 1));
    Some(Pop)
}

impl Drop for Pop {
    #[cold]
    fn drop(&mut self) {
        here(|here| here.len.set(here.len.get() - 1));
        let bound = BOUNDS.try_with(|bounds| bounds.borrow_mut().pop());
        // Here and not under the borrow: a clock may be anything.
        drop(bound);
    }
}

/// Which bounds count for what is polled now.
///
/// A body that is being closed is no exit: the grace of its canceller bounds only the exits inside.
fn visible() -> Range<usize> {
    let closing = frame::is_closing();
    here(|here| {
        let len = if closing { &here.outside } else { &here.len };
        here.base.get()..len.get()
    })
}

/// Runs `f` while a canceller is closing; `nested` says that another one is, further out. `f` does not unwind.
pub(crate) fn closing<R>(nested: bool, f: impl FnOnce() -> R) -> R {
    let outside = here(|here| {
        let outside = here.outside.get();
        if !nested {
            here.outside.set(here.len.get());
        }
        outside
    });
    let result = f();
    here(|here| here.outside.set(outside));
    result
}

/// Runs `f`, which the canceller that is closing has nothing to do with, out of sight of its grace. `f` does not unwind.
#[cold]
pub(crate) fn out_of_sight<R>(f: impl FnOnce() -> R) -> R {
    let outside = here(|here| here.outside.get().min(here.len.get()));
    let split = BOUNDS.try_with(|bounds| bounds.borrow_mut().split_off(outside));
    let len = here(|here| here.len.replace(outside));
    let result = f();
    here(|here| here.len.set(len));
    if let Ok(split) = split {
        let _ = BOUNDS.try_with(|bounds| bounds.borrow_mut().extend(split));
    }
    result
}

/// Hides all bounds of this thread until it is dropped.
#[inline(always)]
pub(crate) fn aside() -> Aside {
    here(|here| Aside(here.base.replace(here.len.get())))
}

/// See [`aside`].
pub(crate) struct Aside(usize);

impl Drop for Aside {
    #[inline(always)]
    fn drop(&mut self) {
        here(|here| here.base.set(self.0));
    }
}

/// Whether what is dropped now was forced: then it stays so, whoever finishes it.
#[cold]
pub(crate) fn is_dropped_by_force() -> bool {
    let mut all = here(|here| here.base.get()..here.len.get());
    all.any(|index| at(index).is_some_and(|bound| bound.is_forced()))
}

/// The bound with this number. A copy, for a clock may be anything and must not be asked under the borrow.
fn at(index: usize) -> Option<Bound> {
    let bound = BOUNDS.try_with(|bounds| bounds.borrow().get(index).cloned());
    bound.ok().flatten()
}

/// Who bounds the exit that asks; nobody, if it is nobody.
fn sources() -> Vec<u32> {
    let mut sources: Vec<_> = visible()
        .filter_map(|index| Some(at(index)?.source))
        .collect();
    if sources.is_empty() {
        sources.push(0);
    }
    sources
}

/// How much time the exit has that asks, or `None` if nothing bounds it.
///
/// It is the least of all budgets around it: of [`exit_within`](crate::ScopeExt::exit_within), of a stack's [`within`](crate::ExitStack::within) and [`each_within`](crate::ExitStack::each_within), of a step of [`releasing`](crate::releasing()), of the [grace](crate::Timeout::grace) of the timeout that is cutting, and of a program that [stops](crate::Launch::run).
/// When it is over, the exit is [forced](is_forced), and given up if it does not end at once.
///
/// For exits that have something to choose: how many times they try, how long they wait for an answer, what they leave to the next start.
/// Outside of any exit there is no bound. Nor is there one for an orphan that is finished at its [home](crate::drain()), for nobody waits for it any more.
/// Different timers may have different clocks, and so there is no point in time to be had.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::time::Duration;
/// use withal::{ScopeExt, Timer, acquire, time_left, timeout};
///
/// # withal_testing::run(|rt| async move {
/// const SECOND: Duration = Duration::from_secs(1);
/// let timer = rt.clone();
/// let buffer = acquire(async || Ok::<_, String>(())).release(async move |(), _| {
///     // Half of it for the flush, the rest for what must be done in any case.
///     let half = time_left().map_or(SECOND, |left| left / 2);
///     assert_eq!(half, 2 * SECOND);
///     let flush = timer.sleep(30 * SECOND);
///     Ok::<(), String>(drop(timeout(&timer, half, flush).await))
/// });
/// buffer.exit_within(&rt, 4 * SECOND).using(async |()| assert_eq!(time_left(), None)).await?;
/// assert_eq!(rt.now(), 2 * SECOND);
/// # Ok::<_, withal::Or<String, withal::Overdue>>(()) }).unwrap();
/// ```
#[must_use]
pub fn time_left() -> Option<Duration> {
    visible().filter_map(|index| at(index)?.left()).min()
}

/// Whether the exit that asks is forced: its time is over, or somebody will not wait for a graceful end.
///
/// So it is when nothing is [left](time_left) of its time, when the second Ctrl-C has come, and inside of [`forcefully`](crate::forcefully).
/// In the first two cases it is polled once more, and dropped or left to somebody else if it does not end by that.
/// So: no more waiting for the other side, only what can be done at once.
/// Once forced it stays so, also as an orphan.
///
/// An exit that waits for something else does not come to ask: it waits for [`forced`](crate::forced()) beside it.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{Outcome, ScopeExt, acquire, forcefully, is_forced};
///
/// # withal_testing::block_on(async {
/// let socket = acquire(async || Ok::<_, String>(())).release(async |(), _| {
///     match is_forced() {
///         true => Err("reset".to_owned()),
///         false => Ok(()), // here: say goodbye, and wait for the answer
///     }
/// });
/// let open = socket.open().await?;
/// assert_eq!(forcefully(open.close(Outcome::Success)).await.unwrap_err(), "reset");
/// assert!(!is_forced());
/// # Ok::<_, String>(()) }).unwrap();
/// ```
#[must_use]
pub fn is_forced() -> bool {
    time_left() == Some(Duration::ZERO)
}
