//! Unwinding: the exits of a stack, last in, first out, whatever they do.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::failure::{Failed, Told};
use crate::frame::{self, Dropping, Panic};
use crate::inspect;
use crate::lost;
use crate::orphan::{Job, Jobs, Parcel};
use crate::owner::Owner;
use crate::report::{Entry as Line, Kind, Label, Phase, Report, What};
use crate::slot::{Fate, Trouble};
use crate::surroundings::Surroundings;
use crate::verdict::Verdict;

use super::entry::{Ended, Entry, Limit, Room, Started};
use super::exit::{Alarm, Exit, Finished};
use super::list::{Called, Shared};
use super::places::{Next, Places};
use super::settings::{Clock, Settings, ask};

/// The unwinding of one stack: it never unwinds the thread, and keeps what it has heard of.
pub(super) struct Unwind<V: Verdict> {
    entries: Entries<V>,
    /// How the body ended.
    initial: Fate,
    /// What the next exit sees.
    current: Fate,
    /// What went wrong, in the order of time, less what was suppressed.
    lines: Vec<Line>,
    /// The failure that is current, and its place in the lines, if it is that of an exit.
    seen: Option<(Arc<Failed<Told>>, usize)>,
    /// An exit has suppressed the body's error.
    suppressed: bool,
    /// The first panic, which goes on at the end (I7), and its place in the lines.
    panic: Option<(Panic, usize)>,
    /// The exit that runs, where they run one after the other.
    one: Option<Exit<V>>,
    /// Those that run, where several do at once.
    many: Option<Box<Many<V>>>,
    room: Room,
    settings: Settings,
    /// Whether it has been polled.
    begun: bool,
    /// Somebody has waited for the result.
    waited: bool,
}

/// Where the entries are.
enum Entries<V: Verdict> {
    /// In a stack that others may add to, or close.
    Shared(Arc<Shared<V>>),
    /// Here: nobody else can reach the stack any more.
    Own(Places<V>),
}

impl<V: Verdict> Entries<V> {
    /// Takes the next to leave.
    #[inline(always)]
    fn pop(&mut self, fate: &Fate) -> Next<V> {
        match self {
            Self::Shared(shared) => shared.lock().pop(),
            Self::Own(places) => places.pop(fate),
        }
    }

    /// Notes the result, and says whether somebody waits for it; `None` if entries were added.
    fn finish(&self, result: impl FnOnce() -> Result<V, Report>) -> Option<bool> {
        match self {
            Self::Shared(shared) => shared.finish(result),
            Self::Own(_) => Some(false),
        }
    }
}

/// Exits that run at once, and what came of those that have ended.
struct Many<V> {
    jobs: Jobs,
    live: usize,
    ended: Arc<Mutex<Vec<Finished<V>>>>,
}

impl<V> Many<V> {
    fn take_finished(&mut self) -> Vec<Finished<V>> {
        std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<V: Verdict> Unwind<V> {
    fn new(entries: Entries<V>, settings: Settings, fate: Fate, frame: u32) -> Self {
        Self {
            entries,
            settings,
            begun: false,
            initial: fate.clone(),
            current: fate,
            lines: Vec::new(),
            seen: None,
            suppressed: false,
            waited: false,
            panic: None,
            one: None,
            many: None,
            room: Room {
                frame,
                jobs: Jobs::NONE,
                limit: None,
            },
        }
    }

    /// The time of the whole begins.
    #[cold]
    fn begin(&mut self) {
        let clock = self.settings.clock().cloned();
        let budget = clock.zip(self.settings.budget());
        let own = budget.and_then(|(clock, budget)| {
            let now = ask(|| clock.now())?;
            Some((clock, now.saturating_add(budget)))
        });
        // That of a stack further out may end earlier.
        let limits = own.into_iter().chain(self.room.limit.take());
        self.room.limit = limits.min_by_key(|(_, by)| *by);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.begun, true) {
            self.begin();
        }
        loop {
            let next = match self.settings.at_most() {
                None => {
                    if let Some(exit) = &mut self.one {
                        let ended = ready!(exit.poll(cx));
                        if let Some(exit) = self.one.take() {
                            self.note(exit.finished(ended));
                        }
                    }
                    self.entries.pop(&self.initial)
                }
                Some(at_most) => ready!(self.poll_many(at_most, cx)),
            };
            match next {
                Next::Entry(entry) => ready!(self.start(entry, cx)),
                Next::Lent(label) => {
                    inspect::unclosed(|| label.clone());
                    self.fail(vec![Line::new(What::Forgotten).at(Phase::Exit, &label)]);
                }
                Next::None => {
                    let (lines, suppressed) = (&self.lines, self.suppressed);
                    if let Some(waited) = self.entries.finish(|| result(lines, suppressed)) {
                        self.waited = waited;
                        return Poll::Ready(());
                    }
                }
            }
        }
    }

    /// Polls the exits that run at once; gives the next that may start, or none when all have ended.
    fn poll_many(&mut self, at_most: usize, cx: &mut Context<'_>) -> Poll<Next<V>> {
        loop {
            let running = self.many.as_ref().map_or(0, |many| many.live);
            if running < at_most {
                let next = self.entries.pop(&self.initial);
                if !matches!(next, Next::None) {
                    return Poll::Ready(next);
                }
            }
            let Some(many) = &mut self.many else {
                return Poll::Ready(Next::None);
            };
            many.jobs.poll(cx);
            let finished = many.take_finished();
            many.live -= finished.len();
            if many.live == 0 {
                self.many = None;
            }
            if finished.is_empty() {
                return Poll::Pending;
            }
            finished
                .into_iter()
                .for_each(|finished| self.note(finished));
        }
    }

    /// Starts the exit of `entry`; mostly it ends at once. Pending if it does not.
    fn start(&mut self, mut entry: Box<dyn Entry<V>>, cx: &mut Context<'_>) -> Poll<()> {
        if self.settings.is_special() || self.room.limit.is_some() {
            self.start_special(entry);
            return Poll::Ready(());
        }
        let ended = match entry.leave(&self.current, &mut self.room) {
            Started::Gone => return Poll::Ready(()),
            Started::Ended(ended) => ended,
            Started::Running(mut running) | Started::Stack(mut running) => {
                match running.as_mut().poll(cx) {
                    Poll::Ready(ended) => ended,
                    Poll::Pending => {
                        self.one = Some(Exit {
                            entry,
                            running,
                            alarm: None,
                        });
                        return Poll::Pending;
                    }
                }
            }
        };
        match ended {
            Ok(verdict) if !verdict.suppresses() && self.seen.is_none() => {}
            ended => self.note(Finished {
                entry,
                took: None,
                ended: Some(ended),
            }),
        }
        Poll::Ready(())
    }

    /// The same with a clock, or beside others.
    #[cold]
    fn start_special(&mut self, mut entry: Box<dyn Entry<V>>) {
        let limit = self.room.limit.as_ref();
        let clock = self.settings.clock().or(limit.map(|(clock, _)| clock));
        let clock = clock.cloned();
        let since = clock.as_ref().and_then(|clock| ask(|| clock.now()));
        let fate = self.shown().clone();
        let (running, by) = match entry.leave(&fate, &mut self.room) {
            Started::Gone => return,
            Started::Ended(ended) => {
                let took = |(clock, since): (Arc<dyn Clock>, _)| {
                    Some(ask(|| clock.now())?.saturating_sub(since))
                };
                return self.note(Finished {
                    entry,
                    took: clock.zip(since).and_then(took),
                    ended: Some(ended),
                });
            }
            Started::Running(running) => {
                let each = since.zip(self.settings.each());
                let own = each.map(|(since, limit)| since.saturating_add(limit));
                let all = self.room.limit.as_ref().map(|(_, by)| *by);
                (running, own.into_iter().chain(all).min())
            }
            Started::Stack(running) => (running, None),
        };
        let alarm = |(clock, since)| Alarm::new(clock, since, by);
        let exit = Exit {
            entry,
            running,
            alarm: clock.zip(since).map(alarm),
        };
        if self.settings.at_most().is_some() {
            self.run_beside(exit);
        } else {
            self.one = Some(exit);
        }
    }

    fn run_beside(&mut self, mut exit: Exit<V>) {
        let many = self.many.get_or_insert_with(|| {
            Box::new(Many {
                jobs: Jobs::NONE,
                live: 0,
                ended: Arc::default(),
            })
        });
        let (label, all) = (exit.entry.label(), many.ended.clone());
        let work = Box::pin(async move {
            let ended = std::future::poll_fn(|cx| exit.poll(cx)).await;
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(exit.finished(ended));
        });
        let job = Job::new(work, label, Surroundings::default(), false);
        many.jobs.push(Parcel::One(job));
        many.live += 1;
    }

    /// Takes note of what came of an exit.
    fn note(&mut self, finished: Finished<V>) {
        let Finished { entry, took, ended } = finished;
        match ended {
            Some(Ok(verdict)) => {
                if verdict.suppresses() {
                    self.suppress();
                }
            }
            ended => self.note_trouble(&*entry, took, ended),
        }
        if self.seen.is_some() {
            self.forget_handled();
        }
    }

    #[cold]
    fn note_trouble(
        &mut self,
        entry: &dyn Entry<V>,
        took: Option<Duration>,
        ended: Option<Ended<V>>,
    ) {
        let label = entry.label();
        let line = |what| Line::new(what).at(Phase::Exit, &label);
        let mut lines = match ended {
            None => vec![line(What::Overdue)],
            Some(Err(trouble)) => match *trouble {
                Trouble::Error(raw, _) => Line::all_at(raw, Phase::Exit, &label).collect(),
                Trouble::Panic(panic) => {
                    let message = lost::message(&**panic).to_owned();
                    self.current = Fate::Panicked(message.as_str().into());
                    self.seen = None;
                    match self.panic {
                        None => self.panic = Some((panic, self.lines.len())),
                        Some(_) => lost::discard(panic),
                    }
                    vec![line(What::Panic(message))]
                }
            },
            Some(Ok(_)) => return,
        };
        if let Some(took) = took {
            lines.iter_mut().for_each(|line| line.set_took(took));
        }
        // A stack inside of this one may have suppressed what it was shown, and failed anew.
        if matches!(self.shown(), Fate::Failure(failed) if failed.is_suppressed()) {
            self.suppress();
        }
        self.fail(lines);
    }

    /// What an exit is shown that starts now.
    fn shown(&self) -> &Fate {
        match self.settings.at_most() {
            None => &self.current,
            // Those that run at once all see the same.
            Some(_) => &self.initial,
        }
    }

    /// What was shown is handled, and everything that led to it. A panic or a cancellation stays what it is.
    #[cold]
    fn suppress(&mut self) {
        if !matches!(self.shown(), Fate::Failure(_)) {
            return;
        }
        self.suppressed |= matches!(self.initial, Fate::Failure(_));
        if self.settings.at_most().is_none() {
            // An exit that did not run, or not to its end, is no error that could be handled.
            let lines = std::mem::take(&mut self.lines).into_iter();
            lines
                .filter(|line| line.kind() != Kind::Failed)
                .for_each(lost::tell);
            self.current = Fate::Success;
            self.seen = None;
        }
    }

    /// What the further exits see now; a panic or a cancellation stays what it is.
    #[cold]
    fn fail(&mut self, mut lines: Vec<Line>) {
        if let Fate::Success | Fate::Failure(_) = self.current {
            let told = Failed::new(Told(lines.clone()));
            self.current = Fate::Failure(told.clone());
            self.seen = Some((told, self.lines.len()));
        }
        self.lines.append(&mut lines);
    }

    /// Takes out of the lines what an exit has picked out of the failure that it was shown.
    #[cold]
    fn forget_handled(&mut self) {
        let Some((told, place)) = &self.seen else {
            return;
        };
        let Told(shown) = &told.error;
        if !shown.iter().any(Line::is_handled) {
            return;
        }
        let handled = |index: usize| {
            let shown = index.checked_sub(*place).and_then(|index| shown.get(index));
            shown.is_some_and(Line::is_handled)
        };
        let lines = std::mem::take(&mut self.lines).into_iter().enumerate();
        let left: Vec<_> = lines.filter(|(index, _)| !handled(*index)).collect();
        let since = left.iter().filter(|(index, _)| index < place).count();
        let (before, shown) = {
            let mut lines: Vec<_> = left.into_iter().map(|(_, line)| line).collect();
            let shown = lines.split_off(since);
            (lines, shown)
        };
        self.lines = before;
        self.fail(shown);
    }
}

/// Releases one entry that is in no list.
pub(super) fn alone<V: Verdict>(entry: Box<dyn Entry<V>>, fate: Fate) -> Unwinding<V> {
    let Label { name, location } = entry.label();
    let owner = Owner::new(Called(name), location);
    Unwinding::owned(Places::one(entry), Settings::default(), fate, owner)
}

fn result<V: Verdict>(lines: &[Line], suppressed: bool) -> Result<V, Report> {
    match Report::of(lines.iter().cloned()) {
        None => Ok(V::new(suppressed)),
        Some(report) => Err(report),
    }
}

/// An unwinding that somebody awaits; dropped before its end, it becomes a job (I3).
pub(super) struct Unwinding<V: Verdict> {
    unwind: Option<Box<Unwind<V>>>,
    owner: Owner<Called>,
}

/// How an unwinding ended.
pub(super) type Unwound<V> = Result<Result<V, Report>, Panic>;

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
            unwind.room.limit = limit.cloned();
        }
    }

    /// What is closed by hand belongs to where it is closed (I6), and was perhaps lent an error.
    pub(super) fn rebase(&mut self) {
        self.owner.rebase();
        let initial = self.unwind.as_ref().map(|unwind| &unwind.initial);
        self.owner.borrows = matches!(initial, Some(Fate::Failure(_)));
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
        let Unwind {
            initial,
            lines,
            suppressed,
            panic,
            ..
        } = *unwind;
        Poll::Ready(match panic {
            Some((panic, place)) => {
                // The panic goes on, and so the rest has nowhere to go.
                for (index, line) in lines.into_iter().enumerate() {
                    if index != place {
                        lost::tell(line);
                    }
                }
                Err(panic)
            }
            None => {
                if let (true, false, Fate::Failure(failed)) =
                    (suppressed, lines.is_empty(), &initial)
                {
                    failed.suppress();
                }
                Ok(result(&lines, suppressed))
            }
        })
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
        };
        self.owner.orphan(Jobs::NONE, Box::pin(work));
    }
}

/// An orphaned unwinding: it tells what it has heard of.
///
/// The deadline of an exit around it drops it; then what has not begun goes on as an orphan again.
struct Rest<V: Verdict> {
    unwind: Option<Box<Unwind<V>>>,
    label: Label,
}

impl<V: Verdict> Future for Rest<V> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(unwind) = &mut self.unwind {
            ready!(unwind.poll(cx));
        }
        if let Some(unwind) = self.unwind.take() {
            let Unwind {
                lines,
                panic,
                waited,
                ..
            } = *unwind;
            // Who has waited has all of them in his report.
            if !waited {
                lines.into_iter().for_each(lost::tell);
            }
            if let Some((panic, _)) = panic {
                lost::discard(panic);
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
        };
        Owner::new(Called(name), location).orphan(Jobs::NONE, Box::pin(rest));
    }
}

impl<V: Verdict> Unwind<V> {
    /// Drops the exits that run, and tells of them.
    #[cold]
    fn abandon(&mut self) {
        // What is left runs without the error that it was lent: that goes back to its owner.
        self.initial = self.initial.detached();
        self.current = self.current.detached();
        if let Some(exit) = self.one.take() {
            let finished = exit.finished(None);
            self.note(finished);
        }
        if let Some(mut many) = self.many.take() {
            many.jobs.abandon();
            let finished = many.take_finished();
            finished
                .into_iter()
                .for_each(|finished| self.note(finished));
        }
    }
}
