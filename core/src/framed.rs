//! Futures that are polled and dropped inside a frame.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::frame::{self, Kind, Panic, in_frame};
use crate::orphan::Jobs;

/// Why a framed future gave no value.
pub(crate) enum Stop {
    Panicked(Panic),
    /// A canceller is closing, and the body was dropped for it.
    Cut,
}

/// Who gets what a frame has adopted, and notes that a root has suspended.
pub(crate) trait Heir {
    /// Takes over the jobs of a frame that ends.
    fn inherit(&mut self, jobs: Jobs);

    /// The frame is a root and has returned `Pending` for the first time.
    fn settle(&mut self);

    /// A panic came out of the drop of the framed future (I7).
    fn lose(&self, panic: Panic);
}

pin_project! {
    /// A future that is polled and dropped inside a frame.
    ///
    /// It never unwinds. What it has adopted it drives as long as it is polled, and leaves to its heir when it is dropped.
    pub(crate) struct Framed<F, H, K>
    where
        H: Heir,
        K: Kind,
    {
        #[pin]
        future: Option<F>,
        jobs: Jobs,
        id: u32,
        jobs_first: bool,
        settled: bool,
        heir: H,
        kind: PhantomData<K>,
    }

    impl<F, H, K> PinnedDrop for Framed<F, H, K>
    where
        H: Heir,
        K: Kind,
    {
        fn drop(this: Pin<&mut Self>) {
            if this.future.is_some() || this.jobs.any() {
                this.abandon();
            }
        }
    }
}

impl<F, H: Heir, K: Kind> Framed<F, H, K> {
    #[inline(always)]
    pub(crate) fn new(future: F, heir: H, id: u32) -> Self {
        Self {
            future: Some(future),
            jobs: Jobs::NONE,
            id,
            jobs_first: false,
            settled: false,
            heir,
            kind: PhantomData,
        }
    }

    /// Drops the future inside the frame; what that orphans is adopted.
    #[cold]
    #[inline(never)]
    pub(crate) fn cut(self: Pin<&mut Self>) {
        self.drop_future();
    }

    /// Inline, because dropping a deep nest needs this for each level of the stack (I9).
    #[inline(always)]
    fn drop_future(self: Pin<&mut Self>) {
        let mut me = self.project();
        if let Err(panic) = in_frame::<K, _>(*me.id, me.jobs, || me.future.set(None)) {
            me.heir.lose(panic);
        }
    }

    #[cold]
    #[inline(never)]
    fn abandon(mut self: Pin<&mut Self>) {
        self.as_mut().drop_future();
        let me = self.project();
        if me.jobs.any() {
            me.heir.inherit(me.jobs.take());
        }
    }

    /// Drives what has been adopted, after the future has ended.
    #[inline]
    pub(crate) fn poll_jobs(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let me = self.project();
        if me.jobs.any() {
            me.jobs.poll(cx);
        }
        if me.jobs.any() {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }

    /// Gives what has been adopted to the heir, without waiting for it.
    #[cold]
    pub(crate) fn bequeath(self: Pin<&mut Self>) {
        let me = self.project();
        if me.jobs.any() {
            me.heir.inherit(me.jobs.take());
        }
    }

    /// What has been adopted.
    pub(crate) fn jobs(self: Pin<&mut Self>) -> &Jobs {
        self.project().jobs
    }

    pub(crate) fn heir(self: Pin<&mut Self>) -> &mut H {
        self.project().heir
    }
}

impl<F: Future, H: Heir, K: Kind> Future for Framed<F, H, K> {
    type Output = Result<F::Output, Stop>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut me = self.as_mut().project();
        // I4: a body that uses up the runtime's budget in each poll must not starve its jobs.
        if me.jobs.any() {
            *me.jobs_first = !*me.jobs_first;
            if *me.jobs_first {
                me.jobs.poll(cx);
            }
        }
        let exiting = if K::BODY { frame::exiting() } else { 0 };
        let polled = in_frame::<K, _>(*me.id, me.jobs, || {
            let future = me.future.as_mut().as_pin_mut();
            let polled = future.expect("polled after completion").poll(cx);
            if polled.is_ready() {
                me.future.set(None);
            }
            polled
        });
        match polled {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => {
                if K::BODY && frame::is_cut(exiting) {
                    self.cut();
                    return Poll::Ready(Err(Stop::Cut));
                }
                if me.jobs.any() {
                    me.jobs.poll(cx);
                }
                if !K::EXIT && !*me.settled {
                    *me.settled = true;
                    if frame::is_root() {
                        me.heir.settle();
                    }
                }
                Poll::Pending
            }
            Err(panic) => {
                self.cut();
                Poll::Ready(Err(Stop::Panicked(panic)))
            }
        }
    }
}
