//! The protocol: what a scope is.

use std::borrow::Cow;

use crate::bracket::type_name;
use crate::failure::Fault;
use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// A value that knows how to acquire something and how to release it.
///
/// Run it by [`with`](crate::ScopeExt::with): enter, the body, exit, whatever happens.
/// For a scope without a type of its own see [`acquire`](crate::acquire), for a value that only needs to be closed [`closing`](crate::closing).
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use withal::{Outcome, Propagate, Scope, ScopeExt};
///
/// struct Connect(&'static str);
/// struct Connection { open: bool }
///
/// impl Scope for Connect {
///     type Guard = Connection;
///     type Error = io::Error;
///     type Verdict = Propagate;
///
///     async fn enter(self) -> io::Result<Connection> {
///         Ok(Connection { open: !self.0.is_empty() })
///     }
///
///     async fn exit(mut connection: Connection, outcome: Outcome<'_>) -> io::Result<Propagate> {
///         connection.open = false; // here: say goodbye; roll back unless `outcome.is_success()`
///         Ok(Propagate)
///     }
/// }
///
/// # withal_testing::block_on(async {
/// let open = Connect("localhost").with(async |connection| io::Result::Ok(connection.open)).await?;
/// assert!(open);
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Cancel safety
///
/// `enter` may be dropped at any await: then its half-way state is dropped, and there is no exit.
/// What must not be cut half-way (a BEGIN, a SET NX) is run [`protected`](crate::ScopeExt::protected): its enter is driven to its end by somebody else, and then exited.
/// `exit` is never cut: whoever drops the future of `with`, somebody drives the exit to its end.
///
/// # Implementing
///
/// * `exit` must release even when it returns an error: an error means that the release was not graceful.
/// * `exit` must not wait for anything that an enclosing scope releases: exits run inside out.
/// * A guard type with a lifetime in it, be it `Transaction<'static>`, makes an async block around its `with` not `Send` for today's compiler ("implementation is not general enough"): put it into a struct of your own.
/// * What `enter` has acquired is the guard's from the moment it returns `Ok`; a partial acquisition is `enter`'s own to undo.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope",
    label = "this has no async enter and exit",
    note = "implement `withal::Scope` for it",
    note = "for a guard that releases in its `Drop`: `withal::sync(guard)`",
    note = "for a value with an async close: implement `withal::Close` and use `withal::closing(value)`",
    note = "for a guard that is borrowed or not `Send`: implement `withal::LocalScope` and use `withal::with_local`"
)]
pub trait Scope: Sized {
    /// What the body works with, and exit takes back by value.
    type Guard: Send; // one that is not goes by `LocalScope`
    /// Why entering or exiting failed: a standard error, `anyhow::Error`, `String`, or [`Never`](crate::Never).
    type Error: Fault;
    /// [`Propagate`](crate::Propagate), or [`Recover`](crate::Recover) if exit may suppress the body's error.
    type Verdict: Verdict;

    /// Acquires.
    fn enter(self) -> impl Future<Output = Result<Self::Guard, Self::Error>> + Send;

    /// Releases; `outcome` says how the body ended.
    fn exit(
        guard: Self::Guard,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<Self::Verdict, Self::Error>> + Send;
}

/// A [`Scope`] without the `Send` bounds: for guards with an `Rc` or a borrow inside, current-thread runtimes, wasm.
///
/// Run it by [`with_local`](crate::with_local). Every [`Scope`] is one, too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope",
    label = "this has no async enter and exit",
    note = "implement `withal::LocalScope` for it, or `withal::Scope` if its guard is `Send`"
)]
pub trait LocalScope: Sized {
    /// What the body works with, and exit takes back by value.
    type Guard;
    /// Why entering or exiting failed.
    type Error: Fault;
    /// [`Propagate`](crate::Propagate), or [`Recover`](crate::Recover) if exit may suppress the body's error.
    type Verdict: Verdict;

    /// How it is called in reports.
    #[doc(hidden)]
    fn called_in_reports(&self) -> Cow<'static, str> {
        Cow::Borrowed(type_name::<Self>())
    }

    /// Acquires.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped at any await: then its half-way state is dropped, and there is no exit.
    fn enter(self) -> impl Future<Output = Result<Self::Guard, Self::Error>>;

    /// Releases; `outcome` says how the body ended.
    ///
    /// # Cancel safety
    ///
    /// A graceful cancelling lets it end; a hard drop drops it, see [`with_local`](crate::with_local).
    fn exit(
        guard: Self::Guard,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<Self::Verdict, Self::Error>>;
}

impl<S: Scope> LocalScope for S {
    type Guard = S::Guard;
    type Error = S::Error;
    type Verdict = S::Verdict;

    fn enter(self) -> impl Future<Output = Result<S::Guard, S::Error>> {
        Scope::enter(self)
    }

    fn exit(
        guard: S::Guard,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<S::Verdict, S::Error>> {
        <S as Scope>::exit(guard, outcome)
    }
}
