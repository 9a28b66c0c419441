//! The methods of scopes: running them, and the combinators.

pub(crate) mod boxed;
pub(crate) mod exit_within;
pub(crate) mod named;
pub(crate) mod protected;
pub(crate) mod view_as;

use std::borrow::Cow;
use std::time::Duration;

use crate::bracket::{Bracket, Member};
use crate::compose::or_enter::OrEnter;
use crate::compose::then_enter::ThenEnter;
use crate::error::ScopeError;
use crate::failure::Fault;
use crate::open::Open;
use crate::raise::Raise;
use crate::runtime::Timer;
use crate::with::Output;

use boxed::BoxScope;
use exit_within::ExitWithin;
use named::Named;
use protected::Protected;
use view_as::ViewAs;

/// The methods of everything that can be run as a scope.
pub trait ScopeExt: Bracket {
    /// Runs `body` inside this scope: see [`with`](crate::with()).
    ///
    /// # Cancel safety
    ///
    /// As [`with`](crate::with()).
    #[track_caller]
    fn with<T, E, How, F>(self, body: F) -> impl Future<Output = Result<Output<Self, T>, E>>
    where
        Self::Held: 'static, // a borrowed guard goes by `with_local`
        Self::Error: Raise<E, How>,
        E: Fault,
        F: AsyncFnOnce(&mut Self::View) -> Result<T, E>,
    {
        crate::with(self, body)
    }

    /// Runs a body that cannot fail inside this scope: see [`using`](crate::using).
    ///
    /// # Cancel safety
    ///
    /// As [`using`](crate::using).
    #[track_caller]
    fn using<T, F>(self, body: F) -> impl Future<Output = Result<Output<Self, T>, Self::Error>>
    where
        Self::Held: 'static, // a borrowed guard goes by `with_local`
        F: AsyncFnOnce(&mut Self::View) -> T,
    {
        crate::using(self, body)
    }

    /// Runs `body` inside this scope and loses no error: see [`with_report`](crate::with_report).
    ///
    /// # Cancel safety
    ///
    /// As [`with_report`](crate::with_report).
    #[track_caller]
    fn with_report<T, E, F>(
        self,
        body: F,
    ) -> impl Future<Output = Result<Output<Self, T>, ScopeError<E, Self::Error>>>
    where
        Self::Held: 'static, // a borrowed guard goes by `with_local`
        E: Fault,
        F: AsyncFnOnce(&mut Self::View) -> Result<T, E>,
    {
        crate::with_report(self, body)
    }

    /// Enters, and gives the open scope as a value: see [`Open`].
    ///
    /// # Errors
    ///
    /// The error of enter.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, nothing is acquired.
    #[track_caller]
    fn open(self) -> impl Future<Output = Result<Open<Self>, Self::Error>>
    where
        Self::Held: 'static, // a borrowed guard goes by `with_local`
    {
        crate::open::open(self)
    }

    /// Names this scope in reports; without it the name is its type.
    fn named(self, name: impl Into<Cow<'static, str>>) -> Named<Self> {
        Named::new(self, name.into())
    }

    /// Protects the enter: dropped half-way, it is driven to its end by somebody else, and then exited.
    ///
    /// For scopes whose enter has an effect elsewhere before it has a guard to show for it: BEGIN, SET NX.
    #[track_caller]
    fn protected(self) -> Protected<Self>
    where
        Self: Send + 'static,
        Self::Held: 'static,
    {
        Protected::new(self)
    }

    /// Bounds the exit: after `limit` it is [forced](crate::is_forced), by one poll more; if it does not end by that it is dropped, and its error is [`Overdue`](crate::Overdue).
    ///
    /// The clock starts when it is first pending. How much is left of its time the exit learns by [`time_left`](crate::time_left).
    fn exit_within<R: Timer + Clone>(self, timer: &R, limit: Duration) -> ExitWithin<Self, R> {
        ExitWithin::new(self, timer.clone(), limit)
    }

    /// Shows the body something else: a part of the guard, or something made of it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use withal::{ScopeExt, sync};
    ///
    /// # withal_testing::block_on(async {
    /// let pair = sync((1, String::from("one")));
    /// let Ok(length) = pair.view_as(|(_, name)| name).using(async |name| name.len()).await;
    /// assert_eq!(length, 3);
    /// # });
    /// ```
    fn view_as<W, F>(self, view: F) -> ViewAs<Self, F, W>
    where
        Self::View: 'static,
        W: ?Sized + 'static,
        F: Fn(&mut Self::View) -> &mut W + Send + 'static,
    {
        ViewAs::new(self, view)
    }

    /// Enters this scope, then the one that `next` makes of what it shows.
    ///
    /// The body sees both parts, as a tuple.
    /// The second scope is exited first. If it cannot be entered, this one is exited and sees the failure.
    /// What `next` returns cannot borrow from what it is shown, which moves: copy out what is needed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use std::io;
    /// use withal::{ScopeExt, acquire, sync};
    ///
    /// # withal_testing::block_on(async {
    /// let config = acquire(async || io::Result::Ok(String::from("db:5432"))).release(async |_, _| Ok(()));
    /// let connected = config.then_enter(|config| {
    ///     let address = config.clone();
    ///     acquire(async move || io::Result::Ok(address.len())).release(async |_, _| Ok(()))
    /// });
    /// let length = connected.with(async |(config, connection)| {
    ///     assert_eq!(config.len(), *connection);
    ///     io::Result::Ok(*connection)
    /// });
    /// assert_eq!(length.await?, 7);
    /// # io::Result::Ok(()) }).unwrap();
    /// ```
    fn then_enter<B, F>(self, next: F) -> ThenEnter<Self, F, B>
    where
        Self: Member + Send,
        B: Member + Send,
        F: FnOnce(&mut Self::View) -> B + Send,
    {
        ThenEnter::new(self, next)
    }

    /// Enters this scope, or `other` if this one cannot be entered.
    ///
    /// What this one has opened is released before `other` is entered.
    /// Only a failed enter leads to `other`: not a panic, and nothing that happens later.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use std::io;
    /// use withal::{ScopeExt, acquire};
    ///
    /// # withal_testing::block_on(async {
    /// let primary = acquire(async || Err::<&str, _>(io::Error::other("down"))).release(async |_, _| Ok(()));
    /// let replica = acquire(async || io::Result::Ok("replica")).release(async |_, _| Ok(()));
    /// let server = primary.or_enter(replica).with(async |server| io::Result::Ok(*server));
    /// assert_eq!(server.await?, "replica");
    /// # io::Result::Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// If neither can be entered, both errors: see [`OneOf`](crate::OneOf). The first error is told nowhere if `other` is entered.
    fn or_enter<B>(self, other: B) -> OrEnter<Self, B>
    where
        Self: Send,
        B: Bracket<View = Self::View> + Send,
    {
        OrEnter::new(self, other)
    }

    /// Hides the type of this scope, for lists of scopes and for dependencies that a test swaps.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use withal::{BoxScope, Never, ScopeExt, null, sync};
    ///
    /// # withal_testing::block_on(async {
    /// let scopes: Vec<BoxScope<u32, Never>> = vec![sync(1).boxed(), null(2).named("two").boxed()];
    /// for scope in scopes {
    ///     let Ok(_) = scope.using(async |n| assert!(*n < 3)).await;
    /// }
    /// # });
    /// ```
    fn boxed(self) -> BoxScope<Self::View, Self::Error, Self::Verdict>
    where
        Self: Send + 'static,
        Self::Held: 'static,
        Self::View: 'static,
    {
        BoxScope::new(self)
    }
}

impl<S: Bracket> ScopeExt for S {}
