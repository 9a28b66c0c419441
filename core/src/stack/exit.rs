//! One exit of a stack while it runs, and its deadline.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::frame::{self, Dropping};
use crate::lost;
use crate::report::{Entry as Line, What};
use crate::verdict::Verdict;

use super::entry::{Ended, Entry, Running};
use super::settings::{Clock, ask};

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
    by: Option<Duration>,
    sleep: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Alarm {
    pub(super) fn new(clock: Arc<dyn Clock>, since: Duration, by: Option<Duration>) -> Box<Self> {
        Box::new(Self {
            clock,
            since,
            by,
            sleep: None,
        })
    }
}

impl<V: Verdict> Exit<V> {
    /// Gives how it ended; `None` when its time is up.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ended<V>>> {
        if let Poll::Ready(ended) = self.running.as_mut().poll(cx) {
            return Poll::Ready(Some(ended));
        }
        match &mut self.alarm {
            Some(alarm) => alarm.poll(cx).map(|()| None),
            None => Poll::Pending,
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
    frame::while_dropping(Dropping::Abandoned, || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(overdue))) {
            lost::tell(Line::new(What::Panic(lost::message(&*panic).to_owned())));
            lost::discard(Box::new(panic));
        }
    });
}

impl Alarm {
    fn took(&self) -> Option<Duration> {
        Some(ask(|| self.clock.now())?.saturating_sub(self.since))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(by) = self.by else {
            return Poll::Pending;
        };
        let (clock, sleep) = (&self.clock, &mut self.sleep);
        let polled = ask(|| {
            if clock.now() >= by {
                return Poll::Ready(());
            }
            let sleep = sleep.get_or_insert_with(|| clock.sleep_until(by));
            sleep.as_mut().poll(cx)
        });
        polled.unwrap_or_else(|| {
            // No clock, no deadline.
            self.by = None;
            Poll::Pending
        })
    }
}
