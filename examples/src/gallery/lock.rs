//! Three workers and one lock: a turn is a scope, and the next one begins when the exit of the last one has ended.
//!
//! Run it: `cargo run -p withal-examples -- run lock`
//!
//! Who comes first is up to the runtime, so the workers are numbered by their turns.

use std::sync::Arc;
use std::time::Duration;

use smol::lock::Mutex;
use withal::{GroupError, Never, Report, Runtime, ScopeExt, acquire, task_group};

use crate::Transcript;

pub(crate) const TITLE: &str = "three workers that share a lock";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "worker 1: acquired",
    "worker 1: released",
    "worker 2: acquired",
    "worker 2: released",
    "worker 3: acquired",
    "worker 3: released",
    "turns: 3",
];

/// What one worker does; the lock guards the number of turns that there were.
async fn work<R: Runtime>(rt: R, lock: Arc<Mutex<u32>>, out: Transcript) -> Result<(), Report> {
    let (timer, log) = (rt.clone(), out.clone());
    let turn = acquire(async move || {
        let mut turns = lock.lock_arc().await;
        *turns += 1;
        out.line(format_args!("worker {turns}: acquired"));
        Ok::<_, Never>(turns)
    })
    .release(async move |turns, _| {
        // Still locked: others see nothing of what is half done.
        timer.sleep(Duration::from_millis(50)).await;
        log.line(format_args!("worker {turns}: released"));
        Ok(())
    });
    turn.with(async |_turns| {
        rt.sleep(Duration::from_millis(100)).await;
        Ok(())
    })
    .await
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    let lock = Arc::new(Mutex::new(0));
    let workers = task_group(rt, async |group| {
        for _ in 0..3 {
            group.spawn(work(rt.clone(), lock.clone(), out.clone()));
        }
        Ok(())
    });
    workers.await.map_err(GroupError::into_report)?;
    out.line(format_args!("turns: {}", lock.lock().await));
    Ok(())
}
