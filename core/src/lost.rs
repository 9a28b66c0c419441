//! Errors that have nowhere to go: the lost-error hook, and the canceller that listens in its place.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use crate::frame::{self, Panic};
use crate::report::{Entry, Label, Phase, What};

#[cfg(feature = "tracing")]
#[path = "lost/event.rs"]
mod default;
#[cfg(not(feature = "tracing"))]
#[path = "lost/stderr.rs"]
mod default;
#[cfg(feature = "tracing")]
mod stderr;

type Hook = Arc<dyn Fn(&Entry) + Send + Sync>;

static HOOK: RwLock<Option<Hook>> = RwLock::new(None);

thread_local! {
    /// What was told to the cancellers on this thread's stack, the innermost last.
    static NOTES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// Sets the hook that gets every error with nowhere to go.
///
/// Such are: the errors and panics of exits whose caller was dropped, the body's error when its scope is dropped during the exit,
/// an exit's error beside the body's, exits that were overdue.
/// The hook is called on the thread on which the error came up; it must not block.
/// Panics of the hook itself are ignored.
///
/// Without a hook each error is one line on stderr or, with the feature `tracing` and a subscriber, an event.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// withal::on_lost_error(|entry| eprintln!("cleaning up went wrong: {entry}"));
/// ```
pub fn on_lost_error(hook: impl Fn(&Entry) + Send + Sync + 'static) {
    let hook: Hook = Arc::new(hook);
    let old = HOOK
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .replace(hook);
    // Outside of the lock: what it holds may lose an error in its drop.
    drop(old);
}

/// Tells of `entry`: to the canceller that listens on this thread, else (losses only) to the hook.
#[cold]
pub(crate) fn tell(entry: Entry) {
    if frame::is_listening() {
        let mut entry = Some(entry);
        let _ = NOTES.try_with(|notes| notes.borrow_mut().extend(entry.take()));
        let Some(left) = entry else { return };
        lose(&left);
    } else {
        lose(&entry);
    }
}

/// Hands a loss to the hook.
#[cold]
pub(crate) fn lose(entry: &Entry) {
    if !entry.is_loss() {
        return;
    }
    let hook = HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
    // I8: this may run in a drop, so that a panic of the hook ends here.
    let _ = catch_unwind(AssertUnwindSafe(|| match hook {
        Some(hook) => hook(entry),
        None => default::default_hook(entry),
    }));
}

/// Tells of a panic that stops nobody (I7).
#[cold]
pub(crate) fn tell_panic(payload: &(dyn Any + Send), phase: Phase, label: &Label) {
    tell(Entry::new(What::Panic(message(payload).to_owned())).at(phase, label));
}

/// The text of a panic.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "a panic whose payload is no text"
    }
}

/// Drops the payload of a panic whose own drop may panic.
pub(crate) fn discard(payload: Panic) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
}

/// Listens while `f` runs, and adds what was told to `notes`. `f` does not unwind.
pub(crate) fn listen<R>(notes: &mut Vec<Entry>, f: impl FnOnce() -> R) -> R {
    let mark = NOTES.try_with(|told| told.borrow().len());
    let result = frame::listening(f);
    if let Ok(mark) = mark {
        let _ = NOTES.try_with(|told| notes.extend(told.borrow_mut().drain(mark..)));
    }
    result
}
