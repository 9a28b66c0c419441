//! Signals that ask the program to stop.

use std::future::pending;

use async_signal::{Signal, Signals as Stream};
use futures::stream::StreamExt;
use withal_core::Signals;

use crate::Futures;

impl Signals for Futures {
    fn interrupted(&self) -> impl Future<Output = ()> + Send + 'static {
        // Registered now, not at the first poll.
        #[cfg(unix)]
        let stream = Stream::new([Signal::Int, Signal::Term]);
        #[cfg(not(unix))]
        let stream = Stream::new([Signal::Int]);
        async move {
            let Ok(mut stream) = stream else {
                // The signals keep their default effect: they end the process.
                return pending().await;
            };
            if stream.next().await.is_none() {
                pending::<()>().await;
            }
        }
    }
}
