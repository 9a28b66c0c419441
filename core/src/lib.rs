//! Async resource scopes without a runtime: acquire, use, release, guaranteed.
//!
//! This crate is the core of [`withal`](https://docs.rs/withal): the scope protocol, and the algorithm that makes async clean-up impossible to lose.
//! Applications use the facade `withal`; adapters and libraries may depend on this crate alone.
//!
//! * [`Scope`] is the protocol, [`with()`] runs it, [`ScopeExt`] has the methods.
//! * [`acquire`], [`closing`], [`releasing`], [`sync`], [`null`], [`suppress`] are ready-made scopes; [`scope_fn`] makes one of an async function that provides its guard in the middle.
//! * Tuples, arrays, `Vec` and `Option` of scopes are scopes, too: see [`Member`]. [`join`], [`join_all`], [`race`], [`lazy`], [`shared`] and methods of [`ScopeExt`] put scopes together in other ways.
//! * [`until`], [`timeout`] and [`cancellable`] cancel a body and return when everything inside has been released; [`shield`] is what they wait for. [`timeout_with`] has a deadline that moves.
//! * [`time_left`] and [`is_forced`] tell an exit how much time it has; [`forced()`] waits until that is over, and [`forcefully`] does not wait for it.
//! * [`task_group`] has tasks that end before the block that has spawned them.
//! * [`drain()`] waits for what is still being cleaned up elsewhere; [`on_lost_error`] hears of errors with nowhere to go.
//! * [`Runtime`] is what adapters implement.
//!
//! # Limits
//!
//! With `panic = "abort"` panics are not caught, and nothing that is said of them here holds.
//! Executors that switch stacks, and those without threads, are out of scope: the algorithm keeps its state in thread-locals between two awaits.

mod armed;
mod bracket;
mod budget;
mod cancel;
mod clock;
mod combine;
mod compose;
mod error;
mod exiting;
mod failure;
mod frame;
mod framed;
mod function;
mod group;
mod home;
#[cfg(feature = "inspect")]
pub mod inspect;
#[cfg(not(feature = "inspect"))]
#[path = "inspect/off.rs"]
mod inspect;
mod launch;
mod lent;
mod local;
mod lost;
mod open;
mod orphan;
mod outcome;
mod owner;
mod raise;
mod report;
mod runtime;
mod scope;
mod scopes;
mod send_fn;
mod shield;
mod slot;
mod stack;
mod surroundings;
mod timeout;
mod trial;
mod until;
mod untold;
mod verdict;
mod watch;
mod with;
mod within;

pub use armed::Armed;
pub use bracket::{Bracket, Member, Peek};
pub use budget::forced::{Forced, Forcefully, forced, forcefully};
pub use budget::{is_forced, time_left};
pub use cancel::CancelHandle;
pub use cancel::cancellable::cancellable;
pub use cancel::on_drop::CancelOnDrop;
pub use cancel::signal::CancelSignal;
pub use combine::ScopeExt;
pub use combine::boxed::{BoxGuard, BoxScope};
pub use combine::exit_within::{ExitWithin, Overdue};
pub use combine::named::Named;
pub use combine::protected::Protected;
pub use combine::view_as::{ViewAs, Viewed};
pub use compose::join::{Join, join, join_all};
pub use compose::lazy::{Lazy, LazyGuard, lazy};
pub use compose::one_of::OneOf;
pub use compose::or_enter::OrEnter;
pub use compose::race::{Race, race};
pub use compose::shared::{Shared, SharedGuard, shared};
pub use compose::then_enter::ThenEnter;
pub use error::ScopeError;
pub use failure::{FailureRef, Fault, KeptFailure};
pub use function::passage::{Provide, Providing};
pub use function::{Erased, ErasedFn, Provided, Returned, ScopeFn, scope_fn};
pub use group::{
    GroupError, GroupHandle, StartError, TaskCanceller, TaskError, TaskFailure, TaskGroup,
    TaskHandle, TaskPanic, TaskReady, TaskResults, TaskStatus, task_group,
};
pub use home::drain::{drain, drained, unfinished};
pub use home::{Orphan, Shelter, at_home, isolated, launched};
pub use launch::{Launch, Shutdown};
pub use local::with_local;
pub use lost::on_lost_error;
pub use open::Open;
pub use outcome::{Cancelled, Ending, Kept, Outcome, PanicRef, Reason};
pub use raise::{ByFrom, CannotFail, Either, Never, Or, Raise};
pub use report::{Entry, Kind, Phase, Report};
pub use runtime::{Blocking, Runtime, Signals, Spawn, Task, Timer};
pub use scope::{LocalScope, Scope};
pub use scopes::acquire::{Acquire, Released, acquire};
pub use scopes::backoff::Backoff;
pub use scopes::closing::{Close, Closing, closing};
pub use scopes::escalate::{Releasing, releasing};
pub use scopes::plain::{Plain, null, sync};
pub use scopes::suppress::{Suppress, Type, Types, suppress, suppress_nothing};
pub use send_fn::SendFn;
pub use shield::{Shield, shield};
pub use stack::{Entered, ExitStack, IntoExit, Key, StackHandle};
pub use surroundings::{Carried, Carrier, carry};
pub use timeout::deadline::{Deadline, TooLate};
pub use timeout::elapsed::Elapsed;
pub use timeout::with::{TimeoutWith, timeout_with};
pub use timeout::{Timeout, move_on_after, timeout, timeout_at};
pub use until::{Interrupted, Until, until};
pub use verdict::{IntoVerdict, Propagate, Recover, Verdict};
pub use with::{Output, using, with, with_report};

/// What the attributes write down: nobody else's, and not in the way of `use withal::*`.
#[doc(hidden)]
pub mod __private {
    pub use crate::launch::ended::Ended;
    pub use crate::trial::{Passed, trial};
    pub use crate::within::{Passes, Within, WithinValue, never};
}
