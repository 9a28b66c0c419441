//! An enter in a frame of its own, which is cut in place while a canceller is closing.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use crate::frame::{self, Cuttable};
use crate::framed::{Framed, Framing, Heir, Stop};

/// Runs the enter that `make` makes; what it leaves behind is its heir's.
///
/// What is entered or taken by then is to be given back at once: the exit of another scope may be waiting for it.
pub(crate) async fn entering<M, F, H>(make: M, heir: H) -> Framing<F::Output>
where
    M: FnOnce() -> F,
    F: Future,
    H: Heir,
{
    let birth = heir.birth();
    let mut enter = pin!(Framed::<_, _, _, Cuttable>::make(make, heir));
    poll_fn(|cx| {
        let (closing, exiting) = (frame::is_closing(), frame::exiting());
        let polled = enter.as_mut().poll(cx);
        if polled.is_pending()
            && closing
            && frame::exiting() == exiting
            && !frame::is_foreign(birth)
        {
            // As a body does, and yet it is none: what is entered here belongs to the body around it.
            enter.as_mut().cut();
            return Poll::Ready(Err(Stop::Cut));
        }
        polled
    })
    .await
}
