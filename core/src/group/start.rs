//! Tasks that say when they are ready.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::outcome::Cancelled;
use crate::report::Report;

/// By which a task that was [started](crate::TaskGroup::start) says that it is ready.
///
/// # Drop behavior
///
/// Dropped without a word, the task will never be ready: the starter cancels it.
#[must_use = "the starter waits for it"]
pub struct TaskReady<V>(Arc<dyn Listen<V>>);

impl<V> TaskReady<V> {
    /// Says that the task is ready, and gives `value` to the starter.
    pub fn ready(self, value: V) {
        self.0.hear(Some(value));
    }
}

impl<V> Drop for TaskReady<V> {
    fn drop(&mut self) {
        self.0.hear(None);
    }
}

impl<V> fmt::Debug for TaskReady<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskReady")
    }
}

/// The starter, as its task sees it.
trait Listen<V>: Send + Sync {
    /// The first word counts.
    fn hear(&self, word: Option<V>);
}

/// What is between a task and its starter.
pub(super) struct Handshake<V, E>(Mutex<Hands<V, E>>);

struct Hands<V, E> {
    word: Word<V, E>,
    starter: Option<Waker>,
}

/// What the task has said.
pub(super) enum Word<V, E> {
    NotYet,
    Ready(V),
    /// It has let go of its [`TaskReady`].
    Never,
    Failed(E),
    /// The starter has it, or does not wait for it any more.
    Given,
}

impl<V: Send + 'static, E: Send + 'static> Handshake<V, E> {
    pub(super) fn new() -> (Arc<Self>, TaskReady<V>) {
        let handshake = Arc::new(Self(Mutex::new(Hands {
            word: Word::NotYet,
            starter: None,
        })));
        (handshake.clone(), TaskReady(handshake))
    }

    fn lock(&self) -> MutexGuard<'_, Hands<V, E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the task is ready, gives it up or has failed.
    pub(super) async fn said(&self) {
        poll_fn(|cx| {
            let mut hands = self.lock();
            if !matches!(hands.word, Word::NotYet) {
                return Poll::Ready(());
            }
            let old = hands.starter.replace(cx.waker().clone());
            drop(hands);
            drop(old);
            Poll::Pending
        })
        .await;
    }

    /// Takes the word; from now on the starter hears no more.
    pub(super) fn take(&self) -> Word<V, E> {
        std::mem::replace(&mut self.lock().word, Word::Given)
    }

    /// Whether the task has given up, and may still run.
    pub(super) fn is_never(&self) -> bool {
        matches!(self.lock().word, Word::Never)
    }

    /// The task has failed; gives the error back if the starter does not wait for it any more.
    pub(super) fn fail(&self, error: E) -> Result<(), E> {
        let mut hands = self.lock();
        if !matches!(hands.word, Word::NotYet | Word::Never) {
            return Err(error);
        }
        hands.word = Word::Failed(error);
        let starter = hands.starter.take();
        drop(hands);
        if let Some(starter) = starter {
            starter.wake();
        }
        Ok(())
    }
}

impl<V: Send, E: Send> Listen<V> for Handshake<V, E> {
    fn hear(&self, word: Option<V>) {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(hands.word, Word::NotYet) {
            drop(hands);
            return drop(word);
        }
        hands.word = word.map_or(Word::Never, Word::Ready);
        let starter = hands.starter.take();
        drop(hands);
        if let Some(starter) = starter {
            starter.wake();
        }
    }
}

/// Why a task did not become ready.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError<E> {
    /// It has failed before, with this; the group does not hear of it.
    Failed(E),
    /// It was cancelled, or refused, as its group closes; or its runtime has dropped it.
    Cancelled(Cancelled),
    /// It has ended or panicked without a word, or has let go of its [`TaskReady`]. The panic is the group's.
    NeverReady,
}

impl<E: fmt::Display> fmt::Display for StartError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Cancelled(cancelled) => write!(f, "the task was {cancelled}"),
            Self::NeverReady => f.write_str("the task has ended and was never ready"),
        }
    }
}

/// The report of a task that has failed, as it is.
impl From<StartError<Self>> for Report {
    fn from(error: StartError<Self>) -> Self {
        match error {
            StartError::Failed(report) => report,
            other => Self::msg(other.to_string()),
        }
    }
}

impl<E: Error + 'static> Error for StartError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            Self::Cancelled(_) | Self::NeverReady => None,
        }
    }
}
