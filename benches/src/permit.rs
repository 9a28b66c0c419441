//! The resource of the contenders: a permit with a number to work with.

use std::fmt;
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use withal_core::{Outcome, Propagate, Scope};

static TAKEN: AtomicU64 = AtomicU64::new(0);
static GIVEN_BACK: AtomicU64 = AtomicU64::new(0);

/// Counts so that the optimizer must keep it, without the price of a locked instruction.
#[inline]
fn count(counter: &AtomicU64) {
    let before = counter.load(Ordering::Relaxed);
    counter.store(before.wrapping_add(1), Ordering::Relaxed);
}

/// What is acquired; it is given back when it is dropped.
#[derive(Debug)]
pub struct Permit(u64);

impl Permit {
    /// Acquires.
    ///
    /// # Errors
    ///
    /// [`Refused`], for the greatest number.
    #[inline]
    pub fn take(number: u64) -> Result<Self, Refused> {
        if number == u64::MAX {
            return Err(Refused);
        }
        count(&TAKEN);
        Ok(Self(number))
    }

    /// What the bodies do.
    ///
    /// # Errors
    ///
    /// [`Refused`], never in practice.
    #[inline]
    pub fn work(&mut self) -> Result<u64, Refused> {
        self.0 = black_box(self.0.wrapping_add(1));
        if self.0 == 0 {
            Err(Refused)
        } else {
            Ok(self.0)
        }
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        count(&GIVEN_BACK);
    }
}

/// Gives a permit back by an async call, in the scope and by hand alike.
///
/// # Errors
///
/// [`Refused`], never in practice.
pub async fn give_back(permit: Permit, success: bool) -> Result<(), Refused> {
    if black_box(permit.0) == 0 && success {
        return Err(Refused);
    }
    drop(permit);
    Ok(())
}

/// Why there is no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

/// The scope of a permit, as a user writes it.
#[derive(Clone, Copy, Debug)]
pub struct Permits(pub u64);

impl Scope for Permits {
    type Guard = Permit;
    type Error = Refused;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Permit, Refused> {
        Permit::take(self.0)
    }

    async fn exit(permit: Permit, outcome: Outcome<'_>) -> Result<Propagate, Refused> {
        give_back(permit, outcome.is_success()).await?;
        Ok(Propagate)
    }
}

/// Suspends `times` times.
pub async fn suspend(mut times: u64) {
    std::future::poll_fn(|_| {
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        Poll::Pending
    })
    .await;
}

/// Polls a future to its end.
#[inline(always)]
pub fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        // The black box makes every contender keep its state in memory, as a part of a larger future does.
        if let Poll::Ready(output) = black_box(future.as_mut()).poll(&mut cx) {
            return output;
        }
    }
}
