//! Futures that are cut from outside: after so many polls, by an abort, by a panic that is caught.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::future::{AbortHandle, abortable};
use pin_project_lite::pin_project;
use withal_core::{Spawn, Task};

pin_project! {
    /// The future of [`cut_after`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct CutAfter<F> {
        #[pin]
        future: Option<F>,
        polls: usize,
        eager: bool,
    }
}

/// Polls `future` so many times and then drops it: `None` if it had not completed by then.
pub fn cut_after<F: Future>(polls: usize, future: F) -> CutAfter<F> {
    CutAfter {
        future: Some(future),
        polls,
        eager: false,
    }
}

impl<F> CutAfter<F> {
    /// Polls at every chance, also if nothing has woken the future: for one that waits for nothing.
    pub fn eagerly(mut self) -> Self {
        self.eager = true;
        self
    }
}

impl<F: Future> Future for CutAfter<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let mut me = self.project();
        if *me.polls == 0 {
            me.future.set(None);
            return Poll::Ready(None);
        }
        *me.polls -= 1;
        let Some(future) = me.future.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(value) = future.poll(cx) {
            me.future.set(None);
            return Poll::Ready(Some(value));
        }
        if *me.polls == 0 {
            me.future.set(None);
            return Poll::Ready(None);
        }
        if *me.eager {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Suspends once.
///
/// # Cancel safety
///
/// Dropping it does nothing.
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Suspends `times` times.
///
/// # Cancel safety
///
/// Dropping it does nothing.
pub async fn yield_times(times: usize) {
    for _ in 0..times {
        yield_now().await;
    }
}

/// Polls `future` once, with the caller's waker.
///
/// # Cancel safety
///
/// The future stays with its owner.
pub async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

/// Spawns `future` as a task that [`AbortHandle::abort`] drops hard, wherever it is.
pub fn spawn_abortable<R: Spawn>(
    rt: &R,
    future: impl Future<Output = ()> + Send + 'static,
) -> AbortHandle {
    let (future, handle) = abortable(future);
    rt.spawn(Task::new(async move {
        let _ = future.await;
    }));
    handle
}

pin_project! {
    struct Caught<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(polled) => Poll::Ready(Ok(ready!(polled))),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

/// Runs `future` and catches its panic: `Err` with the message.
///
/// # Cancel safety
///
/// That of `future`.
pub async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    Caught { future }.await.map_err(|panic| {
        let text = panic
            .downcast_ref::<&'static str>()
            .map(ToString::to_string);
        text.or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no text".to_owned())
    })
}
