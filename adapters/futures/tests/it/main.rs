//! The conformance suite on thread pools of futures, and what only its executors can show.

mod executors;

use futures::executor::ThreadPool;
use withal_futures::Launcher;

withal_testing::conformance!(pool_of_the_process: Launcher::new());

fn pool_of_one() -> Launcher {
    ThreadPool::builder().pool_size(1).create().unwrap().into()
}

withal_testing::conformance!(pool_of_one_thread: pool_of_one());
