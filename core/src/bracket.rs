//! The protocol behind the protocol: what `with` runs, so that combinators stay invisible to the body.

use std::borrow::Cow;

use crate::armed::Armed;
use crate::failure::Fault;
use crate::outcome::Outcome;
use crate::report::Entry;
use crate::scope::Scope;
use crate::verdict::Verdict;

/// Anything that can be run as a scope: every [`Scope`], and every combinator over one.
///
/// Implement [`Scope`]; write `S: Bracket` in helpers that are generic over scopes, so that they take combinators too.
/// A helper that returns a scope and borrows its arguments only for its own time says `impl Bracket<Held: 'static, ..> + use<>`.
///
/// The difference: what is held from enter to exit and what the body sees may be two things here, so that a wrapper never leaks into the body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope",
    label = "this has no async enter and exit",
    note = "implement `withal::Scope` for it",
    note = "for a guard that releases in its `Drop`: `withal::sync(guard)`",
    note = "for a value with an async close: implement `withal::Close` and use `withal::closing(value)`",
    note = "for a guard that is not `Send`: implement `withal::LocalScope` and use `withal::with_local`"
)]
pub trait Bracket: Sized {
    /// What is held from enter to exit.
    type Held: Send;
    /// What the body sees of it.
    type View: ?Sized;
    /// Why entering or exiting failed.
    type Error: Fault;
    /// What exit may answer.
    type Verdict: Verdict;
    /// What is needed to name the scope in reports; `()` for its type.
    #[doc(hidden)]
    type Tag: Tag;

    /// Whether the exit may suspend; only core's own sync adaptors say no.
    #[doc(hidden)]
    const SUSPENDS: bool = true;

    #[doc(hidden)]
    fn tag(&self) -> Self::Tag;

    /// The name of a scope with this tag.
    #[doc(hidden)]
    fn name(tag: &Self::Tag) -> Cow<'static, str>;

    /// Enters.
    ///
    /// This is what [`with`](crate::with()) and its kin call.
    /// Whoever else does has to give what is held to [`end`](Self::end), whatever happens: see [`Armed`].
    ///
    /// # Errors
    ///
    /// That of the enter: nothing is held.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, nothing is acquired: what a composite has entered is exited, by whoever adopts it.
    fn begin(
        self,
        armed: Armed<Self::Held>,
    ) -> impl Future<Output = Result<Self::Held, Self::Error>> + Send;

    /// Shows the body its part.
    fn view(held: &mut Self::Held) -> &mut Self::View;

    /// What there is to tell of an error: all that is in a report, also inside of an [`Or`](crate::Or).
    #[doc(hidden)]
    fn entries(error: Self::Error) -> Vec<Entry> {
        Entry::split(error)
    }

    /// Exits.
    ///
    /// # Errors
    ///
    /// That of the exit.
    ///
    /// # Cancel safety
    ///
    /// None: who drops it half-way has cut the exit. Whoever runs a scope has it driven to its end.
    fn end(
        held: Self::Held,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<Self::Verdict, Self::Error>> + Send;
}

/// A [`Bracket`] whose view can also be had from a shared reference, so that [`Open`](crate::Open) derefs to it.
///
/// Not so are [`view_as`](crate::ScopeExt::view_as), whose closure gives a mutable view only, and [`BoxScope`](crate::BoxScope): for them there is [`Open::view`](crate::Open::view).
pub trait Peek: Bracket {
    /// Shows the body's part.
    fn peek(held: &Self::Held) -> &Self::View;
}

impl<S: Scope> Peek for S {
    fn peek(held: &S::Guard) -> &S::Guard {
        held
    }
}

/// A [`Bracket`] that can be a member of a tuple, an array, a `Vec` or an `Option` of scopes, and an entry of an [`ExitStack`](crate::ExitStack).
///
/// What it holds comes apart there: the part that the body sees goes into the guard of the whole, the rest is kept beside it.
/// Every [`Scope`] is one, and so is every combinator over one.
///
/// # Composition
///
/// Tuples of up to twelve scopes, arrays, `Vec` and `Option` of scopes are scopes themselves; see also [`join`](crate::join()), [`race`](crate::race()), [`lazy`](crate::lazy()), [`shared`](crate::shared()) and the methods of [`ScopeExt`](crate::ScopeExt).
///
/// * They enter from left to right and exit from right to left. The body sees the parts side by side: a tuple, an array, a slice, an `Option`.
/// * When a member cannot be entered, those before it exit and see its error as a [`Failure`](crate::Outcome::Failure), and its error is returned. That one cannot be suppressed.
/// * When the enter is cut between two members, those that have entered are exited, by whoever adopts them or, under [`until`](crate::until) and [`timeout`](crate::timeout()), in place.
/// * The exits are those of nested [`with`](crate::with())s: what one suppresses is a [`Success`](crate::Outcome::Success) for those further out, and one that fails after a success shows them its error.
///   All of them run, whatever some of them do; the first error is returned, the others go to the [lost-error hook](crate::on_lost_error) with the name of their member, and the first panic goes on at the end.
///   Unlike in nested blocks, the body keeps its value when the error of an exit is suppressed by another one.
/// * The error of a tuple is [`Or`](crate::Or) of those of its members, and converts member by member; that of an array, a `Vec` and an `Option` is that of its scopes.
///   It may suppress if one of its members may.
/// * A part that the body takes out of an `Option` is its own: it is not exited, and the hook is told so.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use withal::{ScopeExt, acquire, sync};
///
/// # withal_testing::block_on(async {
/// let connect = |to: &'static str| acquire(async move || io::Result::Ok(to.len())).release(async |_, _| Ok(()));
/// let cache = Some(connect("cache"));
/// let sum = (connect("database"), cache, [sync(1), sync(2)])
///     .with(async |(database, cache, numbers)| {
///         let cache = cache.as_ref().map_or(0, |cache| *cache);
///         io::Result::Ok(*database + cache + numbers.iter().sum::<usize>())
///     })
///     .await?;
/// assert_eq!(sum, 8 + 5 + 3);
/// # io::Result::Ok(()) }).unwrap();
/// ```
pub trait Member: Bracket {
    /// What the body sees of it, by value.
    type Part: Send;
    /// What else is held.
    #[doc(hidden)]
    type Rest: Send;

    #[doc(hidden)]
    fn part(held: Self::Held) -> (Self::Part, Self::Rest);

    #[doc(hidden)]
    fn whole(part: Self::Part, rest: Self::Rest) -> Self::Held;
}

impl<S: Scope> Member for S {
    type Part = S::Guard;
    type Rest = ();

    fn part(held: S::Guard) -> (S::Guard, ()) {
        (held, ())
    }

    fn whole(part: S::Guard, (): ()) -> S::Guard {
        part
    }
}

/// What a scope carries for its name.
#[doc(hidden)]
pub trait Tag: Clone + Send + Sync + 'static {}
impl<T: Clone + Send + Sync + 'static> Tag for T {}

impl<S: Scope> Bracket for S {
    type Held = S::Guard;
    type View = S::Guard;
    type Error = S::Error;
    type Verdict = S::Verdict;
    type Tag = ();

    #[inline]
    fn tag(&self) {}

    fn name((): &()) -> Cow<'static, str> {
        Cow::Borrowed(type_name::<S>())
    }

    #[inline]
    fn begin(self, _: Armed<S::Guard>) -> impl Future<Output = Result<S::Guard, S::Error>> + Send {
        self.enter()
    }

    #[inline]
    fn view(held: &mut S::Guard) -> &mut S::Guard {
        held
    }

    #[inline]
    fn end(
        held: S::Guard,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<S::Verdict, S::Error>> + Send {
        S::exit(held, outcome)
    }
}

/// The last part of the path of a type, without its parameters.
pub(crate) fn type_name<T: ?Sized>() -> &'static str {
    let full = std::any::type_name::<T>().trim_start_matches('&');
    let path = full.split('<').next().unwrap_or(full);
    path.rsplit("::").next().unwrap_or(path)
}
