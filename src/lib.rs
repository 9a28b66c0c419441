//! Async resource scopes: acquire, use, release, guaranteed, on every runtime.
//!
//! A *scope* knows how to acquire something and how to release it, both `async`.
//! Running it around a body is what `async with` is in Python, with one promise more: the release cannot be lost.
//! It runs after success, after an error, after a panic, when a timeout strikes, when `select!` drops the future, when the task is aborted, and on Ctrl-C.
//!
//! ```
//! use std::io;
//! use std::time::Duration;
//! use withal::{Runtime, ScopeExt, acquire, timeout};
//!
//! async fn greet(rt: impl Runtime) -> io::Result<usize> {
//!     let connect = acquire(async || io::Result::Ok(String::from("hello")))
//!         .release(async |_connection, outcome| {
//!             println!("goodbye, after {outcome}"); // here: COMMIT or ROLLBACK, flush, log out
//!             Ok(())
//!         });
//!     let session = connect.with(async |connection| Ok(connection.len()));
//!     timeout(&rt, Duration::from_secs(5), session).await?
//! }
//! # assert_eq!(withal_testing::run(greet).unwrap(), 5);
//! ```
//!
//! It needs no runtime of its own, no nightly compiler and no `unsafe`; the attributes are a convenience, and can be turned off.
//!
//! # The usual way
//!
//! A scope is usually a small type, and [`Scope`] says how it enters and exits.
//! Its usual consumer is [`with`](ScopeExt::with), which lends the guard to the body, and hands the guard and the body's [`Outcome`] to the exit.
//! The body is an async closure: it borrows from its surroundings, gives a value, and uses `?`.
//!
//! ```
//! use std::num::ParseIntError;
//! use std::sync::{Arc, Mutex};
//! use withal::{Never, Outcome, Propagate, Scope, ScopeExt};
//!
//! #[derive(Clone, Default)]
//! struct Table(Arc<Mutex<Vec<u32>>>);
//!
//! /// Begins a transaction: in the end all of its rows are in the table, or none.
//! struct Begin(Table);
//!
//! struct Transaction { table: Table, rows: Vec<u32> }
//!
//! impl Scope for Begin {
//!     type Guard = Transaction;
//!     type Error = Never;
//!     type Verdict = Propagate;
//!
//!     async fn enter(self) -> Result<Transaction, Never> {
//!         Ok(Transaction { table: self.0, rows: Vec::new() })
//!     }
//!
//!     async fn exit(transaction: Transaction, outcome: Outcome<'_>) -> Result<Propagate, Never> {
//!         if outcome.is_success() {
//!             transaction.table.0.lock().unwrap().extend(transaction.rows);
//!         }
//!         Ok(Propagate)
//!     }
//! }
//!
//! async fn insert(table: &Table, texts: &[&str]) -> Result<usize, ParseIntError> {
//!     Begin(table.clone()).with(async |transaction| {
//!         for text in texts {
//!             transaction.rows.push(text.parse()?);
//!         }
//!         Ok(texts.len())
//!     }).await
//! }
//!
//! # withal_testing::block_on(async {
//! let table = Table::default();
//! assert_eq!(insert(&table, &["1", "2"]).await, Ok(2));
//! assert!(insert(&table, &["3", "four"]).await.is_err());
//! assert_eq!(*table.0.lock().unwrap(), [1, 2]);
//! # });
//! ```
//!
//! # The classic misuse
//!
//! A timeout or a `select!` of somebody else around a scope: it drops the future and goes on at once.
//! The exit is not lost by that, but nobody has waited for it: the enclosing scope finishes it before its own exit, or the home of the outermost scope does, and its error goes to the [lost-error hook](on_lost_error).
//! Use [`timeout`] and [`until`]: when they return, everything inside has been released.
//!
//! ```
//! use std::future::{pending, ready};
//! use std::sync::atomic::{AtomicBool, Ordering};
//! use std::task::{Context, Waker};
//! use withal::{Never, Reason, Report, ScopeExt, acquire, drained, until};
//!
//! static OPEN: AtomicBool = AtomicBool::new(false);
//! let is_open = || OPEN.load(Ordering::SeqCst);
//!
//! async fn stuck() -> Result<(), Report> {
//!     let door = acquire(async || Ok::<_, Never>(OPEN.store(true, Ordering::SeqCst)))
//!         .release(async |(), _| Ok(OPEN.store(false, Ordering::SeqCst)));
//!     door.with(async |()| pending().await).await
//! }
//!
//! # withal_testing::block_on(async {
//! // What a foreign timeout does: it polls, and in the end it drops.
//! let mut dropped = Box::pin(stuck());
//! assert!(dropped.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
//! drop(dropped);
//! assert!(is_open()); // not released yet: no scope is around it, and so its home does it
//! drained().await;
//! assert!(!is_open()); // and so it was not lost
//!
//! let stopped = until(ready(Reason::Requested("enough")), stuck()).await;
//! assert!(stopped.is_err() && !is_open()); // released when it returns
//! # });
//! ```
//!
//! Its relatives:
//!
//! * The end of `main` ends the process, and with it what is still being released elsewhere.
//!   Run the program by [`Launch::run`], or [`drain`](drain()) last.
//! * A future of `with` that is kept but not polled holds up what it has adopted: drop it or poll it.
//! * Code after the block is no exit: it is skipped by an error, a panic, a cancellation. What must happen belongs into the exit.
//! * Another executor's `block_on` inside of a body may wait for ever for what the scopes around it have adopted: run it through [`isolated`].
//!
//! # I want to …
//!
//! | I want to … | use | in Python |
//! |---|---|---|
//! | run a body between an acquire and a release | [`with`](ScopeExt::with) | `async with` |
//! | … that cannot fail | [`using`](ScopeExt::using) | |
//! | … and tell its errors from those of the scope | [`with_report`](ScopeExt::with_report), [`ScopeError`] | |
//! | … and keep all errors in one application error | [`Report`] as the body's error | `ExceptionGroup` |
//! | make a scope of a type | [`Scope`] | `__aenter__`, `__aexit__` |
//! | … of one async function | [`scope`](macro@scope), or [`scope_fn`] without the attribute | `@asynccontextmanager` |
//! | … of two closures | [`acquire`] and [`release`](Acquire::release) | |
//! | run a whole function inside of a scope, at each call | [`within`](macro@within) | a decorator |
//! | … of a value with an async close | [`Close`], [`closing`] | `aclosing` |
//! | … of a lock, a permit, a span | [`sync`] | |
//! | … of nothing, where one is asked for | [`null`] | `nullcontext` |
//! | suppress errors of one type | [`suppress`] | `suppress` |
//! | suppress errors in an exit of my own | [`Recover`] as the verdict | `return True` |
//! | use a guard that borrows, or is not `Send` | [`LocalScope`], [`with_local`] | |
//! | keep a scope open in a struct, an actor, a fixture | [`open`](ScopeExt::open), [`Open`] | |
//! | name a scope in reports | [`named`](ScopeExt::named) | |
//! | let nobody cut an enter half-way (BEGIN, SET NX) | [`protected`](ScopeExt::protected) | `shield` |
//! | bound an exit | [`exit_within`](ScopeExt::exit_within) | |
//! | show the body a part of the guard | [`view_as`](ScopeExt::view_as) | |
//! | put scopes of different types into one list | [`boxed`](ScopeExt::boxed) | |
//! | bound a body in time | [`timeout`], [`timeout_at`], [`move_on_after`] | `asyncio.timeout` |
//! | … and bound its exits, too | [`Timeout::grace`] | |
//! | … and move the deadline while it runs | [`timeout_with`] | `Timeout.reschedule` |
//! | stop a body by hand, from anywhere | [`cancellable`], [`CancelHandle`] | `Task.cancel`, `CancelScope` |
//! | … or when any future says so | [`until`] | |
//! | run a step to its end, once it has begun | [`shield`](shield()) | `CancelScope(shield=True)` |
//! | know in an exit how much time is left | [`time_left`], [`is_forced`], [`forced()`] | |
//! | close what should not be closed gracefully any more | [`forcefully`] | `trio.aclose_forcefully` |
//! | have tasks that end before the block does | [`task_group`], [`TaskGroup`] | `asyncio.TaskGroup`, `trio.open_nursery` |
//! | share one resource among many users | [`shared`](shared()) | |
//! | run a program that Ctrl-C stops gracefully | [`main`](macro@main), [`Launch::run`] | `asyncio.run` |
//! | wait for what is still being released elsewhere | [`drain`](drain()), [`drained`], [`unfinished`] | |
//! | hear of errors that have nowhere to go | [`on_lost_error`] | |
//! | see what is open now, and what was dropped unclosed | `withal::inspect`, by the feature `inspect` | |
//! | keep the body's outcome for later | [`Outcome::keep`] | |
//! | find a task-local again in an exit that runs elsewhere | [`carry`] | `contextvars` |
//! | write a helper for all scopes and combinators | [`Bracket`], and [`SendFn`] for `Send` closures | |
//! | write code for every runtime | [`Runtime`], or the capabilities that it is made of | |
//! | test on each runtime | [`test`](macro@test) | `pytest.mark.anyio` |
//! | test scopes of my own | the crate `withal-testing` | |
//!
//! # Features
//!
//! None but `macros` is on by default, and each only adds: a second runtime never changes what the first one does.
//!
//! | feature | what it gives |
//! |---|---|
//! | – | everything at the root of this crate; it runs on any executor |
//! | `macros` (default) | the attributes [`scope`](macro@scope), [`within`](macro@within), [`main`](macro@main) and [`test`](macro@test) |
//! | `tokio` | `withal::tokio`: the runtime `Tokio`, multi-thread and current-thread, and its `Launcher` |
//! | `smol` | `withal::smol`: the runtime `Smol`, and its `Launcher` |
//! | `async-std` | `withal::async_std`: the runtime `AsyncStd`, and its `Launcher`; async-std itself is no longer maintained |
//! | `futures` | `withal::futures`: the runtime `Futures`, for the executors of the crate `futures` with the timers of async-io, and its `Launcher` |
//! | `fs` | `withal::fs`: files and directories as scopes, on every runtime |
//! | `anyhow` | exits that ask an outcome for a type see through `anyhow::Error` |
//! | `tracing` | each scope has a span `scope` with its name and its line (target `withal`, level debug), and in it an event for each phase: how long it took and, without any text of an error, what came of it; a lost error is an event instead of a line on stderr; an exit that runs elsewhere keeps its span |
//! | `inspect` | `withal::inspect`: which scopes are open now, since when, entered where, inside of which; and what was dropped unclosed |
//!
//! # Limits
//!
//! With `panic = "abort"` panics are not caught, and nothing that is said of them holds.
//! Executors that switch stacks, and platforms without threads, are out of scope.
//! A process that is killed releases nothing: what must survive that needs a server's help, such as a lease that runs out.

#[cfg(feature = "macros")]
mod enabled;

pub use withal_core::*;

/// What the attributes write down.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private {
    pub use withal_core::__private::*;

    /// Which runtimes are enabled.
    pub mod enabled {
        pub use crate::enabled::*;
    }
}

#[cfg(feature = "macros")]
#[doc(inline)]
pub use withal_macros::{main, scope, test, within, yield_};

#[cfg(feature = "tokio")]
#[doc(inline)]
pub use withal_tokio as tokio;

#[cfg(feature = "smol")]
#[doc(inline)]
pub use withal_smol as smol;

#[cfg(feature = "async-std")]
#[doc(inline)]
pub use withal_async_std as async_std;

#[cfg(feature = "futures")]
#[doc(inline)]
pub use withal_futures as futures;

#[cfg(feature = "fs")]
#[doc(inline)]
pub use withal_fs as fs;

/// The program in the README, compiled and run.
#[cfg(all(doctest, feature = "macros", feature = "tokio"))]
#[doc = include_str!("../README.md")]
mod readme {}

/// The listings of the page for those who come from Python, compiled.
#[cfg(all(doctest, feature = "macros", feature = "smol"))]
#[doc = include_str!("../docs/from-python.md")]
mod from_python {}
