//! The runtime as a value.

use std::sync::OnceLock;

use futures::executor::ThreadPool;
use withal_core::Runtime;

/// The executors of `futures`: a thread pool for tasks, async-io's reactor for timers, the pool of the `blocking` crate.
///
/// `futures` has no global executor, so that the value says where tasks are spawned:
/// on a pool of the program's own, by `Futures::from(pool)`, or else on one that the first task starts, with a thread for each core, and that the process keeps.
/// A future on a `LocalPool`, or in `futures::executor::block_on`, uses it just the same; its tasks run on the pool and not on its own thread, for a `LocalSpawner` stays on the thread of its pool.
///
/// Tasks take turns: one that yields goes to the end of the pool's queue.
/// (What `ThreadPool::spawn_ok` starts is polled again at once, and keeps its thread as long as it wakes itself.)
///
/// # Panics
///
/// `spawn` panics if the operating system denies the threads.
///
/// # Examples
///
/// ```
/// use futures::executor::{ThreadPool, block_on};
/// use withal_core::{Spawn, Task};
/// use withal_futures::Futures;
///
/// let rt = Futures::from(ThreadPool::builder().pool_size(1).create()?);
/// let (answer, answered) = futures::channel::oneshot::channel();
/// rt.spawn(Task::new(async { answer.send(42).unwrap() }));
/// assert_eq!(block_on(answered), Ok(42));
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Futures {
    pool: Option<ThreadPool>,
}

impl Futures {
    /// The runtime whose tasks run on the pool of the process.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where tasks are spawned.
    pub(crate) fn pool(&self) -> &ThreadPool {
        static POOL: OnceLock<ThreadPool> = OnceLock::new();
        self.pool.as_ref().unwrap_or_else(|| {
            POOL.get_or_init(|| {
                let pool = ThreadPool::builder()
                    .name_prefix("withal-futures-")
                    .create();
                pool.expect("the threads of the pool can be started")
            })
        })
    }
}

impl From<ThreadPool> for Futures {
    fn from(pool: ThreadPool) -> Self {
        Self { pool: Some(pool) }
    }
}

impl Runtime for Futures {
    const NAME: &'static str = "futures";
}
