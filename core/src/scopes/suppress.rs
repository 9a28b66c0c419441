//! Suppressing errors by their type.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::ready;
use std::marker::PhantomData;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member};
use crate::failure::FailureRef;
use crate::outcome::Outcome;
use crate::raise::Never;
use crate::report::Entry;
use crate::verdict::Recover;

/// A scope that suppresses errors of type `E`: its `with` gives `None` where the body failed so.
///
/// [`or`](Suppress::or) adds further types.
/// The type is found also inside of `Box<dyn Error + Send + Sync>` and, with the feature `anyhow`, `anyhow::Error`.
/// Out of a [`Report`](crate::Report) the matching errors are picked, and the rest is passed on.
/// Panics and cancellations are never suppressed.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::num::ParseIntError;
/// use withal::{ScopeExt, suppress};
///
/// # withal_testing::block_on(async {
/// let parsed = suppress::<ParseIntError>().with(async |()| "x".parse::<u32>()).await;
/// assert_eq!(parsed, Ok(None));
/// # });
/// ```
pub fn suppress<E: Error + Send + Sync + 'static>() -> Suppress<Type<E>> {
    Suppress(PhantomData)
}

/// A scope that suppresses nothing: the start of a list of types that may turn out empty, as `suppress()` is in Python.
pub fn suppress_nothing() -> Suppress<()> {
    Suppress(PhantomData)
}

/// A scope that suppresses errors: see [`suppress`].
#[must_use = "a scope does nothing unless it is run"]
pub struct Suppress<K>(PhantomData<fn() -> K>);

impl<K: Types> Suppress<K> {
    /// Suppresses errors of type `E` as well.
    pub fn or<E: Error + Send + Sync + 'static>(self) -> Suppress<(K, Type<E>)> {
        Suppress(PhantomData)
    }
}

/// The error type `E`, in the list of a [`Suppress`].
#[derive(Debug)]
pub struct Type<E>(PhantomData<fn() -> E>);

/// The error types of a [`Suppress`]; sealed.
pub trait Types: sealed::Sealed + 'static {
    #[doc(hidden)]
    fn has_failure(failure: &FailureRef<'_>) -> bool;
    #[doc(hidden)]
    fn has_entry(entry: &Entry) -> bool;
}

impl Types for () {
    fn has_failure(_: &FailureRef<'_>) -> bool {
        false
    }

    fn has_entry(_: &Entry) -> bool {
        false
    }
}

impl<E: Error + Send + Sync + 'static> Types for Type<E> {
    fn has_failure(failure: &FailureRef<'_>) -> bool {
        failure.downcast_ref::<E>().is_some()
    }

    fn has_entry(entry: &Entry) -> bool {
        entry.downcast_ref::<E>().is_some()
    }
}

impl<K: Types, L: Types> Types for (K, L) {
    fn has_failure(failure: &FailureRef<'_>) -> bool {
        K::has_failure(failure) || L::has_failure(failure)
    }

    fn has_entry(entry: &Entry) -> bool {
        K::has_entry(entry) || L::has_entry(entry)
    }
}

impl<K: Types> Bracket for Suppress<K> {
    type Held = ();
    type View = ();
    type Error = Never;
    type Verdict = Recover;
    type Tag = ();

    const SUSPENDS: bool = false;

    fn tag(&self) {}

    fn name((): &()) -> Cow<'static, str> {
        Cow::Borrowed("suppress")
    }

    fn begin(self, _: Armed<()>) -> impl Future<Output = Result<(), Never>> + Send {
        ready(Ok(()))
    }

    fn view(held: &mut ()) -> &mut () {
        held
    }

    async fn end((): (), outcome: Outcome<'_>) -> Result<Recover, Never> {
        let suppressed = match outcome {
            Outcome::Failure(failure) if failure.0.is_lasting() => false,
            Outcome::Failure(failure) => match failure.entries() {
                Some(entries) => pick::<K>(&entries),
                None => K::has_failure(&failure),
            },
            _ => false,
        };
        Ok(if suppressed {
            Recover::Suppress
        } else {
            Recover::Propagate
        })
    }
}

impl<K: Types> Member for Suppress<K> {
    type Part = ();
    type Rest = ();

    fn part((): ()) -> ((), ()) {
        ((), ())
    }

    fn whole((): (), (): ()) {}
}

/// Marks the entries that match; says whether nothing else is left.
fn pick<K: Types>(entries: &[&Entry]) -> bool {
    let matching = entries.iter().filter(|entry| K::has_entry(entry));
    let mut any = false;
    for entry in matching {
        entry.mark_handled();
        any = true;
    }
    any && entries.iter().all(|entry| entry.is_handled())
}

impl<K> fmt::Debug for Suppress<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Suppress")
            .field(&std::any::type_name::<K>())
            .finish()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl<E> Sealed for super::Type<E> {}
    impl<K, L> Sealed for (K, L) {}
}
