//! What the owner of a frame keeps: lineage, name, home, and the orphans that it has inherited.

use std::borrow::Cow;
use std::panic::Location;

use crate::bracket::Bracket;
use crate::frame::{self, Birth, Panic};
use crate::framed::Heir;
use crate::home::{Home, Root, registry};
use crate::lost;
use crate::orphan::{Job, Jobs, Parcel, Work, orphan};
use crate::report::{Label, Phase};
use crate::surroundings::Surroundings;

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

/// What the owner of a frame keeps.
///
/// When it is dropped, what it has inherited goes on to whoever is further out.
pub(crate) struct Owner<N: Naming> {
    pub(crate) jobs: Jobs,
    /// The id of the frame of the body, and of the exit after it.
    pub(crate) frame: u32,
    root: Option<Box<Root>>,
    birth: Birth,
    location: &'static Location<'static>,
    surroundings: Surroundings,
    naming: N,
}

impl<N: Naming> Owner<N> {
    #[inline(always)]
    pub(crate) fn new(naming: N, location: &'static Location<'static>) -> Self {
        Self {
            jobs: Jobs::NONE,
            frame: frame::next_id(),
            root: None,
            birth: frame::birth(),
            location,
            surroundings: Surroundings::here(),
            naming,
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
        let job = Job::new(work, self.label(), self.surroundings.take());
        // The root's record goes only after the job has one (the end of this function): a drain in between must not see nothing.
        let root = self.root.take();
        let home = root.as_ref().map(|root| root.home.clone());
        orphan(kids.under(job), home, self.birth);
    }

    /// Starts again where the caller is: an exit that is started here belongs here (I6).
    pub(crate) fn rebase(&mut self) {
        self.birth = frame::birth();
    }

    /// Gives what it has inherited to whoever is further out.
    #[cold]
    pub(crate) fn pass_on(&mut self) {
        let home = self.root.as_ref().map(|root| root.home.clone());
        orphan(Parcel::Many(self.jobs.take()), home, self.birth);
    }

    #[cold]
    pub(crate) fn settle(&mut self) {
        if self.root.is_none() {
            let home = Home::here();
            let key = registry::add_root(self.label(), self.frame, home.id());
            self.root = Some(Box::new(Root {
                home,
                key,
                exiting: false,
            }));
        }
    }

    /// An exit of this scope is pending.
    #[inline]
    pub(crate) fn settle_exit(&mut self) {
        if frame::is_root() {
            self.settle();
        }
        if let Some(root) = &mut self.root
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
        if self.jobs.any() {
            self.pass_on();
        }
    }
}

impl<N: Naming> Heir for Owner<N> {
    #[cold]
    fn inherit(&mut self, jobs: Jobs) {
        self.jobs.merge(jobs);
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
    fn inherit(&mut self, jobs: Jobs) {
        (**self).inherit(jobs);
    }

    fn settle(&mut self) {
        (**self).settle();
    }

    fn lose(&self, panic: Panic) {
        (**self).lose(panic);
    }
}
