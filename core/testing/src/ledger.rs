//! The ledger: records what scopes do, and checks that nothing is lost and nothing is out of order.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use withal_core::{Outcome, Propagate, Scope, drained};

use crate::cut::yield_times;
use crate::faults::Faults;

/// Records the enters and exits of its [scopes](Ledger::scope), and checks I1 and I2:
/// every entered scope exits exactly once, and after everything that was entered inside of it.
///
/// # Examples
///
/// ```
/// use withal_core::ScopeExt;
/// use withal_testing::{Ledger, block_on};
///
/// let ledger = Ledger::new();
/// block_on(ledger.scope("a").using(async |a| {
///     ledger.scope("b").inside(a).using(async |_| ()).await
/// })).unwrap().unwrap();
/// assert_eq!(ledger.trace(), "+a +b ~b -b ~a -a");
/// ledger.check();
/// ```
#[derive(Clone, Default)]
pub struct Ledger(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// Enters that are running: also one whose caller is gone may still succeed.
    entering: AtomicUsize,
    entered: AtomicUsize,
    exited: AtomicUsize,
    /// Only counts; for millions of scopes.
    quiet: bool,
    faults: Option<Faults>,
}

#[derive(Default)]
struct State {
    trace: Vec<String>,
    outcomes: Vec<(String, String)>,
    violations: Vec<String>,
    waiting: Vec<Waker>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// A ledger that keeps no trace, only counts and violations.
    pub fn quiet() -> Self {
        Self(Arc::new(Inner {
            quiet: true,
            ..Inner::default()
        }))
    }

    /// A ledger whose scopes and [points](Ledger::point) meet `faults`.
    pub(crate) fn faulty(faults: Faults) -> Self {
        Self(Arc::new(Inner {
            faults: Some(faults),
            ..Inner::default()
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A scope that records itself here.
    pub fn scope(&self, name: impl Into<String>) -> Traced {
        Traced {
            ledger: self.clone(),
            name: name.into(),
            inside: None,
            enter: Plan::default(),
            exit: Plan::default(),
        }
    }

    /// Writes `text` into the trace.
    pub fn say(&self, text: impl Into<String>) {
        if !self.0.quiet {
            self.state().trace.push(text.into());
        }
    }

    /// A point of a body at which a [fault sweep](crate::fault_sweep()) may strike.
    ///
    /// # Errors
    ///
    /// The injected error.
    ///
    /// # Panics
    ///
    /// With the injected panic.
    pub fn point(&self, what: &str) -> Result<(), Injected> {
        match &self.0.faults {
            Some(faults) => faults.meet(what),
            None => Ok(()),
        }
    }

    /// What happened, in order: `+` entered, `~` exit started, `-` exit ended, `!` exit failed or panicked.
    pub fn trace(&self) -> String {
        self.state().trace.join(" ")
    }

    /// The outcome that the exit of `name` has seen, in words.
    pub fn outcome(&self, name: &str) -> Option<String> {
        let state = self.state();
        let mut outcomes = state.outcomes.iter();
        outcomes
            .find(|(scope, _)| scope == name)
            .map(|(_, outcome)| outcome.clone())
    }

    /// How many scopes were entered.
    pub fn entered(&self) -> usize {
        self.0.entered.load(Ordering::SeqCst)
    }

    /// How many scopes are entered and have not ended their exit.
    pub fn live(&self) -> usize {
        self.entered() - self.0.exited.load(Ordering::SeqCst)
    }

    /// Waits until every entered scope has exited, or until nothing is left anywhere that could exit.
    ///
    /// # Cancel safety
    ///
    /// Dropping it only ends the waiting.
    pub async fn settled(&self) {
        self.balanced_or(drained()).await;
        if !self.is_balanced() {
            // A scope that another thread is polling for the first time is not known to `drained` yet.
            self.balanced_or(a_while()).await;
        }
    }

    fn is_balanced(&self) -> bool {
        self.live() == 0 && self.0.entering.load(Ordering::SeqCst) == 0
    }

    async fn balanced_or(&self, given_up: impl Future<Output = ()>) {
        let mut given_up = std::pin::pin!(given_up);
        std::future::poll_fn(|cx| {
            self.state().waiting.push(cx.waker().clone());
            if self.is_balanced() {
                return Poll::Ready(());
            }
            given_up.as_mut().poll(cx)
        })
        .await;
    }

    /// What is wrong, if anything.
    pub fn violations(&self) -> Vec<String> {
        let mut violations = self.state().violations.clone();
        if self.live() != 0 {
            violations.push(format!(
                "I1: {} of {} scopes were not exited",
                self.live(),
                self.entered()
            ));
        }
        violations
    }

    /// Checks I1 and I2.
    ///
    /// # Panics
    ///
    /// If one does not hold; the message has the trace.
    #[track_caller]
    pub fn check(&self) {
        let violations = self.violations();
        assert!(
            violations.is_empty(),
            "{}\ntrace: {}",
            violations.join("\n"),
            self.trace()
        );
    }

    fn exited(&self) {
        self.0.exited.fetch_add(1, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        let waiting = std::mem::take(&mut self.state().waiting);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ledger").field(&self.trace()).finish()
    }
}

/// What an enter or an exit does.
#[derive(Clone, Copy, Debug, Default)]
struct Plan {
    yields: usize,
    fails: bool,
    panics: bool,
    hangs: bool,
}

impl Plan {
    async fn follow(self, ledger: &Ledger, what: &str) -> Result<(), Injected> {
        yield_times(self.yields).await;
        if self.hangs {
            std::future::pending::<()>().await;
        }
        if self.panics {
            panic!("injected panic: {what}");
        }
        if self.fails {
            return Err(Injected(what.to_owned()));
        }
        ledger.point(what)
    }
}

/// A scope that records itself in a [`Ledger`].
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct Traced {
    ledger: Ledger,
    name: String,
    inside: Option<Arc<Node>>,
    enter: Plan,
    exit: Plan,
}

impl Traced {
    /// It is entered inside the body of this one; the ledger checks that it exits before.
    pub fn inside(mut self, outer: &TracedGuard) -> Self {
        self.inside = Some(outer.node.clone());
        self
    }

    /// Its enter and its exit suspend `yields` times each.
    pub fn yields(mut self, yields: usize) -> Self {
        self.enter.yields = yields;
        self.exit.yields = yields;
        self
    }

    /// Its enter suspends `yields` times.
    pub fn enter_yields(mut self, yields: usize) -> Self {
        self.enter.yields = yields;
        self
    }

    /// Its exit suspends `yields` times.
    pub fn exit_yields(mut self, yields: usize) -> Self {
        self.exit.yields = yields;
        self
    }

    /// Its enter fails.
    pub fn enter_fails(mut self) -> Self {
        self.enter.fails = true;
        self
    }

    /// Its exit fails.
    pub fn exit_fails(mut self) -> Self {
        self.exit.fails = true;
        self
    }

    /// Its enter panics.
    pub fn enter_panics(mut self) -> Self {
        self.enter.panics = true;
        self
    }

    /// Its exit panics.
    pub fn exit_panics(mut self) -> Self {
        self.exit.panics = true;
        self
    }

    /// Its exit never ends.
    pub fn exit_hangs(mut self) -> Self {
        self.exit.hangs = true;
        self
    }
}

/// One entered scope: how many of the scopes inside of it are live.
#[derive(Debug)]
struct Node {
    outer: Option<Arc<Node>>,
    live_inside: AtomicUsize,
    exits: AtomicUsize,
}

/// The guard of a [`Traced`] scope.
#[derive(Debug)]
pub struct TracedGuard {
    scope: Traced,
    node: Arc<Node>,
}

impl TracedGuard {
    /// The name of its scope.
    pub fn name(&self) -> &str {
        &self.scope.name
    }
}

/// The place of an entered scope, for those inside that cannot borrow its guard.
#[derive(Clone, Debug)]
pub(crate) struct TracedHandle(Arc<Node>);

impl TracedHandle {
    pub(crate) fn of(guard: &TracedGuard) -> Self {
        Self(guard.node.clone())
    }

    pub(crate) fn inside(&self, mut scope: Traced) -> Traced {
        scope.inside = Some(self.0.clone());
        scope
    }
}

/// Ends after two real seconds, on whatever runtime; only a test that is about to fail waits for it.
async fn a_while() {
    let (done, is_done) = futures::channel::oneshot::channel();
    let (_never, nothing) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let _ = nothing.recv_timeout(Duration::from_secs(2));
        let _ = done.send(());
    });
    let _ = is_done.await;
}

/// Counts an enter as running.
struct Entering(Ledger);

impl Entering {
    fn new(ledger: &Ledger) -> Self {
        ledger.0.entering.fetch_add(1, Ordering::SeqCst);
        Self(ledger.clone())
    }
}

impl Drop for Entering {
    fn drop(&mut self) {
        self.0.0.entering.fetch_sub(1, Ordering::SeqCst);
        self.0.wake();
    }
}

/// Counts the exit as ended, also when it panics.
struct Ending<'a> {
    guard: &'a TracedGuard,
    well: bool,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let ledger = &self.guard.scope.ledger;
        let sign = if self.well { '-' } else { '!' };
        ledger.say(format!("{sign}{}", self.guard.scope.name));
        if let Some(outer) = &self.guard.node.outer {
            outer.live_inside.fetch_sub(1, Ordering::SeqCst);
        }
        ledger.exited();
    }
}

impl Scope for Traced {
    type Guard = TracedGuard;
    type Error = Injected;
    type Verdict = Propagate;

    async fn enter(self) -> Result<TracedGuard, Injected> {
        let what = format!("enter {}", self.name);
        let _entering = Entering::new(&self.ledger);
        self.enter.follow(&self.ledger, &what).await?;
        if let Some(outer) = &self.inside {
            outer.live_inside.fetch_add(1, Ordering::SeqCst);
        }
        self.ledger.0.entered.fetch_add(1, Ordering::SeqCst);
        self.ledger.say(format!("+{}", self.name));
        let node = Arc::new(Node {
            outer: self.inside.clone(),
            live_inside: AtomicUsize::new(0),
            exits: AtomicUsize::new(0),
        });
        Ok(TracedGuard { scope: self, node })
    }

    async fn exit(guard: TracedGuard, outcome: Outcome<'_>) -> Result<Propagate, Injected> {
        let Traced {
            ledger, name, exit, ..
        } = &guard.scope;
        ledger.say(format!("~{name}"));
        if !ledger.0.quiet {
            let mut state = ledger.state();
            state.outcomes.push((name.clone(), outcome.to_string()));
        }
        if guard.node.exits.fetch_add(1, Ordering::SeqCst) != 0 {
            let twice = format!("I1: {name} exits twice");
            ledger.state().violations.push(twice);
        }
        let inside = guard.node.live_inside.load(Ordering::SeqCst);
        if inside != 0 {
            let early = format!("I2: {name} exits before {inside} that it has inside");
            ledger.state().violations.push(early);
        }
        let mut ending = Ending {
            guard: &guard,
            well: false,
        };
        exit.follow(ledger, &format!("exit {name}")).await?;
        ending.well = true;
        Ok(Propagate)
    }
}

/// An error that a test has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected(pub String);

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "injected error: {}", self.0)
    }
}

impl Error for Injected {}

/// `Ok` with the error type of the ledger's scopes, for bodies whose error nothing else fixes.
pub(crate) fn ok<T>(value: T) -> Result<T, Injected> {
    Ok(value)
}
