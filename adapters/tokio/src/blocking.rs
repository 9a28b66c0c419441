//! Blocking work: tokio's blocking pool.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use withal_core::Blocking;

use crate::Tokio;

impl Blocking for Tokio {
    fn unblock<T, F>(&self, work: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // A runtime that is closing drops what has not started. It is kept here until then.
        let work = Arc::new(Mutex::new(Some(work)));
        let start = {
            let work = work.clone();
            move || {
                let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
                work.map(|work| work())
            }
        };
        // Dropping the handle does not stop the work.
        let mut handle = tokio::task::spawn_blocking(start.clone());
        async move {
            loop {
                match handle.await {
                    Ok(Some(value)) => return value,
                    Ok(None) => unreachable!("it is started once"),
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => resume_unwind(panic),
                        // Whoever polls this now does so on another runtime.
                        Err(_) => handle = tokio::task::spawn_blocking(start.clone()),
                    },
                }
            }
        }
    }
}
