//! The exit stack: a scope to which scopes are added while it is open.

mod child;
mod entered;
mod entry;
mod exit;
mod handle;
mod into_exit;
mod list;
mod many;
mod places;
mod scope;
mod settings;
mod unwind;
mod unwinding;

use std::fmt;
use std::future::poll_fn;
use std::panic::{Location, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::armed::Armed;
use crate::bracket::Member;
use crate::failure::Fault;
use crate::frame;
use crate::inspect;
use crate::outcome::{Ending, Outcome};
use crate::raise::Raise;
use crate::report::{Phase as Told, Report};
use crate::runtime::Timer;
use crate::send_fn::SendFn;
use crate::slot::Fate;
use crate::untold::tell_error;
use crate::verdict::{Propagate, Recover, Verdict};
use crate::watch::Watch;

use child::Child;
use entry::Entry;
use list::{Closing, Inner, Phase, Shared};
use places::Ticket;
use settings::Settings;
use unwinding::{Unwinding, alone};

pub use entered::{Entered, Key};
pub use handle::StackHandle;
pub use into_exit::IntoExit;

/// A scope to which scopes, values and callbacks are added while it is open; at its end they exit, last in, first out.
///
/// For scopes whose number is known only at run time, for those that are entered under a condition, and for handing what was entered to somebody else ([`take`](ExitStack::take)).
/// Run it by [`ExitStack::with`], or as any other scope; or open it by hand: [`new`](ExitStack::new) … [`close`](ExitStack::close).
///
/// All exits run, whatever some of them do.
/// Each sees the *current* outcome: after an exit that has suppressed the error the further ones see [`Success`](Outcome::Success), after one that has failed they see the new failure.
/// What is added while the stack unwinds runs next.
/// What is added after it has closed is released, with the outcome of the close, as soon as its lease ends.
///
/// `V` is the verdict: entries of an `ExitStack` never suppress, those of an `ExitStack<Recover>` may ([`recovering`](ExitStack::recovering)).
///
/// The behavior is that of Python's `AsyncExitStack`, except where that loses an error; and a closed stack stays closed.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{ExitStack, Report, acquire};
///
/// # fn connect(to: &str) -> impl withal::Member<Part = String, Error = std::io::Error, Verdict = withal::Propagate, Held: 'static, Rest: 'static> + use<> {
/// #     let to = to.to_owned();
/// #     acquire(async move || std::io::Result::Ok(to)).release(async |_, _| Ok(()))
/// # }
/// async fn greet(hosts: &[&str]) -> Result<usize, Report> {
///     ExitStack::with(async |stack| {
///         let mut connections = Vec::new();
///         for host in hosts {
///             connections.push(stack.enter(connect(host)).await?);
///         }
///         stack.callback(|| println!("this runs first"));
///         Ok(connections.iter().map(|connection| connection.len()).sum())
///     })
///     .await
/// }
/// # withal_testing::block_on(async { assert_eq!(greet(&["a", "bc"]).await.unwrap(), 3) });
/// ```
///
/// # Errors
///
/// A [`Report`] with the errors of all exits in the order of time, each with the name and the source line of its entry.
/// It converts into `io::Error`, `Box<dyn Error + Send + Sync>` and `anyhow::Error`, and one error alone is passed on as it is.
/// (A stack that is closed by hand keeps a clone of its report for whoever closes it again; of a shared error the conversions keep text, kind and source.)
///
/// # Panics
///
/// When an exit panics, all others run, and then the first panic goes on. Later exits see [`Panicked`](Outcome::Panicked).
///
/// # Drop behavior
///
/// Dropped unclosed it is an orphan: its exits run all the same, finished by whoever is around, and see `Cancelled`.
pub struct ExitStack<V: Verdict = Propagate> {
    shared: Arc<Shared<V>>,
    /// Whether its drop ends the stack; not so for what a handle gives.
    owns: bool,
}

impl ExitStack {
    /// An empty stack.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self::over(Shared::new(Settings::default(), Location::caller()))
    }

    /// Runs `body` with a new stack, and closes it: `ExitStack::new().with(body)`.
    ///
    /// # Errors
    ///
    /// The body's error; else a [`Report`] of the exits, converted.
    ///
    /// # Cancel safety
    ///
    /// As [`with`](crate::with()).
    #[track_caller]
    pub fn with<T, E, How, F>(body: F) -> impl Future<Output = Result<T, E>>
    where
        Report: Raise<E, How>,
        E: Fault,
        F: AsyncFnOnce(&mut Self) -> Result<T, E>,
    {
        crate::with(Self::new(), body)
    }
}

impl ExitStack<Recover> {
    /// An empty stack whose entries may suppress the error of the body.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use withal::{ExitStack, Report, ScopeExt, suppress};
    ///
    /// # withal_testing::block_on(async {
    /// let parsed = ExitStack::recovering()
    ///     .with(async |stack| {
    ///         let Ok(_) = stack.enter(suppress::<std::num::ParseIntError>()).await; // cannot fail
    ///         Ok::<u32, Report>("x".parse()?)
    ///     })
    ///     .await;
    /// assert_eq!(parsed.unwrap(), None);
    /// # });
    /// ```
    #[must_use]
    #[track_caller]
    pub fn recovering() -> Self {
        Self::over(Shared::new(Settings::default(), Location::caller()))
    }
}

impl<V: Verdict> ExitStack<V> {
    fn over(shared: Arc<Shared<V>>) -> Self {
        Self { shared, owns: true }
    }

    /// Enters `scope`, adds it, and gives a lease on its guard.
    ///
    /// Of a scope that cannot fail: `let Ok(guard) = stack.enter(scope).await;`.
    ///
    /// # Errors
    ///
    /// The scope's, of enter; then nothing is added.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, nothing is acquired, as at [`with`](crate::with()).
    /// The scope is added in the poll in which its enter ends: there is no gap.
    #[track_caller]
    pub fn enter<'s, S>(
        &'s self,
        scope: S,
    ) -> impl Future<Output = Result<Entered<'s, S::Part, V>, S::Error>>
    where
        S: Member,
        S::Held: 'static,
        S::Part: 'static,
        S::Rest: 'static,
        V: From<S::Verdict>,
    {
        let location = Location::caller();
        async move {
            if frame::is_closing() {
                frame::held_off().await;
            }
            let tag = scope.tag();
            let watch = Watch::enter::<S>(&tag, location);
            let entering = scope.begin(Armed::new(location));
            match watch.trace.around(entering).await {
                Ok(held) => {
                    let (entry, guard) = entry::entered::<S, V>(held, tag, location, watch);
                    Ok(Entered::new(guard, self, self.push_lent(entry)))
                }
                Err(error) => {
                    watch.trace.refused();
                    Err(error)
                }
            }
        }
    }

    /// Adds `value` with its exit, and gives a lease on it.
    ///
    /// Nothing is entered: this is for what has been acquired already.
    /// The exit takes the value and the outcome, and answers nothing, a verdict, or a `Result` of either.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use withal::{ExitStack, Report};
    ///
    /// # withal_testing::block_on(async {
    /// ExitStack::with(async |stack| {
    ///     let mut list = stack.push(vec![1], async |list, outcome| {
    ///         assert!(outcome.is_success());
    ///         assert_eq!(list, [1, 2]);
    ///     });
    ///     list.push(2);
    ///     Ok::<_, Report>(())
    /// })
    /// .await
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn push<G, Y, R>(&self, value: G, exit: R) -> Entered<'_, G, V>
    where
        G: Send + 'static,
        Y: IntoExit,
        V: From<Y::Verdict>,
        R: AsyncFnOnce(G, Outcome<'_>) -> Y + for<'a> SendFn<(G, Outcome<'a>), Y> + 'static,
    {
        let entry = entry::pushed::<G, _, _, _>(exit, Location::caller());
        Entered::new(value, self, self.push_lent(entry))
    }

    /// Adds an async callback, which is not told how the body ended and cannot suppress its error.
    #[track_caller]
    pub fn defer<Y, R>(&self, exit: R) -> Key<()>
    where
        Y: IntoExit<Verdict = Propagate>,
        V: From<Propagate>,
        R: AsyncFnOnce() -> Y + SendFn<(), Y> + 'static,
    {
        let entry = entry::deferred(exit, Location::caller());
        match self.add(entry) {
            Ok(ticket) => Key::new(ticket),
            Err((entry, fate, ticket)) => {
                drop(alone(entry, fate));
                Key::new(ticket)
            }
        }
    }

    /// Adds a sync callback: see [`defer`](Self::defer).
    ///
    /// After the stack has closed it is called at once.
    #[track_caller]
    pub fn callback<Y, R>(&self, exit: R) -> Key<()>
    where
        Y: IntoExit<Verdict = Propagate>,
        V: From<Propagate>,
        R: FnOnce() -> Y + Send + 'static,
    {
        let entry = entry::called(exit, Location::caller());
        match self.add(entry) {
            Ok(ticket) => Key::new(ticket),
            Err((entry, fate, ticket)) => {
                call_now(entry, fate);
                Key::new(ticket)
            }
        }
    }

    /// Leases the guard of an entry again.
    ///
    /// `None` if the entry is not in this stack, has left, or is lent out at the moment.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use withal::{ExitStack, Outcome, sync};
    ///
    /// # withal_testing::block_on(async {
    /// let stack = ExitStack::new();
    /// let key = match stack.enter(sync(String::from("kept"))).await {
    ///     Ok(guard) => guard.key(),
    ///     Err(never) => match never {},
    /// };
    /// let opened = stack.take(); // all or nothing: now they belong to somebody else
    /// assert!(stack.lease(&key).is_none());
    /// assert_eq!(opened.lease(&key).unwrap().as_str(), "kept");
    /// opened.close(Outcome::Success).await
    /// # }).unwrap();
    /// ```
    pub fn lease<G: 'static>(&self, key: &Key<G>) -> Option<Entered<'_, G, V>> {
        let guard = self.shared.lock().places.lend(key.ticket)?;
        Some(Entered::new(guard, self, key.ticket))
    }

    /// Moves all entries to a new stack and leaves this one open and empty: Python's `pop_all`.
    ///
    /// No exit runs. Leases and keys stay good.
    #[must_use = "what it holds is released when it is dropped"]
    #[track_caller]
    pub fn take(&self) -> Self {
        let taken = Self::over(self.shared.take(Location::caller()));
        taken.settle(&mut taken.shared.lock());
        taken
    }

    /// A child stack at this place of the order.
    ///
    /// Closed by itself it leaves this stack, which does not grow thereby.
    /// Else this stack closes it in its turn; so it does when the child is dropped.
    /// The child of a closed stack is closed.
    ///
    /// An exit of a child that closes this stack cannot be waited for by it: what else is in the child then exits beside the older entries.
    #[must_use = "an empty child does nothing"]
    #[track_caller]
    pub fn fork(&self) -> Self {
        self.child(None)
    }

    /// A child stack whose entries exit concurrently, at most `at_most` at once: see [`fork`](Self::fork).
    ///
    /// Towards the other entries of this stack it keeps its place: groups exit in order.
    /// All entries of a group see the same outcome.
    #[must_use = "an empty group does nothing"]
    #[track_caller]
    pub fn group(&self, at_most: usize) -> Self {
        self.child(Some(at_most))
    }

    #[track_caller]
    fn child(&self, at_most: Option<usize>) -> Self {
        let settings = self.shared.lock().settings.for_child(at_most);
        let child = Shared::new(settings, Location::caller());
        let mut gone = Vec::new();
        let fate = {
            let mut inner = self.shared.lock();
            let fate = inner.closed().cloned();
            if fate.is_none() {
                child.lock().is_child = true;
                inner.places.push(Box::new(Child(child.clone())), &mut gone);
                inner.places.loosen();
                self.settle(&mut inner);
            }
            fate
        };
        if let Some(fate) = fate
            && let Closing::First(owner) = child.begin_close(&fate)
        {
            drop(owner);
            child.finish(|| Ok(V::PROPAGATE));
        }
        Self::over(child)
    }

    /// A handle that does not keep the stack alive: for entries that add entries to their own stack, or close it.
    pub fn handle(&self) -> StackHandle<V> {
        StackHandle(Arc::downgrade(&self.shared))
    }

    /// Has the exits run concurrently, at most `at_most` at once; all see the outcome of the body.
    #[must_use]
    pub fn concurrent(self, at_most: usize) -> Self {
        self.with_settings(|settings| settings.set_at_most(at_most))
    }

    /// Measures how long each exit takes, for the [`Report`].
    #[must_use]
    pub fn timed<R: Timer + Clone + Send + Sync + 'static>(self, timer: &R) -> Self {
        self.with_settings(|settings| settings.set_clock(timer))
    }

    /// Gives each exit a deadline of its own: what has not ended after `limit` is [forced](crate::is_forced), by one poll more, and else dropped, and reported as overdue.
    #[must_use]
    pub fn each_within<R>(self, timer: &R, limit: Duration) -> Self
    where
        R: Timer + Clone + Send + Sync + 'static,
    {
        self.with_settings(|settings| {
            settings.set_clock(timer);
            settings.set_each(limit);
        })
    }

    /// Gives the whole unwinding a budget.
    ///
    /// When it is spent, the exit in progress is [forced](crate::is_forced), by one poll more; if it does not end by that it is dropped, and reported as overdue.
    /// Those that have not begun are each polled once, forced from the start, so that they release what they can at once, and are dropped likewise if they are pending.
    ///
    /// That is the difference to [`exit_within`](crate::ScopeExt::exit_within) around a stack: there, what has not begun goes on as an orphan,
    /// and of a stack inside of another one it may end beside the older entries of the outer one.
    #[must_use]
    pub fn within<R>(self, timer: &R, budget: Duration) -> Self
    where
        R: Timer + Clone + Send + Sync + 'static,
    {
        self.with_settings(|settings| {
            settings.set_clock(timer);
            settings.set_budget(budget);
        })
    }

    fn with_settings(self, set: impl FnOnce(&mut Settings)) -> Self {
        set(&mut self.shared.lock().settings);
        self
    }

    /// Releases everything, telling the exits that things ended with `outcome`: an [`Outcome`], or in the function of a scope a `&`[`Kept`](crate::Kept).
    ///
    /// The first who closes unwinds the stack. A second one waits for him and gets the same result; so does one who comes later.
    /// Inside of an exit of this very stack it returns at once, for that exit cannot wait for itself: the stack goes on when the exit has ended.
    /// (What an exit spawns and awaits is not inside of it in this sense: there it would wait for ever.)
    ///
    /// # Errors
    ///
    /// A [`Report`] of the exits that went wrong.
    ///
    /// # Panics
    ///
    /// If an exit panics: the first to close it, after all exits; the others get the panic as an entry of the report.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll, nothing happens. Dropped later, the exits go on: whoever is around adopts them.
    /// With a `Failure`, they must end before the scope to which that failure belongs, as at [`Open::close`](crate::Open::close).
    pub async fn close(&self, outcome: impl Ending) -> Result<V, Report> {
        let fate = outcome.with_outcome(Fate::of);
        match self.shared.begin_close(&fate) {
            Closing::First(owner) => {
                let mut unwinding = Unwinding::new(self.shared.clone(), fate, owner);
                unwinding.rebase();
                match unwinding.closed().await {
                    Ok(result) => result,
                    Err(panic) => resume_unwind(*panic),
                }
            }
            Closing::Waits => {
                drop(fate);
                poll_fn(|cx| self.shared.poll_closed(cx)).await
            }
            Closing::Inside => Ok(V::PROPAGATE),
            Closing::Closed(result) => result,
        }
    }

    /// Whether it is being closed, or has been.
    pub fn is_closed(&self) -> bool {
        !matches!(self.shared.lock().phase, Phase::Open)
    }

    /// How many entries are in it. Counts them.
    pub fn len(&self) -> usize {
        self.shared.lock().places.len()
    }

    /// Whether there is no entry in it.
    pub fn is_empty(&self) -> bool {
        self.shared.lock().places.is_empty()
    }

    /// Adds an entry whose guard is lent out.
    fn push_lent(&self, entry: Box<dyn Entry<V>>) -> Ticket {
        let mut gone = Vec::new();
        let mut inner = self.shared.lock();
        let ticket = inner.push_lent(entry, &mut gone);
        self.settle(&mut inner);
        ticket
    }

    /// Adds an entry whose guard is here; after the end it is given back, with what its exit is told.
    fn add(&self, entry: Box<dyn Entry<V>>) -> Result<Ticket, (Box<dyn Entry<V>>, Fate, Ticket)> {
        let mut gone = Vec::new();
        let mut inner = self.shared.lock();
        if let Some(fate) = inner.closed().cloned() {
            let ticket = inner.places.next_ticket();
            return Err((entry, fate, ticket));
        }
        let ticket = inner.places.push(entry, &mut gone);
        self.settle(&mut inner);
        Ok(ticket)
    }

    /// Notes the home of a stack at the root: a value may be moved anywhere at any time.
    #[inline]
    fn settle(&self, inner: &mut Inner<V>) {
        if frame::is_root()
            && let Some(owner) = &mut inner.owner
        {
            owner.settle();
        }
    }
}

/// Calls a callback that was added after the end.
#[cold]
fn call_now<V: Verdict>(entry: Box<dyn Entry<V>>, fate: Fate) {
    let label = entry.label();
    let mut call = pin!(alone(entry, fate));
    // What it leaves behind is an orphan.
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(Err(report))) => tell_error(report, Told::Exit, &label),
        Poll::Ready(Err(panic)) => resume_unwind(*panic),
        Poll::Ready(Ok(Ok(_))) | Poll::Pending => {}
    }
}

impl Default for ExitStack {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Verdict> Drop for ExitStack<V> {
    fn drop(&mut self) {
        if !self.owns {
            return;
        }
        {
            let inner = self.shared.lock();
            if inner.is_child && !inner.places.is_empty() {
                // Its parent closes it.
                return;
            }
        }
        let fate = Fate::Cancelled(frame::reason());
        if let Closing::First(owner) = self.shared.begin_close(&fate) {
            // Unless somebody has added something just now, there may be nothing to do.
            if self.shared.finish(|| Ok(V::PROPAGATE)).is_some() {
                drop(owner);
            } else {
                inspect::unclosed(|| owner.label());
                drop(Unwinding::new(self.shared.clone(), fate, owner));
            }
        }
    }
}

impl<V: Verdict> fmt::Debug for ExitStack<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExitStack")
            .field("len", &self.len())
            .field("closed", &self.is_closed())
            .finish()
    }
}
