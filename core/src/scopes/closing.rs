//! Values with an async close.

use crate::bracket::{Bracket, Member, Peek, type_name};
use crate::failure::Fault;
use crate::outcome::Outcome;
use crate::verdict::Propagate;
use std::borrow::Cow;

/// A value that is released by one async call.
///
/// Run it by [`closing`], which closes it at the end of a block.
///
/// # Implementing
///
/// * Closing twice is fine: the second call does nothing. A body may close by hand, and [`closing`] closes again.
/// * A call may be cut half-way when the *body* makes it; the next call must go on from there.
/// * It must release even when it returns an error: an error means that the close was not graceful.
pub trait Close: Send {
    /// Why closing was not graceful.
    type Error: Fault;

    /// Closes.
    ///
    /// # Cancel safety
    ///
    /// [`closing`] never cuts it; a body that calls it by hand may be cut, see above.
    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A scope that closes `value` at its end.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{Close, Never, closing, using};
///
/// struct Socket { open: bool }
/// impl Close for Socket {
///     type Error = Never;
///     async fn close(&mut self) -> Result<(), Never> {
///         self.open = false;
///         Ok(())
///     }
/// }
///
/// # withal_testing::block_on(async {
/// let Ok(open) = using(closing(Socket { open: true }), async |socket| socket.open).await;
/// assert!(open);
/// # });
/// ```
pub fn closing<C: Close>(value: C) -> Closing<C> {
    Closing(value)
}

/// A scope that closes its value: see [`closing`].
#[derive(Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct Closing<C>(C);

impl<C: Close> Bracket for Closing<C> {
    type Held = C;
    type View = C;
    type Error = C::Error;
    type Verdict = Propagate;
    type Tag = ();

    fn tag(&self) {}

    fn name((): &()) -> Cow<'static, str> {
        Cow::Borrowed(type_name::<C>())
    }

    async fn begin(self) -> Result<C, C::Error> {
        Ok(self.0)
    }

    fn view(held: &mut C) -> &mut C {
        held
    }

    async fn end(mut held: C, _: Outcome<'_>) -> Result<Propagate, C::Error> {
        held.close().await?;
        Ok(Propagate)
    }
}

impl<C: Close> Peek for Closing<C> {
    fn peek(held: &C) -> &C {
        held
    }
}

impl<C: Close> Member for Closing<C> {
    type Part = C;
    type Rest = ();

    fn part(held: C) -> (C, ()) {
        (held, ())
    }

    fn whole(part: C, (): ()) -> C {
        part
    }
}
