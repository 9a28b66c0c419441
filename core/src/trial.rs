//! What the attribute `#[test]` expands to: a test on one runtime, with a limit.

use std::fmt::Debug;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::launch::{Launch, alone};
use crate::timeout::timeout;

/// How long a test that was cancelled may take for its exits.
const GRACE: Duration = Duration::from_secs(5);

/// Runs `test` on the runtime that `start` starts, in a thread of its own, and waits for what it leaves behind.
///
/// # Panics
///
/// If the test panics or fails, or if `limit` is over. The message says `name`, which is that of the runtime, too.
pub fn trial<L, T, F>(
    name: &'static str,
    limit: Duration,
    start: impl FnOnce() -> L + Send + 'static,
    test: F,
) where
    L: Launch,
    T: Passed,
    F: AsyncFnOnce(L::Runtime) -> T + Send + 'static,
{
    // Dropped at the end of the thread, however it ends.
    let (running, ended) = mpsc::channel::<()>();
    let run = move || {
        let _running = running;
        let launcher = start();
        let (rt, budget) = (launcher.runtime(), launcher.exit_budget());
        let timed = timeout(&rt, limit, test(rt.clone())).grace(GRACE);
        // What is late has had its time.
        let patience = |ended: Option<&Result<_, _>>| match ended {
            Some(Err(_)) => Duration::ZERO,
            _ => budget,
        };
        // Signals end the process, as they do in other tests.
        match launcher.block_on(alone(rt.clone(), patience, timed)) {
            Ok(ended) => ended.passed(name),
            Err(elapsed) => panic!("{name}: {:?}", elapsed.into_report()),
        }
    };
    let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
    let thread = thread.unwrap_or_else(|error| panic!("{name}: no thread: {error}"));
    finish(name, thread, &ended, limit.saturating_add(GRACE * 4));
}

/// Waits for the end of a test, which hangs up then.
fn finish(name: &str, thread: JoinHandle<()>, ended: &Receiver<()>, patience: Duration) {
    if let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(patience) {
        panic!("{name}: it blocks its thread, and has not ended within {patience:?}");
    }
    if let Err(panic) = thread.join() {
        resume_unwind(panic);
    }
}

/// What a test returns.
#[diagnostic::on_unimplemented(
    message = "a test does not return `{Self}`",
    note = "it returns `()`, or a `Result` of that whose error is `Debug`"
)]
pub trait Passed {
    #[doc(hidden)]
    fn passed(self, name: &str);
}

impl Passed for () {
    fn passed(self, _: &str) {}
}

impl<T: Passed, E: Debug> Passed for Result<T, E> {
    fn passed(self, name: &str) {
        match self {
            Ok(value) => value.passed(name),
            Err(error) => panic!("{name} failed: {error:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread that ends when nobody keeps the other end any more is left to itself.
    #[test]
    fn one_that_blocks_its_thread_fails() {
        let (running, ended) = mpsc::channel();
        let (keep, kept) = mpsc::channel::<()>();
        let blocks = thread::spawn(move || {
            let _running = running;
            let _ = kept.recv();
        });
        let waits = move || finish("late", blocks, &ended, Duration::ZERO);
        let message = thread::spawn(waits).join().unwrap_err();
        let message = message.downcast_ref::<String>().unwrap();
        assert!(
            message.starts_with("late: it blocks its thread"),
            "{message}"
        );
        drop(keep); // now it ends
    }
}
