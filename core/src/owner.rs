//! What the owner of a frame keeps: lineage, name, home, and the orphans that it has inherited.

use std::borrow::Cow;
use std::panic::Location;

use crate::bracket::Bracket;
use crate::frame::{self, Birth, Dropping, Panic};
use crate::framed::Heir;
use crate::home::{Home, Root, registry};
use crate::inspect::Listing;
use crate::lost;
use crate::orphan::{Job, Jobs, Parcel, Work, orphan};
use crate::report::{Entry, Label, Phase, What};
use crate::slot::Fate;
use crate::surroundings::Surroundings;
use crate::watch::{Inside, Trace, Watch};

/// How an owner is called in reports.
pub(crate) trait Naming {
    fn name(&self) -> Cow<'static, str>;
}

/// The name of a scope.
pub(crate) struct ScopeName<B: Bracket>(pub(crate) B::Tag);

impl<B: Bracket> Naming for ScopeName<B> {
    fn name(&self) -> Cow<'static, str> {
        B::name(&self.0)
    }
}

/// A name that is known beforehand.
pub(crate) struct Fixed(pub(crate) &'static str);

impl Naming for Fixed {
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.0)
    }
}

/// A name that was given.
pub(crate) struct Called(pub(crate) Cow<'static, str>);

impl Naming for Called {
    fn name(&self) -> Cow<'static, str> {
        self.0.clone()
    }
}

/// What the owner of a frame keeps.
///
/// When it is dropped, what it has inherited goes on to whoever is further out.
pub(crate) struct Owner<N: Naming> {
    rare: Option<Box<Rare>>,
    birth: Birth,
    location: &'static Location<'static>,
    /// The id of the frame of the body, and of the exit after it.
    pub(crate) frame: u32,
    /// Whether its exit was lent the error of another scope's body.
    pub(crate) borrows: bool,
    listing: Listing,
    naming: N,
}

/// What most owners never have: one word and one look for all of it.
#[derive(Default)]
struct Rare {
    jobs: Jobs,
    root: Option<Root>,
    surroundings: Surroundings,
    trace: Trace,
}

impl<N: Naming> Owner<N> {
    /// The owner of something that is not watched: a part of a scope, or no scope.
    #[inline(always)]
    pub(crate) fn new(naming: N, location: &'static Location<'static>) -> Self {
        Self::watched(naming, location, Watch::NONE)
    }

    /// The owner of a scope that has entered.
    #[inline(always)]
    pub(crate) fn watched(
        naming: N,
        location: &'static Location<'static>,
        mut watch: Watch,
    ) -> Self {
        let (birth, frame) = (frame::birth(), frame::next_id());
        watch.listing.entered(frame, birth);
        watch.trace.entered();
        Self {
            rare: if Surroundings::any() {
                Rare::here(watch.trace)
            } else {
                None
            },
            birth,
            location,
            frame,
            borrows: false,
            listing: watch.listing,
            naming,
        }
    }

    /// The owner of something that is made here and starts elsewhere, by [`begin`](Self::begin).
    ///
    /// Nothing is called here: beside a call that might unwind, all that has been made already is moved by way of memory.
    #[inline(always)]
    pub(crate) fn unborn(naming: N, location: &'static Location<'static>) -> Self {
        Self {
            rare: None,
            birth: Birth::NOWHERE,
            location,
            frame: 0,
            borrows: false,
            listing: Listing::NONE,
            naming,
        }
    }

    /// Starts where the caller is.
    #[inline(always)]
    pub(crate) fn begin(&mut self) {
        self.birth = frame::birth();
        if self.frame == 0 {
            self.frame = frame::next_id();
        }
    }

    /// Whether there is nothing to drop.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        !std::mem::needs_drop::<N>() && !std::mem::needs_drop::<Listing>() && self.rare.is_none()
    }

    #[inline(always)]
    pub(crate) fn take_jobs(&mut self) -> Jobs {
        match &mut self.rare {
            Some(rare) => rare.jobs.take(),
            None => Jobs::NONE,
        }
    }

    #[cold]
    pub(crate) fn label(&self) -> Label {
        Label {
            name: self.naming.name(),
            location: self.location,
        }
    }

    /// Makes `work` a job, that of a tree with `kids` inside, and finds who drives it.
    #[cold]
    pub(crate) fn orphan(&mut self, kids: Jobs, work: Work) {
        // The root's record goes only after the job has one (the end of this function): a drain in between must not see nothing.
        let (surroundings, root) = match &mut self.rare {
            Some(rare) => (rare.surroundings.take(), rare.root.take()),
            None => Default::default(),
        };
        let label = self.label();
        let listing = self.listing.orphan(&label, self.birth);
        let job = Job::new(work, label, surroundings, self.borrows).listed(listing);
        let home = root.as_ref().map(|root| root.home.clone());
        orphan(kids.under(job), home, self.birth);
    }

    /// Makes a job of `work`, which was lent an error, for whoever runs.
    #[cold]
    pub(crate) fn lend(&mut self, work: Work) {
        let surroundings = match &mut self.rare {
            Some(rare) => rare.surroundings.take(),
            None => Default::default(),
        };
        let job = Job::new(work, self.label(), surroundings, true).listed(self.listing.take());
        orphan(Parcel::One(job), None, self.birth);
    }

    /// Starts again where the caller is: an exit that is started here belongs here (I6).
    pub(crate) fn rebase(&mut self) {
        self.birth = frame::birth();
        self.listing.rebase(self.birth);
    }

    /// The body has ended, so: the exit goes on with the span.
    #[inline(always)]
    pub(crate) fn leave(&mut self, fate: &Fate) -> Trace {
        self.listing.leave();
        match &mut self.rare {
            Some(rare) => {
                rare.trace.ended(fate);
                std::mem::take(&mut rare.trace)
            }
            None => Trace::NONE,
        }
    }

    /// What it does is an exit, and goes on under a canceller further out.
    pub(crate) fn count_exiting(&self) {
        frame::count_exiting(self.birth);
    }

    /// Gives what it has inherited to whoever is further out.
    #[cold]
    pub(crate) fn pass_on(&mut self) {
        let Some(rare) = &mut self.rare else { return };
        if rare.jobs.any() {
            if frame::dropping() == Dropping::MovedOn {
                for label in rare.jobs.labels() {
                    lost::tell(Entry::new(What::Overdue).at(Phase::Exit, label));
                }
            }
            let home = rare.root.as_ref().map(|root| root.home.clone());
            orphan(Parcel::Many(rare.jobs.take()), home, self.birth);
        }
    }

    #[cold]
    pub(crate) fn settle(&mut self) {
        if self.rare.as_ref().is_some_and(|rare| rare.root.is_some()) {
            return;
        }
        let (label, frame) = (self.label(), self.frame);
        let rare = self.rare.get_or_insert_default();
        rare.root.get_or_insert_with(|| {
            let home = Home::here();
            let key = registry::add_root(label, frame, home.id());
            Root {
                home,
                key,
                exiting: false,
            }
        });
    }

    /// An exit of this scope was polled and is pending.
    #[inline]
    pub(crate) fn settle_exit(&mut self) {
        frame::count_exiting(self.birth);
        if frame::is_root() {
            self.settle();
        }
        if let Some(rare) = &mut self.rare
            && let Some(root) = &mut rare.root
            && !root.exiting
        {
            root.exiting = true;
            registry::set_exiting(root.key);
        }
    }
}

impl<N: Naming> Drop for Owner<N> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.has_jobs() {
            self.pass_on();
        }
    }
}

impl Rare {
    #[cold]
    fn here(trace: Trace) -> Option<Box<Self>> {
        let surroundings = {
            let _inside = trace.inside();
            Surroundings::here()?
        };
        Some(Box::new(Self {
            surroundings,
            trace,
            ..Self::default()
        }))
    }
}

impl<N: Naming> Heir for Owner<N> {
    #[inline(always)]
    fn frame(&self) -> u32 {
        self.frame
    }

    #[inline(always)]
    fn birth(&self) -> Birth {
        self.birth
    }

    fn start(&mut self) {
        if self.frame == 0 {
            self.begin();
        }
    }

    #[cold]
    fn jobs(&mut self) -> &mut Jobs {
        &mut self.rare.get_or_insert_default().jobs
    }

    #[inline(always)]
    fn has_jobs(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.jobs.any())
    }

    #[inline(always)]
    fn inside(&self) -> Inside<'_> {
        match &self.rare {
            Some(rare) => rare.trace.inside(),
            None => Inside::NONE,
        }
    }

    fn settle(&mut self) {
        Self::settle(self);
    }

    #[cold]
    fn lose(&self, panic: Panic) {
        lost::tell_panic(&**panic, Phase::Body, &self.label());
        lost::discard(panic);
    }
}

impl<H: Heir> Heir for &mut H {
    #[inline(always)]
    fn frame(&self) -> u32 {
        (**self).frame()
    }

    #[inline(always)]
    fn birth(&self) -> Birth {
        (**self).birth()
    }

    fn start(&mut self) {
        (**self).start();
    }

    fn jobs(&mut self) -> &mut Jobs {
        (**self).jobs()
    }

    #[inline(always)]
    fn has_jobs(&self) -> bool {
        (**self).has_jobs()
    }

    #[inline(always)]
    fn inside(&self) -> Inside<'_> {
        (**self).inside()
    }

    fn settle(&mut self) {
        (**self).settle();
    }

    fn lose(&self, panic: Panic) {
        (**self).lose(panic);
    }
}
