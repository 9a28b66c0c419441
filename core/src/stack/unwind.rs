//! Unwinding: the exits of a stack, last in, first out, whatever they do.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::failure::{Failed, Told};
use crate::frame::{self, Dropping, Panic};
use crate::framed::Heir;
use crate::lost;
use crate::orphan::{Job, Jobs, Parcel};
use crate::owner::Owner;
use crate::report::{Entry as Line, Phase, Report, What};
use crate::slot::{Fate, Trouble};
use crate::surroundings::Surroundings;
use crate::verdict::Verdict;

use super::entry::{Ended, Entry, Room, Started};
use super::exit::{Alarm, Exit, Finished};
use super::list::{Called, Closing, Shared};
use super::places::Next;
use super::settings::Clock;

/// The unwinding of one stack: it never unwinds the thread, and keeps what it has heard of.
pub(super) struct Unwind<V: Verdict> {
    shared: Arc<Shared<V>>,
    /// How the body ended.
    initial: Fate,
    /// What the next exit sees.
    current: Fate,
    /// What went wrong, in the order of time, less what was suppressed.
    lines: Vec<Line>,
    /// An exit has suppressed the body's error.
    suppressed: bool,
    /// The first panic, which goes on at the end (I7), and its place in the lines.
    panic: Option<(Panic, usize)>,
    /// The exit that runs, where they run one after the other.
    one: Option<Exit<V>>,
    /// Those that run, where several do at once.
    many: Option<Box<Many<V>>>,
    room: Room,
    /// When the budget is spent.
    by: Option<Duration>,
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
    pub(super) fn new(shared: Arc<Shared<V>>, fate: Fate, frame: u32) -> Self {
        let clock = shared.settings.clock();
        let by = clock.zip(shared.settings.budget());
        Self {
            by: by.map(|(clock, budget)| clock.now().saturating_add(budget)),
            initial: fate.clone(),
            current: fate,
            lines: Vec::new(),
            suppressed: false,
            panic: None,
            one: None,
            many: None,
            room: Room {
                frame,
                jobs: Jobs::NONE,
            },
            shared,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.room.has_jobs() {
                ready!(self.room.poll_jobs(cx));
            }
            let next = match self.shared.settings.at_most() {
                None => {
                    if let Some(exit) = &mut self.one {
                        let ended = ready!(exit.poll(cx));
                        if let Some(exit) = self.one.take() {
                            self.note(exit.finished(ended));
                        }
                    }
                    self.shared.lock().pop()
                }
                Some(at_most) => ready!(self.poll_many(at_most, cx)),
            };
            match next {
                Next::Entry(entry) => ready!(self.start(entry, cx)),
                Next::Lent(label) => {
                    self.fail(vec![Line::new(What::Forgotten).at(Phase::Exit, &label)]);
                }
                Next::None => {
                    let (lines, suppressed) = (&self.lines, self.suppressed);
                    if self.shared.finish(|| result(lines, suppressed)) {
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
                let next = self.shared.lock().pop();
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
        if self.shared.settings.is_special() {
            self.start_special(entry);
            return Poll::Ready(());
        }
        let ended = match entry.leave(&self.current, &mut self.room) {
            Started::Gone => return Poll::Ready(()),
            Started::Ended(ended) => ended,
            Started::Running(mut running) => match running.as_mut().poll(cx) {
                Poll::Ready(ended) => ended,
                Poll::Pending => {
                    self.one = Some(Exit {
                        entry,
                        running,
                        alarm: None,
                    });
                    return Poll::Pending;
                }
            },
        };
        match ended {
            Ok(verdict) if !verdict.suppresses() => {}
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
        let settings = &self.shared.settings;
        let clock = settings.clock().cloned();
        let since = clock.as_ref().map(|clock| clock.now());
        let at_once = settings.at_most().is_some();
        let fate = if at_once {
            &self.initial
        } else {
            &self.current
        };
        match entry.leave(fate, &mut self.room) {
            Started::Gone => {}
            Started::Ended(ended) => {
                let took = |(clock, since): (Arc<dyn Clock>, _)| clock.now().saturating_sub(since);
                self.note(Finished {
                    entry,
                    took: clock.zip(since).map(took),
                    ended: Some(ended),
                });
            }
            Started::Running(running) => {
                let each = since.zip(settings.each());
                let own = each.map(|(since, limit)| since.saturating_add(limit));
                let by = own.into_iter().chain(self.by).min();
                let alarm = |(clock, since)| Alarm::new(clock, since, by);
                let exit = Exit {
                    entry,
                    running,
                    alarm: clock.zip(since).map(alarm),
                };
                if at_once {
                    self.run_beside(exit);
                } else {
                    self.one = Some(exit);
                }
            }
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
                if verdict.suppresses() && matches!(self.current, Fate::Failure(_)) {
                    self.suppress();
                }
            }
            ended => self.note_trouble(&*entry, took, ended),
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
        if matches!(&self.current, Fate::Failure(failed) if failed.is_suppressed()) {
            self.suppress();
        }
        self.fail(lines);
    }

    /// What is current is handled, and everything that led to it.
    #[cold]
    fn suppress(&mut self) {
        self.lines.clear();
        self.suppressed |= matches!(self.initial, Fate::Failure(_));
        self.current = Fate::Success;
    }

    /// What the further exits see now; a panic or a cancellation stays what it is.
    #[cold]
    fn fail(&mut self, mut lines: Vec<Line>) {
        if let (Some(last), Fate::Success | Fate::Failure(_)) = (lines.last(), &self.current) {
            self.current = Fate::Failure(Failed::new(Told(last.clone())));
        }
        self.lines.append(&mut lines);
    }
}

/// Releases one entry that is in no list.
pub(super) fn alone<V: Verdict>(entry: Box<dyn Entry<V>>, fate: Fate) -> Unwinding<V> {
    let shared = Shared::one(entry);
    match shared.begin_close(&fate) {
        Closing::First(owner) => Unwinding::new(shared, fate, owner),
        _ => unreachable!("it is new"),
    }
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
        let unwind = Unwind::new(shared, fate, owner.frame);
        Self {
            unwind: Some(Box::new(unwind)),
            owner,
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
        } else if frame::dropping() == Dropping::MovedOn {
            lost::tell(Line::new(What::Overdue).at(Phase::Exit, &self.owner.label()));
        }
        let work = Box::pin(async move {
            std::future::poll_fn(|cx| unwind.poll(cx)).await;
            let Unwind { lines, panic, .. } = *unwind;
            lines.into_iter().for_each(lost::tell);
            if let Some((panic, _)) = panic {
                lost::discard(panic);
            }
        });
        self.owner.orphan(Jobs::NONE, work);
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
