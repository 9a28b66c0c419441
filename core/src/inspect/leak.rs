//! What was left unclosed, by source line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::frame::{self, Dropping};
use crate::report::Label;

/// One tally for each source line, and so there are no more than a program has lines.
static LEAKS: Mutex<Tallies> = Mutex::new(BTreeMap::new());

type Tallies = BTreeMap<&'static Location<'static>, (Cow<'static, str>, u64)>;

fn tallies() -> MutexGuard<'static, Tallies> {
    LEAKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was left unclosed since the program began: a line for each source line that made such things.
///
/// Such are an [`Open`](crate::Open) and an [`ExitStack`](crate::ExitStack) that were dropped, and an entry of a stack whose lease was forgotten when its turn came.
/// Mostly a `?` has skipped the `close`.
/// Nothing is lost by it, for somebody else releases what was dropped; but that is later, and nobody waits for it or gets its errors.
/// What a canceller drops when it [cuts](crate::until) a body is released before the canceller returns, and does not count.
///
/// A future that was forgotten is still open: look for it by its age, with [`Inventory::older_than`](super::Inventory::older_than).
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{ScopeExt, inspect, null};
///
/// # withal_testing::block_on(async {
/// for n in 0..3 {
///     let Ok(forgetful) = null(n).named("fixture").open().await;
///     drop(forgetful); // instead of `forgetful.close(..).await`
/// }
/// let leaks = inspect::leaks();
/// assert_eq!(leaks[0].count(), 3);
/// assert!(leaks[0].to_string().starts_with("`fixture` ("));
/// # });
/// ```
pub fn leaks() -> Vec<Leak> {
    let tallies = tallies();
    let leaks = tallies.iter().map(|(location, (name, count))| Leak {
        name: name.clone(),
        location,
        count: *count,
    });
    leaks.collect()
}

/// What of one source line was left unclosed: see [`leaks`].
///
/// `Display` is a line with all of it.
#[derive(Clone, Debug)]
pub struct Leak {
    name: Cow<'static, str>,
    location: &'static Location<'static>,
    count: u64,
}

impl Leak {
    /// The name of the first of them: the one given by `.named(..)`, else its type.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The source line that made them.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            location,
            count,
        } = self;
        write!(f, "`{name}` ({location}): {count} left unclosed")
    }
}

/// Notes that something is dropped now, or was forgotten, which should have been closed.
#[cold]
pub(crate) fn unclosed(label: impl FnOnce() -> Label) {
    if frame::dropping() == Dropping::Orphaned {
        let Label { name, location } = label();
        tallies().entry(location).or_insert((name, 0)).1 += 1;
    }
}
