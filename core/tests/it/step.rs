//! The scope for tables and properties of composition: it does as it is told, and says what it sees.

use std::fmt;

use withal_core::{Bracket, Never, Outcome, Recover, Scope, ScopeError, ScopeExt, null};
use withal_testing::{Injected, Ledger, caught, cut_after, hush_injected_panics, yield_times};

/// What an enter, a body or an exit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Well,
    Fail,
    Panic,
    /// Only for exits.
    Suppress,
}

impl Act {
    pub(crate) const ALL: [Self; 4] = [Self::Well, Self::Fail, Self::Panic, Self::Suppress];

    /// Does it, under the name `what`.
    pub(crate) async fn follow(self, yields: usize, what: String) -> Result<Recover, Injected> {
        yield_times(yields).await;
        match self {
            Self::Well => Ok(Recover::Propagate),
            Self::Suppress => Ok(Recover::Suppress),
            Self::Fail => Err(Injected(what)),
            Self::Panic => panic!("injected panic: {what}"),
        }
    }
}

/// A scope that is told what to do.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) log: Ledger,
    pub(crate) name: String,
    pub(crate) enter: Act,
    pub(crate) exit: Act,
    pub(crate) yields: (usize, usize),
}

impl Step {
    pub(crate) fn new(log: &Ledger, name: impl Into<String>) -> Self {
        Self {
            log: log.clone(),
            name: name.into(),
            enter: Act::Well,
            exit: Act::Well,
            yields: (0, 0),
        }
    }

    pub(crate) fn enters(mut self, act: Act) -> Self {
        self.enter = act;
        self
    }

    pub(crate) fn exits(mut self, act: Act) -> Self {
        self.exit = act;
        self
    }

    pub(crate) fn yields(mut self, enter: usize, exit: usize) -> Self {
        self.yields = (enter, exit);
        self
    }
}

/// The guard of a [`Step`]: what it shows is nothing.
pub(crate) struct StepGuard {
    step: Step,
    pub(crate) nothing: (),
}

impl Scope for Step {
    type Guard = StepGuard;
    type Error = Injected;
    type Verdict = Recover;

    async fn enter(self) -> Result<StepGuard, Injected> {
        let what = format!("enter {}", self.name);
        self.enter.follow(self.yields.0, what).await?;
        self.log.say(format!("+{}", self.name));
        Ok(StepGuard {
            step: self,
            nothing: (),
        })
    }

    async fn exit(
        StepGuard { step, .. }: StepGuard,
        outcome: Outcome<'_>,
    ) -> Result<Recover, Injected> {
        step.log.say(format!("~{}[{}]", step.name, Seen(&outcome)));
        let what = format!("exit {}", step.name);
        let exited = step.exit.follow(step.yields.1, what).await;
        step.log.say(format!("-{}", step.name));
        exited
    }
}

/// An outcome in a word or two. The error is found by its type, wherever it comes from.
struct Seen<'a>(&'a Outcome<'a>);

impl fmt::Display for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Outcome::Success => f.write_str("ok"),
            Outcome::Failure(failure) => match failure.downcast_ref::<Injected>() {
                Some(Injected(text)) => f.write_str(text),
                None => write!(f, "of no known type: {failure}"),
            },
            other => other.fmt(f),
        }
    }
}

/// What a run has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    With(Result<Option<()>, ScopeError<Injected, Injected>>),
    Panicked(String),
    Cut,
}

/// Runs a body inside of `scope`, inside of a scope that waits for what is left if the run is cut after so many polls.
pub(crate) async fn run<S>(
    scope: S,
    body: Act,
    name: &str,
    yields: usize,
    cut: Option<usize>,
) -> Ended
where
    S: Bracket<Held: 'static, Error = Injected, Verdict = Recover>,
{
    hush_injected_panics();
    let body = scope.with_report(async |_| {
        let went = body.follow(yields, name.to_owned()).await;
        went.map(|_| ())
    });
    let program = cut_after(cut.unwrap_or(usize::MAX), caught(body));
    let outer: Result<_, Never> = null(()).using(async |()| program.await).await;
    match outer {
        Ok(Some(Ok(ended))) => Ended::With(ended),
        Ok(Some(Err(panic))) => Ended::Panicked(panic),
        Ok(None) => Ended::Cut,
        Err(never) => match never {},
    }
}
