//! Values that need no async exit.

use std::borrow::Cow;
use std::future::ready;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek, type_name};
use crate::outcome::Outcome;
use crate::raise::Never;
use crate::verdict::Propagate;

/// A scope around a guard that releases in its `Drop`: a lock, a permit, a span.
///
/// Its exit drops the guard. It never suspends and allocates nothing.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// # withal_testing::block_on(async {
/// let Ok(length) = withal::using(withal::sync(String::from("abc")), async |text| text.len()).await;
/// assert_eq!(length, 3);
/// # });
/// ```
pub fn sync<G: Send>(guard: G) -> Plain<G> {
    Plain(guard)
}

/// A scope that yields `value` and does nothing at its end: for a place that wants a scope where none is needed.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// # withal_testing::block_on(async {
/// let Ok(doubled) = withal::using(withal::null(21), async |n| *n * 2).await;
/// assert_eq!(doubled, 42);
/// # });
/// ```
pub fn null<T: Send>(value: T) -> Plain<T> {
    Plain(value)
}

/// A scope that ends with the drop of its value: see [`sync`] and [`null`].
#[derive(Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct Plain<G>(G);

impl<G: Send> Bracket for Plain<G> {
    type Held = G;
    type View = G;
    type Error = Never;
    type Verdict = Propagate;
    type Tag = ();

    const SUSPENDS: bool = false;

    fn tag(&self) {}

    fn name((): &()) -> Cow<'static, str> {
        Cow::Borrowed(type_name::<G>())
    }

    #[inline]
    fn begin(self, _: Armed<G>) -> impl Future<Output = Result<G, Never>> + Send {
        ready(Ok(self.0))
    }

    #[inline]
    fn view(held: &mut G) -> &mut G {
        held
    }

    #[inline]
    async fn end(held: G, _: Outcome<'_>) -> Result<Propagate, Never> {
        drop(held);
        Ok(Propagate)
    }
}

impl<G: Send> Peek for Plain<G> {
    fn peek(held: &G) -> &G {
        held
    }
}

impl<G: Send> Member for Plain<G> {
    type Part = G;
    type Rest = ();

    fn part(held: G) -> (G, ()) {
        (held, ())
    }

    fn whole(part: G, (): ()) -> G {
        part
    }
}
