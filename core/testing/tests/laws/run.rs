//! Running a program, and what came of it.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use withal_core::{Entered, ExitStack, Key, Or, Outcome, Overdue, Report, Scope, ScopeExt, null};
use withal_testing::{
    Injected, Ledger, LostErrors, Manual, Traced, TracedGuard, caught, hush_injected_panics,
};

use crate::program::{Add, Deed, End, How, Inner, Step};

type Ended<'a> = Pin<Box<dyn Future<Output = Result<(), Report>> + 'a>>;

/// What is put around the scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dress {
    #[default]
    Plain,
    Named,
    Protected,
    ExitWithin,
    Boxed,
    ViewAs,
}

/// In which way a program is run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    pub(crate) dress: Dress,
    /// Whether there is something that does nothing between all steps.
    pub(crate) units: bool,
    /// Whether the entries of the outermost stack exit concurrently, and how many at once.
    pub(crate) at_once: Option<usize>,
}

/// One run of a program.
pub(crate) struct Run {
    pub(crate) rt: Manual,
    pub(crate) ledger: Ledger,
    manner: Manner,
    lost: LostErrors,
    mark: String,
    next: Cell<usize>,
}

/// What came of a run, with names that are the same in every run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) trace: Vec<String>,
    /// The result; the message, if it was a panic.
    pub(crate) ended: Result<Result<(), String>, String>,
    /// What the lost-error hook has heard.
    pub(crate) lost: Vec<String>,
}

impl Run {
    pub(crate) fn new() -> Self {
        Self::on(&Ledger::new())
    }

    pub(crate) fn like(manner: Manner) -> Self {
        Self {
            manner,
            ..Self::new()
        }
    }

    /// A run that records itself in `ledger`.
    pub(crate) fn on(ledger: &Ledger) -> Self {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        hush_injected_panics();
        Self {
            rt: Manual::new(),
            ledger: ledger.clone(),
            manner: Manner::default(),
            lost: LostErrors::listen(),
            mark: format!("r{}-", RUNS.fetch_add(1, Ordering::Relaxed)),
            next: Cell::new(0),
        }
    }

    /// Runs `steps` as the body of a stack.
    pub(crate) async fn whole(&self, steps: &[Step]) -> Result<(), Report> {
        let stack = match self.manner.at_once {
            None => ExitStack::new(),
            Some(at_most) => ExitStack::new().concurrent(at_most),
        };
        let body = async |stack: &mut ExitStack| {
            let _end = BodyEnd(&self.ledger);
            self.body(stack, None, steps).await
        };
        stack.with(body).await
    }

    /// The end of a run.
    pub(crate) fn came(&self, ended: Result<Result<(), Report>, String>) -> Came {
        self.ledger.check();
        let trace = self.told(&self.ledger.trace());
        let lost = self.lost.containing(&self.mark);
        Came {
            trace: trace.split_whitespace().map(str::to_owned).collect(),
            ended: match ended {
                Ok(ended) => Ok(ended.map_err(|report| self.told(&format!("{report:?}")))),
                Err(panic) => Err(self.told(&panic)),
            },
            lost: lost.iter().map(|text| self.told(text)).collect(),
        }
    }

    /// A text with the names that are the same in every run.
    pub(crate) fn told(&self, text: &str) -> String {
        text.replace(&self.mark, "")
    }

    /// Runs `steps` to their end.
    pub(crate) async fn to_the_end(&self, steps: &[Step]) -> Came {
        let ended = caught(self.whole(steps)).await;
        self.ledger.settled().await;
        self.came(ended)
    }

    /// The outcome that an entry has seen.
    pub(crate) fn outcome(&self, name: &str) -> Option<String> {
        let outcome = self.ledger.outcome(&format!("{}{name}", self.mark))?;
        Some(self.told(&outcome))
    }

    fn name(&self) -> String {
        let number = self.next.replace(self.next.get() + 1);
        // No name is the start of another one.
        format!("{}e{number}x", self.mark)
    }

    pub(crate) fn body<'a>(
        &'a self,
        stack: &'a ExitStack,
        outer: Option<&'a ExitStack>,
        steps: &'a [Step],
    ) -> Ended<'a> {
        Box::pin(async move {
            let mut keys: Vec<Key<TracedGuard>> = Vec::new();
            let mut held = Vec::new();
            for step in steps {
                if self.manner.units {
                    self.unit(stack).await?;
                }
                match step {
                    Step::Add(add) => {
                        if let Some(lease) = self.add(stack, *add).await? {
                            keys.push(lease.key());
                            held.extend(add.held.then_some(lease));
                        }
                    }
                    Step::Inner { how, steps, closed } => {
                        self.inner(stack, *how, steps, *closed).await?;
                    }
                    Step::Take { closed } => {
                        held.clear();
                        keys.clear();
                        let taken = stack.take();
                        assert!(stack.is_empty());
                        if *closed {
                            taken.close(Outcome::Success).await?;
                        } else {
                            drop(stack.enter(taken).await?);
                        }
                    }
                    Step::Lease { which, deed } => {
                        held.clear();
                        if !keys.is_empty() {
                            let key = keys.remove(which % keys.len());
                            let lease = stack.lease(&key).expect("it is here");
                            self.deed(stack, outer, *deed, lease).await?;
                        }
                    }
                    Step::Fail => {
                        let name = self.name();
                        self.ledger.say(format!("!{name}"));
                        return Err(Injected(name).into());
                    }
                }
            }
            Ok(())
        })
    }

    async fn inner(
        &self,
        stack: &ExitStack,
        how: Inner,
        steps: &[Step],
        closed: bool,
    ) -> Result<(), Report> {
        match how {
            Inner::Fork => {
                let child = stack.fork();
                self.body(&child, Some(stack), steps).await?;
                if closed {
                    child.close(Outcome::Success).await?;
                }
            }
            Inner::Nest => {
                let child = stack.enter(ExitStack::new()).await?;
                self.body(&child, Some(stack), steps).await?;
                if closed {
                    child.close().await?;
                }
            }
        }
        Ok(())
    }

    async fn deed(
        &self,
        stack: &ExitStack,
        outer: Option<&ExitStack>,
        deed: Deed,
        lease: Entered<'_, TracedGuard>,
    ) -> Result<(), Report> {
        match deed {
            Deed::Close => lease.close().await?,
            Deed::Dismiss => drop(push(stack, lease.dismiss())),
            Deed::Transfer => drop(lease.transfer(outer.unwrap_or(stack))),
        }
        Ok(())
    }

    pub(crate) async fn add<'s>(
        &self,
        stack: &'s ExitStack,
        add: Add,
    ) -> Result<Option<Entered<'s, TracedGuard>>, Report> {
        let name = self.name();
        let scope = self.ledger.scope(name.clone()).yields(add.yields);
        let scope = match add.end {
            End::Well => scope,
            End::Fails => scope.exit_fails(),
            End::Panics => scope.exit_panics(),
        };
        match add.how {
            How::Enter => return self.enter(stack, scope).await,
            How::Push => return Ok(Some(push(stack, scope.enter().await?))),
            How::Defer => {
                let guard = scope.enter().await?;
                stack.defer(async || Traced::exit(guard, Outcome::Success).await);
            }
            How::Callback => {
                let guard = scope.exit_yields(0).enter().await?;
                stack.callback(|| {
                    let exit = Traced::exit(guard, Outcome::Success);
                    exit.now_or_never().expect("it does not suspend")
                });
            }
            How::Refuse => {
                let refused = stack.enter(scope.enter_fails()).await.map(drop);
                self.ledger.say(format!("!{name}"));
                refused?;
            }
        }
        Ok(None)
    }

    async fn enter<'s>(
        &self,
        stack: &'s ExitStack,
        scope: Traced,
    ) -> Result<Option<Entered<'s, TracedGuard>>, Report> {
        const LONG: Duration = Duration::from_secs(1 << 20);
        Ok(match self.manner.dress {
            Dress::Plain => Some(stack.enter(scope).await?),
            Dress::Named => Some(stack.enter(scope.named("dressed")).await?),
            Dress::Protected => Some(stack.enter(scope.protected()).await?),
            Dress::ExitWithin => {
                let entered = stack.enter(scope.exit_within(&self.rt, LONG)).await;
                let refused = |error: Or<Injected, Overdue>| match error {
                    Or::A(injected) => Report::from(injected),
                    Or::B(overdue) => overdue.into(),
                };
                Some(entered.map_err(refused)?)
            }
            // These have guards of their own, and so no key here.
            Dress::Boxed => stack.enter(scope.boxed()).await.map(|_| None)?,
            Dress::ViewAs => {
                let scope = scope.view_as(|guard: &mut TracedGuard| guard);
                stack.enter(scope).await.map(|_| None)?
            }
        })
    }

    /// Whatever does nothing.
    async fn unit(&self, stack: &ExitStack) -> Result<(), Report> {
        if stack.enter(null(())).await.is_err() {
            unreachable!("it never fails");
        }
        stack.fork().close(Outcome::Success).await?;
        drop(stack.fork());
        drop(stack.enter(ExitStack::new()).await?);
        drop(stack.fork().group(2));
        drop(stack.enter(stack.fork().take()).await?);
        stack.callback(|| {});
        Ok(())
    }
}

/// Says when the body has ended, in whichever way.
struct BodyEnd<'a>(&'a Ledger);

impl Drop for BodyEnd<'_> {
    fn drop(&mut self) {
        self.0.say("end.");
    }
}

/// What was entered already, with the exit of its scope.
pub(crate) fn push(stack: &ExitStack, guard: TracedGuard) -> Entered<'_, TracedGuard> {
    stack.push(guard, async |guard, outcome: Outcome<'_>| {
        Traced::exit(guard, outcome).await
    })
}
