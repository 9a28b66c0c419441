//! Blocking work: tokio's blocking pool.

use std::panic::resume_unwind;

use withal_core::Blocking;

use crate::Tokio;

impl Blocking for Tokio {
    fn unblock<T, F>(&self, work: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // Dropping the handle does not stop the work.
        let handle = tokio::task::spawn_blocking(work);
        async move {
            match handle.await {
                Ok(value) => value,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    Err(_) => panic!("the tokio runtime has shut down before the work could start"),
                },
            }
        }
    }
}
