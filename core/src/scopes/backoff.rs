//! How often something is tried again, and after which delays.

use std::time::Duration;

/// A policy for trying again: how many times, and how long to wait before each.
///
/// It is given to [`Releasing::retry`](crate::Releasing::retry).
/// The delays are exact: the same policy gives the same delays each time.
/// Delays that differ at random, so that many clients do not come back at once, need a source of randomness, which this crate has not: [`adjusted_by`](Backoff::adjusted_by) takes yours.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::time::Duration;
/// use withal::Backoff;
///
/// let ms = Duration::from_millis;
/// let policy = Backoff::times(5).starting_at(ms(100)).factor(2).at_most(ms(500));
/// let delays: Vec<_> = policy.delays().collect();
/// assert_eq!(delays, [ms(100), ms(200), ms(400), ms(500), ms(500)]);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a policy does nothing by itself"]
pub struct Backoff {
    times: u32,
    first: Duration,
    factor: u32,
    most: Duration,
    adjust: fn(u32, Duration) -> Duration,
}

impl Backoff {
    /// Tries again up to `times` times after the first attempt, without delays.
    pub fn times(times: u32) -> Self {
        Self {
            times,
            first: Duration::ZERO,
            factor: 1,
            most: Duration::MAX,
            adjust: |_, delay| delay,
        }
    }

    /// Waits so long before the first further attempt, and as long before each other unless there is a [`factor`](Backoff::factor).
    pub fn starting_at(mut self, delay: Duration) -> Self {
        self.first = delay;
        self
    }

    /// Multiplies the delay by `factor` from one further attempt to the next.
    pub fn factor(mut self, factor: u32) -> Self {
        self.factor = factor;
        self
    }

    /// Bounds each delay.
    pub fn at_most(mut self, delay: Duration) -> Self {
        self.most = delay;
        self
    }

    /// Has the last word on each delay: `adjust` gets the number of the further attempt, from one, and its delay, and gives the one to wait for.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// # fn random_below(n: u32) -> u32 { n / 2 }
    /// use std::time::Duration;
    /// use withal::Backoff;
    ///
    /// let policy = Backoff::times(3)
    ///     .starting_at(Duration::from_millis(100))
    ///     .adjusted_by(|_, delay| delay * random_below(100) / 100);
    /// assert!(policy.delays().all(|delay| delay < Duration::from_millis(100)));
    /// ```
    pub fn adjusted_by(mut self, adjust: fn(u32, Duration) -> Duration) -> Self {
        self.adjust = adjust;
        self
    }

    /// The delays before the further attempts, one for each.
    pub fn delays(&self) -> impl Iterator<Item = Duration> + Send + Sync + use<> {
        let policy = *self;
        let mut next = policy.first;
        (1..=policy.times).map(move |number| {
            let delay = next.min(policy.most);
            next = next.saturating_mul(policy.factor);
            (policy.adjust)(number, delay)
        })
    }
}
