//! Users of shared scopes, and a record of what becomes of the generations.

use std::mem::swap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::stream::{FuturesUnordered, StreamExt};
use withal_core::{
    Outcome, Propagate, Reason, Scope, ScopeError, ScopeExt, Shared, SharedGuard, shared, until,
};
use withal_testing::{
    Injected, Ledger, LostErrors, Traced, TracedGuard, caught, cut_after, poll_once, yield_now,
    yield_times,
};

use crate::program::End;
use crate::uses::{Cut, More, Plan, Program, Use};

/// A scope that says what is wrong with its generation.
struct Numbered {
    traced: Traced,
    number: usize,
    book: Arc<Book>,
}

/// What has become of the generations of one scope, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// How many enter, are entered or exit.
    busy: AtomicUsize,
    entered: AtomicUsize,
    exiting: AtomicUsize,
    wrong: Mutex<Vec<String>>,
    /// The errors of enters and exits.
    failed: Mutex<Vec<String>>,
}

impl Book {
    fn check(&self, is_right: bool, what: impl FnOnce() -> String) {
        if !is_right {
            self.wrong.lock().unwrap().push(what());
        }
    }

    fn note<T>(&self, ended: Result<T, Injected>) -> Result<T, Injected> {
        ended.inspect_err(|error| self.failed.lock().unwrap().push(error.0.clone()))
    }
}

/// One generation, from the beginning of its enter to the end of its exit.
struct Busy(Arc<Book>);

impl Busy {
    fn new(book: Arc<Book>, number: usize) -> Self {
        let others = book.busy.fetch_add(1, Ordering::SeqCst);
        book.check(others == 0, || {
            format!("{number} begins beside another one")
        });
        Self(book)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What the users of a generation share.
struct Value {
    number: usize,
    traced: TracedGuard,
    busy: Busy,
}

impl Value {
    /// It is the newest, and does not exit.
    fn check(&self) {
        let (book, number) = (&self.busy.0, self.number);
        let newest = book.entered.load(Ordering::SeqCst);
        book.check(newest == number, || {
            format!("{newest} is there beside {number}")
        });
        let exiting = book.exiting.load(Ordering::SeqCst);
        book.check(exiting < number, || {
            format!("{number} is used, and {exiting} exits")
        });
    }
}

impl Scope for Numbered {
    type Guard = Value;
    type Error = Injected;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Value, Injected> {
        let (number, book) = (self.number, self.book.clone());
        let busy = Busy::new(self.book, number);
        let traced = book.note(self.traced.enter().await)?;
        book.entered.store(number, Ordering::SeqCst);
        Ok(Value {
            number,
            traced,
            busy,
        })
    }

    async fn exit(value: Value, outcome: Outcome<'_>) -> Result<Propagate, Injected> {
        value.check();
        let Value {
            number,
            traced,
            busy: Busy(ref book),
        } = value;
        book.exiting.store(number, Ordering::SeqCst);
        book.note(Traced::exit(traced, outcome).await)
    }
}

/// How a use has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    Failed(Vec<String>),
    Panicked(String),
    Cut,
}

/// One run of a program.
pub(crate) struct Run {
    scopes: Vec<(Arc<Book>, Shared<Numbered>)>,
    pub(crate) ended: Mutex<Vec<Ended>>,
    ledger: Ledger,
    /// What is lost is not of interest here.
    _lost: LostErrors,
}

type Running<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

impl Run {
    pub(crate) fn new(ledger: &Ledger, program: &Program) -> Self {
        let scopes = program.scopes.iter().enumerate().map(|(which, plans)| {
            let (book, plans, ledger) = (Arc::new(Book::default()), plans.clone(), ledger.clone());
            let (made, noted) = (AtomicUsize::new(0), book.clone());
            let scope = shared(move || {
                let number = made.fetch_add(1, Ordering::SeqCst) + 1;
                let traced = ledger.scope(format!("s{which}.{number}x"));
                Numbered {
                    traced: planned(traced, plans.get(number - 1)),
                    number,
                    book: noted.clone(),
                }
            });
            (book, scope)
        });
        Self {
            scopes: scopes.collect(),
            ended: Mutex::default(),
            ledger: ledger.clone(),
            _lost: LostErrors::listen(),
        }
    }

    /// Runs all users: by the schedule at first, woken or not, and then by their wakers alone.
    pub(crate) async fn all(&self, program: &Program) {
        let users = program.users.iter().map(|uses| async move {
            for one in uses {
                self.one(one).await;
            }
        });
        let mut users: Vec<Option<Running<'_>>> =
            users.map(|user| Some(Box::pin(user) as _)).collect();
        for turn in &program.schedule {
            let turn = turn % users.len();
            if let Some(user) = &mut users[turn]
                && poll_once(user).await.is_ready()
            {
                users[turn] = None;
            }
            yield_now().await;
        }
        let mut left: FuturesUnordered<_> = users.into_iter().flatten().collect();
        while left.next().await.is_some() {}
    }

    fn one<'a>(&'a self, one: &'a Use) -> Running<'a> {
        Box::pin(async move {
            yield_times(one.before).await;
            let used = caught(self.scope(one).with_report(async |guard| {
                self.body(guard, one).await?;
                self.ledger.point("body")?;
                match one.end {
                    End::Well => Ok(()),
                    End::Fails => Err(Injected("body".to_owned())),
                    End::Panics => panic!("injected panic: body"),
                }
            }));
            let ended = match one.cut {
                None => Some(used.await),
                Some((Cut::Dropped, polls)) => cut_after(polls, used).eagerly().await,
                Some((Cut::Cancelled, polls)) => {
                    let signal = async {
                        yield_times(polls).await;
                        Reason::Requested("enough")
                    };
                    until(signal, used).await.ok()
                }
            };
            let ended = match ended {
                None => Ended::Cut,
                Some(Ok(Ok(()))) => Ended::Well,
                Some(Ok(Err(error))) => Ended::Failed(match error {
                    ScopeError::BodyAndExit { body, exit } => vec![body.0, exit.0],
                    ScopeError::Enter(one) | ScopeError::Body(one) | ScopeError::Exit(one) => {
                        vec![one.0]
                    }
                    other => vec![other.to_string()],
                }),
                Some(Err(panic)) => Ended::Panicked(panic),
            };
            self.ended.lock().unwrap().push(ended);
        })
    }

    async fn body(&self, guard: &mut SharedGuard<Value>, one: &Use) -> Result<(), Injected> {
        for _ in 0..one.inside {
            guard.check();
            yield_now().await;
        }
        match &one.more {
            None => {}
            Some((More::Nests, inner)) => self.one(inner).await,
            Some((More::Swaps, inner)) => {
                let swapped = self.scope(inner).with_report(async |other| {
                    swap(guard, other);
                    for _ in 0..inner.inside {
                        guard.check();
                        other.check();
                        yield_now().await;
                    }
                    Ok::<_, Injected>(())
                });
                swapped.await.map_err(|error| match error {
                    ScopeError::Enter(one) | ScopeError::Exit(one) => one,
                    other => Injected(other.to_string()),
                })?;
            }
        }
        guard.check();
        Ok(())
    }

    fn scope(&self, one: &Use) -> Shared<Numbered> {
        self.scopes[one.which % self.scopes.len()].1.clone()
    }

    /// Checks that nothing was wrong, that nothing is left, and that each scope can be used again.
    pub(crate) async fn check(&self) {
        self.ledger.settled().await;
        self.ledger.check();
        for (book, scope) in &self.scopes {
            assert_eq!(scope.users(), 0, "{}", self.ledger.trace());
            let is_busy = || book.busy.load(Ordering::SeqCst) != 0;
            assert!(!is_busy(), "{}", self.ledger.trace());
            let before = book.entered.load(Ordering::SeqCst);
            // Until all failures that were planned are over.
            let after = loop {
                let used = scope.clone().using(async |guard| guard.number);
                if let Ok(Ok(number)) = caught(used).await {
                    break number;
                }
            };
            assert!(after > before && !is_busy() && !scope.is_entered());
            let wrong = book.wrong.lock().unwrap();
            assert!(wrong.is_empty(), "{wrong:?}: {}", self.ledger.trace());
        }
        self.ledger.check();
    }

    /// The errors of all enters and exits.
    pub(crate) fn failed(&self) -> Vec<String> {
        let books = self.scopes.iter().map(|(book, _)| book);
        books
            .flat_map(|book| book.failed.lock().unwrap().clone())
            .collect()
    }
}

fn planned(traced: Traced, plan: Option<&(Plan, Plan)>) -> Traced {
    let Some(&((enter, enters), (exit, exits))) = plan else {
        return traced;
    };
    let traced = traced.enter_yields(enter).exit_yields(exit);
    let traced = match enters {
        End::Well => traced,
        End::Fails => traced.enter_fails(),
        End::Panics => traced.enter_panics(),
    };
    match exits {
        End::Well => traced,
        End::Fails => traced.exit_fails(),
        End::Panics => traced.exit_panics(),
    }
}
