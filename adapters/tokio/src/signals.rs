//! Signals that ask the program to stop.

use withal_core::Signals;

use crate::Tokio;

impl Signals for Tokio {
    #[cfg(unix)]
    fn interrupted(&self) -> impl Future<Output = ()> + Send + 'static {
        use std::future::{pending, poll_fn};
        use std::task::Poll;
        use tokio::signal::unix::{SignalKind, signal};
        use tokio::task::unconstrained;

        // Registered now, not at the first poll.
        let interrupt = signal(SignalKind::interrupt());
        let terminate = signal(SignalKind::terminate());
        async move {
            let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
                // The signals keep their default effect: they end the process.
                return pending().await;
            };
            // Not part of tokio's budget, which a busy main uses up in each poll.
            unconstrained(poll_fn(|cx| {
                let polls = [interrupt.poll_recv(cx), terminate.poll_recv(cx)];
                if polls.iter().any(Poll::is_ready) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }))
            .await;
        }
    }

    #[cfg(not(unix))]
    fn interrupted(&self) -> impl Future<Output = ()> + Send + 'static {
        async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending().await
            }
        }
    }
}
