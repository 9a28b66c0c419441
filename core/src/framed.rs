//! Futures that are polled and dropped inside a frame.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::budget;
use crate::frame::{self, Birth, Dropping, Kind, Panic, in_frame};
use crate::orphan::Jobs;
use crate::watch::Inside;

/// Why a framed future gave no value.
pub(crate) enum Stop {
    Panicked(Panic),
    /// A canceller is closing, and the body was dropped for it.
    Cut,
}

/// What a framed future gives.
pub(crate) type Framing<T> = Result<T, Stop>;

/// Who gets what a frame has adopted, and notes that a root has suspended.
pub(crate) trait Heir {
    /// The id of the frame.
    fn frame(&self) -> u32;

    /// Where it was entered.
    fn birth(&self) -> Birth;

    /// It is about to be dropped, perhaps before it has started anywhere.
    fn start(&mut self) {}

    /// The jobs that it has.
    fn jobs(&mut self) -> &mut Jobs;

    fn has_jobs(&self) -> bool;

    /// Is inside of the span of what runs in the frame.
    #[inline(always)]
    fn inside(&self) -> Inside<'_> {
        Inside::NONE
    }

    /// The frame is a root and has returned `Pending` for the first time.
    fn settle(&mut self);

    /// A panic came out of the drop of the framed future (I7).
    fn lose(&self, panic: Panic);

    /// Polls what has been adopted, and says whether all of it has ended.
    #[inline(always)]
    fn poll_jobs(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.has_jobs() {
            self.jobs().poll(cx);
            if self.has_jobs() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }
}

pin_project! {
    /// A future that is made, polled and dropped inside a frame.
    ///
    /// It never unwinds. What it has adopted is its heir's, and is driven as long as it is polled.
    pub(crate) struct Framed<M, F, H, K>
    where
        H: Heir,
        K: Kind,
    {
        #[pin]
        stage: Stage<M, F>,
        jobs_first: bool,
        settled: bool,
        heir: H,
        kind: PhantomData<K>,
    }

    impl<M, F, H, K> PinnedDrop for Framed<M, F, H, K>
    where
        H: Heir,
        K: Kind,
    {
        fn drop(this: Pin<&mut Self>) {
            if matches!(this.stage, Stage::Running { .. }) {
                this.abandon();
            }
        }
    }
}

pin_project! {
    // What is to be made and what was made are never there at the same time, and so share their bytes.
    #[project = StageProj]
    enum Stage<M, F> {
        Fresh { make: Option<M> },
        Running { #[pin] future: F },
        Ended,
    }
}

impl<F, H: Heir, K: Kind> Framed<fn() -> F, F, H, K> {
    #[inline(always)]
    pub(crate) fn new(future: F, heir: H) -> Self {
        Self {
            stage: Stage::Running { future },
            jobs_first: false,
            settled: false,
            heir,
            kind: PhantomData,
        }
    }
}

impl<M: FnOnce() -> F, F, H: Heir, K: Kind> Framed<M, F, H, K> {
    /// The future that `make` makes at the first poll. Making it may panic, too: a closure is any function.
    #[inline(always)]
    pub(crate) fn make(make: M, heir: H) -> Self {
        Self {
            stage: Stage::Fresh { make: Some(make) },
            jobs_first: false,
            settled: false,
            heir,
            kind: PhantomData,
        }
    }
}

impl<M, F, H: Heir, K: Kind> Framed<M, F, H, K> {
    /// Drops the future inside the frame; what that orphans is adopted.
    #[cold]
    #[inline(never)]
    pub(crate) fn cut(self: Pin<&mut Self>) {
        if frame::is_closing() && frame::dropping() == Dropping::Orphaned {
            frame::while_dropping(Dropping::Cut, || self.drop_future());
        } else {
            self.drop_future();
        }
    }

    #[cold]
    #[inline(never)]
    fn abandon(mut self: Pin<&mut Self>) {
        self.as_mut().heir().start();
        self.drop_future();
    }

    /// Inline, because dropping a deep nest needs this for each level of the stack (I9).
    #[inline(always)]
    fn drop_future(self: Pin<&mut Self>) {
        let mut me = self.project();
        let frame = me.heir.frame();
        if let Err(panic) = in_frame::<K, _>(frame, me.heir, || me.stage.set(Stage::Ended)) {
            me.heir.lose(panic);
        }
    }

    /// The heir of what is not pinned yet.
    pub(crate) fn heir_mut(&mut self) -> &mut H {
        &mut self.heir
    }

    pub(crate) fn heir(self: Pin<&mut Self>) -> &mut H {
        self.project().heir
    }
}

impl<M: FnOnce() -> F, F: Future, H: Heir, K: Kind> Future for Framed<M, F, H, K> {
    type Output = Framing<F::Output>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if frame::is_closing() {
            return self.poll_closing(cx);
        }
        self.poll_inside::<false>(cx)
    }
}

impl<M: FnOnce() -> F, F: Future, H: Heir, K: Kind> Framed<M, F, H, K> {
    /// While a canceller further out is closing, which this one may be none of the business of.
    #[cold]
    #[inline(never)]
    fn poll_closing(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Framing<F::Output>> {
        if frame::is_foreign(self.heir.birth()) {
            budget::out_of_sight(|| frame::shielded(|| self.poll_inside::<false>(cx)))
        } else {
            self.poll_inside::<true>(cx)
        }
    }

    #[inline(always)]
    fn poll_inside<const CLOSING: bool>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Framing<F::Output>> {
        let mut me = self.as_mut().project();
        // I4: a body that uses up the runtime's budget in each poll must not starve its jobs.
        if me.heir.has_jobs() {
            *me.jobs_first = !*me.jobs_first;
            if *me.jobs_first {
                me.heir.jobs().poll(cx);
            }
        }
        let exiting = if CLOSING && K::BODY {
            frame::exiting()
        } else {
            0
        };
        let ids = if K::CUTTABLE { frame::ids_taken() } else { 0 };
        let polled = in_frame::<K, _>(me.heir.frame(), me.heir, || {
            if let StageProj::Fresh { make } = me.stage.as_mut().project()
                && let Some(make) = make.take()
            {
                me.stage.set(Stage::Running { future: make() });
            }
            let StageProj::Running { future } = me.stage.as_mut().project() else {
                panic!("polled after completion")
            };
            let polled = future.poll(cx);
            if polled.is_ready() {
                me.stage.set(Stage::Ended);
            }
            polled
        });
        match polled {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => {
                if CLOSING && K::BODY && frame::exiting() == exiting {
                    // No exit inside is in progress.
                    self.cut();
                    return Poll::Ready(Err(Stop::Cut));
                }
                if me.heir.has_jobs() {
                    me.heir.jobs().poll(cx);
                }
                if !*me.settled && (!K::CUTTABLE || frame::ids_taken() != ids) {
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
