//! A scope that is entered when it is first used.

use std::borrow::Cow;
use std::fmt;
use std::future::ready;
use std::panic::Location;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek, type_name};
use crate::frame;
use crate::outcome::Outcome;
use crate::report::Entry;
use crate::verdict::Verdict;

/// A scope that is entered when it is first used: see [`lazy`].
#[must_use = "a scope does nothing unless it is run"]
pub struct Lazy<S: Bracket>(LazyGuard<S>);

/// Makes a scope that is entered when it is first used, at most once at a time, and exited at the end of the block if it was.
///
/// The body sees a [`LazyGuard`], whose [`get`](LazyGuard::get) enters.
/// `make` makes the scope; it is called again only after an enter that has failed or was cut.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use withal::{ScopeExt, acquire, lazy};
///
/// # withal_testing::block_on(async {
/// let connection = lazy(|| acquire(async || io::Result::Ok(41)).release(async |_, _| Ok(())));
/// let answer = connection.with(async |connection| {
///     // Up to here nothing is acquired.
///     *connection.get().await? += 1;
///     io::Result::Ok(*connection.get().await?)
/// });
/// assert_eq!(answer.await?, 42);
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Errors
///
/// That of the exit. The error of an enter is given by [`get`](LazyGuard::get).
pub fn lazy<S: Bracket>(make: impl FnMut() -> S + Send + 'static) -> Lazy<S> {
    Lazy(LazyGuard {
        make: Box::new(make),
        held: None,
    })
}

/// The guard of a [`lazy`] scope.
///
/// # Drop behavior
///
/// It is given back to its scope at the end of the block, which exits what was entered.
pub struct LazyGuard<S: Bracket> {
    // In a box, so that its type is not in that of the guard: with a lifetime in it, it would take `Send` from futures.
    make: Box<dyn FnMut() -> S + Send>,
    held: Option<S::Held>,
}

impl<S: Bracket> LazyGuard<S> {
    /// Enters, if nothing is entered yet, and shows what a body would see.
    ///
    /// # Errors
    ///
    /// The error of the enter. The next use tries again, with a scope that is made anew.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, nothing is acquired, and the next use tries again.
    #[track_caller]
    pub fn get(&mut self) -> impl Future<Output = Result<&mut S::View, S::Error>>
    where
        S::Held: 'static,
    {
        let location = Location::caller();
        async move {
            let held = match self.held.take() {
                Some(held) => held,
                None => {
                    if frame::is_closing() {
                        frame::held_off().await;
                    }
                    let scope = (self.make)();
                    scope.begin(Armed::new(location)).await?
                }
            };
            Ok(S::view(self.held.insert(held)))
        }
    }

    /// What a body would see, if it is entered.
    pub fn entered(&mut self) -> Option<&mut S::View> {
        self.held.as_mut().map(S::view)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Bracket> Bracket for Lazy<S> {
    type Held = LazyGuard<S>;
    type View = LazyGuard<S>;
    type Error = S::Error;
    type Verdict = S::Verdict;
    type Tag = ();

    const SUSPENDS: bool = S::SUSPENDS;

    fn tag(&self) {}

    fn name((): &()) -> Cow<'static, str> {
        Cow::Borrowed(type_name::<S>())
    }

    fn begin(
        self,
        _: Armed<Self::Held>,
    ) -> impl Future<Output = Result<Self::Held, S::Error>> + Send {
        ready(Ok(self.0))
    }

    fn view(held: &mut Self::Held) -> &mut Self::View {
        held
    }

    async fn end(held: Self::Held, outcome: Outcome<'_>) -> Result<S::Verdict, S::Error> {
        match held.held {
            Some(held) => S::end(held, outcome).await,
            None => Ok(S::Verdict::PROPAGATE),
        }
    }

    fn entries(error: S::Error) -> Vec<Entry> {
        S::entries(error)
    }
}

impl<S: Bracket> Peek for Lazy<S> {
    fn peek(held: &Self::Held) -> &Self::View {
        held
    }
}

impl<S: Bracket> Member for Lazy<S> {
    type Part = LazyGuard<S>;
    type Rest = ();

    fn part(held: Self::Held) -> (Self::Part, ()) {
        (held, ())
    }

    fn whole(part: Self::Part, (): ()) -> Self::Held {
        part
    }
}

impl<S: Bracket> fmt::Debug for Lazy<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lazy").field(&type_name::<S>()).finish()
    }
}

impl<S: Bracket> fmt::Debug for LazyGuard<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyGuard")
            .field("entered", &self.held.is_some())
            .finish_non_exhaustive()
    }
}
