//! One exit of a stack while it runs, and its deadline.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::budget::{self, Bound, forced};
use crate::clock::{Clock, Limit, ask};
use crate::frame::{self, Dropping};
use crate::lost;
use crate::report::{Entry as Line, What};
use crate::verdict::Verdict;

use super::entry::{Ended, Entry, Running};

/// An exit that has ended, in whichever way.
pub(super) struct Finished<V> {
    pub(super) entry: Box<dyn Entry<V>>,
    pub(super) took: Option<Duration>,
    /// `None` if its time was up.
    pub(super) ended: Option<Ended<V>>,
}

/// One exit that runs, and its deadline.
pub(super) struct Exit<V> {
    pub(super) entry: Box<dyn Entry<V>>,
    pub(super) running: Running<V>,
    pub(super) alarm: Option<Box<Alarm>>,
}

pub(super) struct Alarm {
    clock: Arc<dyn Clock>,
    since: Duration,
    /// When the exit is to have ended, and as who this is known that bounds it.
    limit: Option<Limit>,
    source: u32,
    sleep: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<V: Verdict> Exit<V> {
    /// Gives how it ended; `None` when its time is up.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ended<V>>> {
        if let Some(alarm) = &mut self.alarm {
            return alarm.around(&mut self.running, cx);
        }
        match self.running.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// What there is to note of it; an exit that is overdue is dropped.
    pub(super) fn finished(self, ended: Option<Ended<V>>) -> Finished<V> {
        let took = self.alarm.as_ref().and_then(|alarm| alarm.took());
        match ended {
            Some(_) => drop(self.running),
            None => abandon(self.running),
        }
        Finished {
            entry: self.entry,
            took,
            ended,
        }
    }
}

/// Drops what is overdue.
#[cold]
fn abandon<T>(overdue: T) {
    let drop_it = || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(overdue))) {
            lost::tell(Line::new(What::Panic(lost::message(&*panic).to_owned())));
            lost::discard(Box::new(panic));
        }
    };
    let abandon = || frame::while_dropping(Dropping::Abandoned, drop_it);
    budget::within(Some(Bound::FORCED), abandon);
}

impl Alarm {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        since: Duration,
        limit: Option<Limit>,
        source: u32,
    ) -> Box<Self> {
        Box::new(Self {
            clock,
            since,
            limit,
            source,
            sleep: None,
        })
    }

    fn took(&self) -> Option<Duration> {
        Some(ask(|| self.clock.now())?.saturating_sub(self.since))
    }

    /// Polls the exit in its time, and once more when that is over. (One that begins when it is over is polled once.)
    #[cold]
    #[inline(never)]
    fn around<V: Verdict>(
        &mut self,
        running: &mut Running<V>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Ended<V>>> {
        let Some(limit) = &self.limit else {
            return running.as_mut().poll(cx).map(Some);
        };
        let mut bound = Bound::until(self.source, limit);
        loop {
            let over = bound.is_forced();
            if over {
                forced::wake(self.source);
            }
            let poll = || running.as_mut().poll(cx);
            if let Poll::Ready(ended) = budget::within(Some(bound), poll) {
                return Poll::Ready(Some(ended));
            }
            if over {
                return Poll::Ready(None);
            }
            let Limit { clock, by } = limit;
            let sleep = &mut self.sleep;
            let slept = ask(|| {
                let sleep = sleep.get_or_insert_with(|| clock.sleep_until(*by));
                sleep.as_mut().poll(cx)
            });
            match slept {
                Some(Poll::Ready(())) => bound = Bound::FORCED,
                Some(Poll::Pending) => return Poll::Pending,
                None => {
                    // No clock, no deadline.
                    self.limit = None;
                    return Poll::Pending;
                }
            }
        }
    }
}
