//! Unwinding: the exits of a stack, last in, first out, whatever they do.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::budget::{self, Bound};
use crate::clock::{Clock, Limit, ask};
use crate::failure::{Failed, Told};
use crate::frame::{self, Panic};
use crate::inspect;
use crate::lost;
use crate::orphan::Jobs;
use crate::report::{Entry as Line, Kind, Phase, Report, What};
use crate::slot::{Fate, Trouble};
use crate::verdict::Verdict;

use super::entry::{Ended, Entry, Room, Started};
use super::exit::{Alarm, Exit, Finished};
use super::list::Shared;
use super::many::Many;
use super::places::{Next, Places};
use super::settings::Settings;

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
pub(super) enum Entries<V: Verdict> {
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

/// How an unwinding ended.
pub(super) type Unwound<V> = Result<Result<V, Report>, Panic>;

impl<V: Verdict> Unwind<V> {
    pub(super) fn new(entries: Entries<V>, settings: Settings, fate: Fate, frame: u32) -> Self {
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
        let own = budget.and_then(|(clock, budget)| Limit::after(clock, budget));
        // That of a stack further out may end earlier.
        self.room.limit = Limit::soonest(own, self.room.limit.take());
    }

    /// Runs the exits; at the end [`unwound`](Self::unwound) says what came of them.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
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
            let running = self.many.as_ref().map_or(0, |many| many.running());
            if running < at_most {
                let next = self.entries.pop(&self.initial);
                if !matches!(next, Next::None) {
                    return Poll::Ready(next);
                }
            }
            let Some(many) = &mut self.many else {
                return Poll::Ready(Next::None);
            };
            let finished = many.poll(cx);
            if many.running() == 0 {
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
        let all = self.room.limit.clone();
        let clock = self.settings.clock().or(all.as_ref().map(|all| &all.clock));
        let clock = clock.cloned();
        let since = clock.as_ref().and_then(|clock| ask(|| clock.now()));
        let each = clock.clone().zip(since).zip(self.settings.each());
        let each = each.map(|((clock, since), limit)| Limit {
            clock,
            by: since.saturating_add(limit),
        });
        let limit = Limit::soonest(each, all);
        let source = frame::next_id();
        let bound = limit.as_ref().map(|limit| Bound::until(source, limit));
        let fate = self.shown().clone();
        let started = budget::within(bound, || entry.leave(&fate, &mut self.room));
        let (running, limit) = match started {
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
            Started::Running(running) => (running, limit),
            // It has the budget itself.
            Started::Stack(running) => (running, None),
        };
        let alarm = |(clock, since)| Alarm::new(clock, since, limit, source);
        let exit = Exit {
            entry,
            running,
            alarm: clock.zip(since).map(alarm),
        };
        if self.settings.at_most().is_some() {
            self.many.get_or_insert_default().add(exit);
        } else {
            self.one = Some(exit);
        }
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
                    // The first goes on, and so it is the one that is seen.
                    if !matches!(self.current, Fate::Panicked(_)) {
                        self.current = Fate::Panicked(message.as_str().into());
                        self.seen = None;
                    }
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

    /// Bounds it by what is left to a stack further out.
    pub(super) fn limit(&mut self, limit: Option<Limit>) {
        self.room.limit = limit;
    }

    /// Whether it was lent an error that goes back to its owner.
    pub(super) fn borrows(&self) -> bool {
        self.initial.borrows()
    }

    /// What came of it, for who awaits it.
    pub(super) fn unwound(self) -> Unwound<V> {
        let (lines, suppressed) = (self.lines, self.suppressed);
        if let Some((panic, place)) = self.panic {
            // The panic goes on, and so the rest has nowhere to go.
            for (index, line) in lines.into_iter().enumerate() {
                if index != place {
                    lost::tell(line);
                }
            }
            return Err(panic);
        }
        if let (true, false, Fate::Failure(failed)) = (suppressed, lines.is_empty(), &self.initial)
        {
            failed.suppress();
        }
        Ok(result(&lines, suppressed))
    }

    /// Tells what came of it, for nobody awaits it.
    pub(super) fn tell(self) {
        // Who has waited has all of them in his report.
        if !self.waited {
            self.lines.into_iter().for_each(lost::tell);
        }
        if let Some((panic, _)) = self.panic {
            lost::discard(panic);
        }
    }

    /// Drops the exits that run, and tells of them.
    #[cold]
    pub(super) fn abandon(&mut self) {
        // What is left runs without the error that it was lent: that goes back to its owner.
        self.initial = self.initial.detached();
        self.current = self.current.detached();
        if let Some(exit) = self.one.take() {
            let finished = exit.finished(None);
            self.note(finished);
        }
        if let Some(mut many) = self.many.take() {
            let finished = many.abandon().into_iter();
            finished.for_each(|finished| self.note(finished));
        }
    }
}

fn result<V: Verdict>(lines: &[Line], suppressed: bool) -> Result<V, Report> {
    match Report::of(lines.iter().cloned()) {
        None => Ok(V::new(suppressed)),
        Some(report) => Err(report),
    }
}
