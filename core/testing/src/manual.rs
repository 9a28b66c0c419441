//! A runtime for tests: one thread, a clock that moves only when everything waits.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use withal_core::{
    Blocking, Launch, Orphan, Runtime, Shelter, Signals, Spawn, Task, Timer, at_home, isolated,
};

/// A deterministic runtime: an executor on one thread, and a clock that jumps to the next alarm when nothing else can run.
///
/// So a test never sleeps, and two seconds of a timeout are exactly two seconds.
/// It is a [`Runtime`], a [`Launch`] and the home of the root scopes that it runs.
/// Blocking work runs at once, in place.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, Instant};
/// use withal_core::{Launch, Timer, timeout};
/// use withal_testing::Manual;
///
/// let rt = Manual::new();
/// rt.block_on(async {
///     let timed = timeout(&rt, Duration::from_secs(2), std::future::pending::<()>());
///     assert!(timed.await.is_err());
///     assert_eq!(rt.now(), Duration::from_secs(2));
/// });
/// ```
///
/// # Panics
///
/// [`block_on`](Launch::block_on) panics when nothing can run, no alarm is set, and nobody else wakes anything for ten seconds.
///
/// # Drop behavior
///
/// Clones are handles. When the original is dropped, so are its tasks; what they had open is finished by the fallback thread.
pub struct Manual {
    inner: Arc<Inner>,
    is_original: bool,
}

struct Inner {
    me: Weak<Inner>,
    clock: Mutex<Clock>,
    ready: Mutex<Ready>,
}

#[derive(Default)]
struct Clock {
    now: Duration,
    alarms: BTreeMap<(Duration, u64), Waker>,
    last_alarm: u64,
    signals: u64,
    waiting_for_signals: Vec<Waker>,
}

#[derive(Default)]
struct Ready {
    queue: VecDeque<Arc<Running>>,
    /// All that have not ended, ready or not.
    tasks: BTreeMap<u64, Arc<Running>>,
    last_task: u64,
    driver: Option<Thread>,
    closed: bool,
}

/// A spawned future.
struct Running {
    number: u64,
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    queued: AtomicBool,
    inner: Arc<Inner>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn start(self: &Arc<Self>, future: impl Future<Output = ()> + Send + 'static) {
        let running = {
            let mut ready = lock(&self.ready);
            if ready.closed {
                return;
            }
            ready.last_task += 1;
            let number = ready.last_task;
            let running = Arc::new(Running {
                number,
                future: Mutex::new(Some(Box::pin(future))),
                queued: AtomicBool::new(false),
                inner: self.clone(),
            });
            ready.tasks.insert(number, running.clone());
            running
        };
        running.wake();
    }
}

impl Wake for Running {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut ready = lock(&self.inner.ready);
        ready.queue.push_back(self.clone());
        if let Some(driver) = &ready.driver {
            driver.unpark();
        }
    }
}

impl Shelter for Inner {
    fn finish(&self, orphan: Orphan) {
        if let Some(inner) = self.me.upgrade() {
            inner.start(orphan);
        }
    }
}

/// The waker of the main future.
struct Main {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Main {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Manual {
    /// A new runtime, at time zero.
    #[allow(clippy::new_without_default)] // a runtime is made on purpose
    pub fn new() -> Self {
        Self {
            inner: Arc::new_cyclic(|me| Inner {
                me: me.clone(),
                clock: Mutex::default(),
                ready: Mutex::default(),
            }),
            is_original: true,
        }
    }

    /// Moves the clock on by hand and wakes what that wakes.
    pub fn advance(&self, by: Duration) {
        let now = lock(&self.inner.clock).now + by;
        self.advance_to(now);
    }

    /// Does what Ctrl-C does elsewhere.
    pub fn interrupt(&self) {
        let waiting = {
            let mut clock = lock(&self.inner.clock);
            clock.signals += 1;
            std::mem::take(&mut clock.waiting_for_signals)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Runs tasks and orphans until none of them can go on, the clock included.
    pub fn settle(&self) {
        self.enter(|| while self.step() || self.next_alarm() {});
    }

    fn advance_to(&self, now: Duration) {
        let due = {
            let mut clock = lock(&self.inner.clock);
            let now = clock.now.max(now);
            clock.now = now;
            let later = clock.alarms.split_off(&(now, u64::MAX));
            std::mem::replace(&mut clock.alarms, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    /// Jumps to the next alarm, if there is one.
    fn next_alarm(&self) -> bool {
        let next = lock(&self.inner.clock).alarms.keys().next().copied();
        if let Some((at, _)) = next {
            self.advance_to(at);
        }
        next.is_some()
    }

    /// Polls the next task that is ready, if there is one.
    fn step(&self) -> bool {
        let Some(running) = lock(&self.inner.ready).queue.pop_front() else {
            return false;
        };
        running.queued.store(false, Ordering::Release);
        let waker = Waker::from(running.clone());
        let mut future = lock(&running.future);
        if let Some(polled) = &mut *future {
            // A task that panics ends alone.
            let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                polled.as_mut().poll(&mut Context::from_waker(&waker))
            }));
            if !matches!(polled, Ok(Poll::Pending)) {
                *future = None;
                lock(&self.inner.ready).tasks.remove(&running.number);
            }
        }
        true
    }

    /// Runs `f` as the executor of this thread.
    fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        lock(&self.inner.ready).driver = Some(thread::current());
        let shelter: Arc<dyn Shelter> = self.inner.clone();
        isolated(|| at_home(&shelter, f))
    }
}

impl Clone for Manual {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            is_original: false,
        }
    }
}

impl Drop for Manual {
    fn drop(&mut self) {
        if !self.is_original {
            return;
        }
        let tasks = {
            let mut ready = lock(&self.inner.ready);
            ready.closed = true;
            ready.queue.clear();
            std::mem::take(&mut ready.tasks)
        };
        for task in tasks.into_values() {
            let future = lock(&task.future).take();
            drop(future);
        }
    }
}

impl Launch for Manual {
    type Runtime = Self;

    fn runtime(&self) -> Self {
        self.clone()
    }

    fn block_on<F: Future>(&self, main: F) -> F::Output {
        let woken = Arc::new(Main {
            woken: AtomicBool::new(true),
            thread: thread::current(),
        });
        let waker = Waker::from(woken.clone());
        self.enter(|| {
            let mut main = pin!(main);
            loop {
                if woken.woken.swap(false, Ordering::AcqRel) {
                    let mut cx = Context::from_waker(&waker);
                    if let Poll::Ready(value) = main.as_mut().poll(&mut cx) {
                        return value;
                    }
                }
                let worked = self.step();
                if worked || woken.woken.load(Ordering::Acquire) || self.next_alarm() {
                    continue;
                }
                // Only another thread can help now; wakers unpark this one, and stale ones may, too.
                let patience = Instant::now() + Duration::from_secs(10);
                while !woken.woken.load(Ordering::Acquire)
                    && lock(&self.inner.ready).queue.is_empty()
                {
                    let left = patience.saturating_duration_since(Instant::now());
                    assert!(
                        !left.is_zero(),
                        "stuck: nothing can run and no alarm is set"
                    );
                    thread::park_timeout(left);
                }
            }
        })
    }

    fn exit_budget(&self) -> Duration {
        Duration::from_secs(10)
    }
}

impl Runtime for Manual {
    const NAME: &'static str = "manual";
}

impl Timer for Manual {
    type Sleep = Sleep;

    fn now(&self) -> Duration {
        lock(&self.inner.clock).now
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        Sleep {
            manual: self.clone(),
            at,
            alarm: None,
        }
    }
}

impl Spawn for Manual {
    fn spawn(&self, task: Task) {
        self.inner.start(task);
    }
}

impl Blocking for Manual {
    fn unblock<T, F>(&self, work: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        async move {
            // One suspension, as there is one on a pool.
            crate::yield_now().await;
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        }
    }
}

impl Signals for Manual {
    fn interrupted(&self) -> impl Future<Output = ()> + Send + 'static {
        let manual = self.clone();
        let before = lock(&self.inner.clock).signals;
        std::future::poll_fn(move |cx| {
            let mut clock = lock(&manual.inner.clock);
            if clock.signals > before {
                return Poll::Ready(());
            }
            clock.waiting_for_signals.push(cx.waker().clone());
            Poll::Pending
        })
    }
}

/// The future of [`Manual`]'s [`Timer::sleep_until`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    manual: Manual,
    at: Duration,
    alarm: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let me = &mut *self;
        let mut clock = lock(&me.manual.inner.clock);
        if clock.now >= me.at {
            return Poll::Ready(());
        }
        let number = *me.alarm.get_or_insert_with(|| {
            clock.last_alarm += 1;
            clock.last_alarm
        });
        clock.alarms.insert((me.at, number), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.alarm {
            lock(&self.manual.inner.clock)
                .alarms
                .remove(&(self.at, number));
        }
    }
}

impl fmt::Debug for Manual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manual").field("now", &self.now()).finish()
    }
}

/// Runs `future` on a [`Manual`] runtime: the `block_on` of documentation and tests.
pub fn block_on<F: Future>(future: F) -> F::Output {
    Manual::new().block_on(future)
}

/// Makes a [`Manual`] runtime and runs what `main` makes of it.
pub fn run<F: Future>(main: impl FnOnce(Manual) -> F) -> F::Output {
    let rt = Manual::new();
    rt.block_on(main(rt.clone()))
}
