//! An unwinding as a future: awaited, or an orphan.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::clock::Limit;
use crate::frame::{self, Dropping};
use crate::lent::{self, Answer, Asked};
use crate::lost;
use crate::orphan::Jobs;
use crate::owner::{Called, Owner};
use crate::report::{Entry as Line, Label, Phase, What};
use crate::slot::Fate;
use crate::untold::tell_error;
use crate::verdict::Verdict;

use super::entry::Entry;
use super::list::Shared;
use super::places::Places;
use super::settings::Settings;
use super::unwind::{Entries, Unwind, Unwound};

/// An unwinding that somebody awaits; dropped before its end, it becomes a job (I3).
pub(super) struct Unwinding<V: Verdict> {
    unwind: Option<Box<Unwind<V>>>,
    owner: Owner<Called>,
}

impl<V: Verdict> Unwinding<V> {
    /// Unwinds `shared`, which is closing.
    pub(super) fn new(shared: Arc<Shared<V>>, fate: Fate, owner: Owner<Called>) -> Self {
        let settings = shared.lock().settings.clone();
        Self::of(Entries::Shared(shared), settings, fate, owner)
    }

    /// Unwinds what nobody else can reach.
    pub(super) fn owned(
        places: Places<V>,
        settings: Settings,
        fate: Fate,
        owner: Owner<Called>,
    ) -> Self {
        Self::of(Entries::Own(places), settings, fate, owner)
    }

    #[inline(always)]
    fn of(entries: Entries<V>, settings: Settings, fate: Fate, owner: Owner<Called>) -> Self {
        // The box first, so that it is made in place.
        let place = Box::new_uninit();
        let unwind = Unwind::new(entries, settings, fate, owner.frame);
        Self {
            unwind: Some(Box::write(place, unwind)),
            owner,
        }
    }

    /// Bounds it by what is left to a stack further out.
    pub(super) fn limit(&mut self, limit: Option<&Limit>) {
        if let Some(unwind) = &mut self.unwind {
            unwind.limit(limit.cloned());
        }
    }

    /// What is closed by hand belongs to where it is closed (I6), and was perhaps lent an error.
    pub(super) fn rebase(&mut self) {
        self.owner.rebase();
        self.owner.borrows = self.unwind.as_ref().is_some_and(|unwind| unwind.borrows());
    }

    /// Awaits it by hand. One that was lent an error is left to whoever runs, and ends before that goes back.
    pub(super) async fn closed(mut self) -> Unwound<V> {
        if !self.owner.borrows {
            return self.await;
        }
        let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut self).poll(cx))).await;
        match polled {
            Poll::Ready(unwound) => unwound,
            Poll::Pending => self.lend().await,
        }
    }

    #[cold]
    fn lend(mut self) -> Asked<Unwound<V>> {
        let label = self.owner.label();
        let (answer, asked) = lent::answer(label.clone(), tell_unwound);
        let rest = Rest {
            unwind: self.unwind.take(),
            label,
            answer: Some(answer),
        };
        self.owner.lend(Box::pin(rest));
        asked
    }
}

impl<V: Verdict> Future for Unwinding<V> {
    type Output = Unwound<V>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Unwound<V>> {
        let Some(unwind) = &mut self.unwind else {
            unreachable!("it gives its result once");
        };
        if unwind.poll(cx).is_pending() {
            self.owner.settle_exit();
            return Poll::Pending;
        }
        let Some(unwind) = self.unwind.take() else {
            unreachable!("it was there");
        };
        Poll::Ready(unwind.unwound())
    }
}

impl<V: Verdict> Drop for Unwinding<V> {
    fn drop(&mut self) {
        let Some(mut unwind) = self.unwind.take() else {
            return;
        };
        if frame::dropping() == Dropping::Abandoned {
            // The deadline around it has struck: the exits that run are dropped, those that have not begun still run.
            unwind.abandon();
            self.owner.borrows = false;
        } else if frame::dropping() == Dropping::MovedOn {
            lost::tell(Line::new(What::Overdue).at(Phase::Exit, &self.owner.label()));
        }
        let label = self.owner.label();
        let work = Rest {
            unwind: Some(unwind),
            label,
            answer: None,
        };
        self.owner.orphan(Jobs::NONE, Box::pin(work));
    }
}

/// An orphaned unwinding: it tells what it has heard of, unless somebody waits for that.
///
/// The deadline of an exit around it drops it; then what has not begun goes on as an orphan again.
struct Rest<V: Verdict> {
    unwind: Option<Box<Unwind<V>>>,
    label: Label,
    answer: Option<Answer<Unwound<V>>>,
}

impl<V: Verdict> Future for Rest<V> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(unwind) = &mut self.unwind {
            ready!(unwind.poll(cx));
        }
        if let Some(unwind) = self.unwind.take() {
            match self.answer.take() {
                Some(answer) => {
                    if let Err(unwound) = answer.give(unwind.unwound()) {
                        tell_unwound(unwound, &self.label);
                    }
                }
                None => unwind.tell(),
            }
        }
        Poll::Ready(())
    }
}

impl<V: Verdict> Drop for Rest<V> {
    fn drop(&mut self) {
        let Some(mut unwind) = self.unwind.take() else {
            return;
        };
        unwind.abandon();
        let Label { name, location } = self.label.clone();
        let rest = Self {
            unwind: Some(unwind),
            label: self.label.clone(),
            answer: self.answer.take(),
        };
        Owner::new(Called(name), location).orphan(Jobs::NONE, Box::pin(rest));
    }
}

/// Tells what came of an unwinding for which nobody waits any more.
fn tell_unwound<V>(unwound: Unwound<V>, label: &Label) {
    match unwound {
        Ok(Ok(_)) => {}
        Ok(Err(report)) => tell_error(report, Phase::Exit, label),
        Err(panic) => {
            lost::tell_panic(&**panic, Phase::Exit, label);
            lost::discard(panic);
        }
    }
}

/// Releases one entry that is in no list.
pub(super) fn alone<V: Verdict>(entry: Box<dyn Entry<V>>, fate: Fate) -> Unwinding<V> {
    let Label { name, location } = entry.label();
    let owner = Owner::new(Called(name), location);
    Unwinding::owned(Places::one(entry), Settings::default(), fate, owner)
}
