//! Values with an async close.

use std::borrow::Cow;
use std::future::ready;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek, type_name};
use crate::failure::Fault;
use crate::outcome::Outcome;
use crate::runtime::Timer;
use crate::send_fn::SendFn;
use crate::verdict::Propagate;

use super::backoff::Backoff;
use super::escalate::Releasing;

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

impl<C: Close> Closing<C> {
    /// Closes again, by `policy`, when that has failed; see [`releasing`](crate::releasing).
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use std::time::Duration;
    /// use withal::{Backoff, Close, Report, ScopeExt, closing};
    ///
    /// struct Socket { tries: u32 }
    /// impl Close for Socket {
    ///     type Error = std::io::Error;
    ///     async fn close(&mut self) -> std::io::Result<()> {
    ///         self.tries += 1;
    ///         if self.tries < 3 { Err(std::io::Error::other("busy")) } else { Ok(()) }
    ///     }
    /// }
    ///
    /// # withal_testing::run(|rt| async move {
    /// # withal::on_lost_error(|_| ());
    /// let policy = Backoff::times(5).starting_at(Duration::from_millis(10));
    /// let socket = closing(Socket { tries: 0 }).retrying(&rt, policy).within(Duration::from_secs(1));
    /// socket.using(async |socket| assert_eq!(socket.tries, 0)).await?;
    /// # Ok::<_, Report>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn retrying<T>(
        self,
        timer: &T,
        policy: Backoff,
    ) -> Releasing<impl SendFn<(), Result<C, C::Error>> + use<C, T>, C, C::Error, T>
    where
        T: Timer + Clone + Send + Sync + 'static,
    {
        let acquire = async move || Ok(self.0);
        Releasing::new(acquire, timer, type_name::<C>())
            .or_close()
            .retry(policy)
    }
}

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

    fn begin(self, _: Armed<C>) -> impl Future<Output = Result<C, C::Error>> + Send {
        ready(Ok(self.0))
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
