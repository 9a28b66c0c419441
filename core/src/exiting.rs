//! An exit inside its frame, and what it has adopted.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::frame::{Birth, Exit, Panic, in_frame};
use crate::framed::Heir;
use crate::lost;
use crate::orphan::Jobs;
use crate::report::{Entry, What};

pin_project! {
    /// An exit in a frame of its own, which ends when everything that it has opened has ended (I6).
    ///
    /// It never unwinds: it gives the panic.
    /// Dropped before its end it drops the exit; what that orphans goes home.
    pub(crate) struct Exiting<F>
    where
        F: Future,
    {
        #[pin]
        future: Option<F>,
        jobs_first: bool,
        heir: ToHome,
        // What the exit gave, while its orphans are finished.
        exited: Option<Result<F::Output, Panic>>,
    }

    impl<F> PinnedDrop for Exiting<F>
    where
        F: Future,
    {
        fn drop(this: Pin<&mut Self>) {
            if this.future.is_some() {
                this.cut();
            }
        }
    }
}

impl<F: Future> Exiting<F> {
    #[inline(always)]
    pub(crate) fn new(future: F, frame: u32) -> Self {
        Self {
            future: Some(future),
            jobs_first: false,
            heir: ToHome {
                jobs: Jobs::NONE,
                frame,
            },
            exited: None,
        }
    }

    /// What the exit gave, if only its orphans are left.
    #[cold]
    pub(crate) fn take_exited(self: Pin<&mut Self>) -> Option<Result<F::Output, Panic>> {
        self.project().exited.take()
    }

    #[cold]
    #[inline(never)]
    fn cut(self: Pin<&mut Self>) {
        let mut me = self.project();
        if let Err(panic) = in_frame::<Exit, _>(me.heir.frame, me.heir, || me.future.set(None)) {
            me.heir.lose(panic);
        }
    }
}

impl<F: Future> Future for Exiting<F> {
    type Output = Result<F::Output, Panic>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut me = self.as_mut().project();
        if me.future.is_some() {
            // I4, as in a body.
            if me.heir.has_jobs() {
                *me.jobs_first = !*me.jobs_first;
                if *me.jobs_first {
                    me.heir.jobs().poll(cx);
                }
            }
            let exited = match in_frame::<Exit, _>(me.heir.frame, me.heir, || {
                let future = me.future.as_mut().as_pin_mut();
                let polled = future.expect("polled after completion").poll(cx);
                if polled.is_ready() {
                    me.future.set(None);
                }
                polled
            }) {
                Ok(Poll::Ready(exited)) => Ok(exited),
                Ok(Poll::Pending) => {
                    if me.heir.has_jobs() {
                        me.heir.jobs().poll(cx);
                    }
                    return Poll::Pending;
                }
                Err(panic) => {
                    self.as_mut().cut();
                    me = self.project();
                    Err(panic)
                }
            };
            if !me.heir.has_jobs() {
                return Poll::Ready(exited);
            }
            *me.exited = Some(exited);
        }
        if me.heir.poll_jobs(cx).is_pending() {
            return Poll::Pending;
        }
        match me.exited.take() {
            Some(exited) => Poll::Ready(exited),
            None => unreachable!("polled after completion"),
        }
    }
}

/// The heir of an exit's frame. A started exit is only dropped with what it has adopted, and then that goes home.
struct ToHome {
    jobs: Jobs,
    frame: u32,
}

impl Heir for ToHome {
    #[inline(always)]
    fn frame(&self) -> u32 {
        self.frame
    }

    #[inline(always)]
    fn jobs(&mut self) -> &mut Jobs {
        &mut self.jobs
    }

    #[inline(always)]
    fn has_jobs(&self) -> bool {
        self.jobs.any()
    }

    fn birth(&self) -> Birth {
        Birth::NOWHERE
    }

    fn settle(&mut self) {}

    #[cold]
    fn lose(&self, panic: Panic) {
        let payload: &(dyn Any + Send) = &**panic;
        lost::tell(Entry::new(What::Panic(lost::message(payload).to_owned())));
        lost::discard(panic);
    }
}
