//! Blocking work: async-std's blocking pool.

use withal_core::Blocking;

use crate::AsyncStd;

impl Blocking for AsyncStd {
    fn unblock<T, F>(&self, work: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // Dropping the handle does not stop the work, and awaiting it passes a panic on.
        async_std::task::spawn_blocking(work)
    }
}
