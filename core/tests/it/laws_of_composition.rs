//! The laws of composition, on random scopes that succeed, fail, panic, suppress, and are cut at any poll.
//!
//! The scopes are the same in every run; `PROPTEST_CASES` makes more of them, and `PROPTEST_RNG_SEED` others.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use withal_core::{
    BoxScope, Bracket, Open, Outcome, Propagate, Reason, Recover, Scope, ScopeError, ScopeExt,
    join, join_all, lazy, race, until,
};
use withal_testing::{
    Injected, Ledger, block_on, caught, cut_after, hush_injected_panics, yield_times,
};

use crate::step::{Act, Ended, Step, run};

/// What one scope does.
#[derive(Clone, Copy, Debug)]
struct Plan {
    enter: Act,
    exit: Act,
    yields: (usize, usize),
}

/// What the body does, and when all of it is cut.
#[derive(Clone, Copy, Debug)]
struct Course {
    body: Act,
    yields: usize,
    cut: Option<usize>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let enter = prop_oneof![8 => Just(Act::Well), 1 => Just(Act::Fail), 1 => Just(Act::Panic)];
    let exit = prop_oneof![
        4 => Just(Act::Well),
        1 => Just(Act::Fail),
        1 => Just(Act::Panic),
        1 => Just(Act::Suppress),
    ];
    (enter, exit, (0..3_usize, 0..3_usize)).prop_map(|(enter, exit, yields)| Plan {
        enter,
        exit,
        yields,
    })
}

fn course() -> impl Strategy<Value = Course> {
    let body = prop_oneof![Just(Act::Well), Just(Act::Fail), Just(Act::Panic)];
    let cut = proptest::option::of(0..20_usize);
    (body, 0..3_usize, cut).prop_map(|(body, yields, cut)| Course { body, yields, cut })
}

/// As it is set by the environment, and else always the same.
fn config() -> ProptestConfig {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    match config.rng_seed {
        RngSeed::Random => ProptestConfig {
            rng_seed: RngSeed::Fixed(0),
            ..config
        },
        RngSeed::Fixed(_) => config,
    }
}

/// Any composition.
type Any = BoxScope<(), Injected, Recover>;

fn leaf(log: &Ledger, number: usize, plan: Plan) -> Any {
    let step = Step::new(log, number.to_string())
        .enters(plan.enter)
        .exits(plan.exit);
    let step = step.yields(plan.yields.0, plan.yields.1);
    step.view_as(|guard| &mut guard.nothing).boxed()
}

/// A scope that does nothing at all.
struct Pure;

impl Scope for Pure {
    type Guard = ();
    type Error = Injected;
    type Verdict = Recover;

    async fn enter(self) -> Result<(), Injected> {
        Ok(())
    }

    async fn exit((): (), _: Outcome<'_>) -> Result<Recover, Injected> {
        Ok(Recover::Propagate)
    }
}

fn pair(left: Any, right: Any) -> Any {
    [left, right].view_as(|[left, _]| left.view()).boxed()
}

/// Puts something around a scope that changes nothing.
fn dressed(scope: Any, dress: u8) -> Any {
    match dress % 6 {
        0 => scope.named("dressed").boxed(),
        1 => pair(Pure.boxed(), scope),
        2 => pair(scope, Pure.boxed()),
        3 => Some(scope)
            .view_as(|scope| scope.as_mut().expect("it is there").view())
            .boxed(),
        4 => [scope].view_as(|[scope]| scope.view()).boxed(),
        _ => scope,
    }
}

/// The scopes in pairs of pairs, cut wherever `cuts` says.
fn tree(log: &Ledger, plans: &[(usize, Plan)], cuts: &mut impl Iterator<Item = u8>) -> Any {
    let scope = match plans {
        [] => Pure.boxed(),
        [(number, plan)] => leaf(log, *number, *plan),
        _ => {
            let at = 1 + usize::from(cuts.next().unwrap_or(0)) % (plans.len() - 1);
            let left = tree(log, &plans[..at], cuts);
            pair(left, tree(log, &plans[at..], cuts))
        }
    };
    dressed(scope, cuts.next().unwrap_or(5))
}

fn numbered(plans: &[Plan]) -> Vec<(usize, Plan)> {
    plans.iter().copied().enumerate().collect()
}

/// What comes of it: the trace, with what each exit has seen, and the result.
fn came<S>(course: Course, compose: impl FnOnce(&Ledger) -> S) -> (String, Ended)
where
    S: Bracket<Held: 'static, Error = Injected, Verdict = Recover>,
{
    let log = Ledger::new();
    let Course { body, yields, cut } = course;
    let ended = block_on(run(compose(&log), body, "body", yields, cut));
    (log.trace(), ended)
}

fn row(log: &Ledger, plans: &[(usize, Plan)]) -> Vec<Any> {
    plans
        .iter()
        .map(|(number, plan)| leaf(log, *number, *plan))
        .collect()
}

proptest! {
    #![proptest_config(config())]

    /// Laws 5 and 6: it does not matter how scopes are put together, nor what is around them that does nothing.
    #[test]
    fn composition_is_associative_and_what_does_nothing_changes_nothing(
        plans in proptest::collection::vec(plan(), 0..6),
        cuts in proptest::collection::vec(any::<u8>(), 24),
        course in course(),
    ) {
        let mut plans = numbered(&plans);
        if course.cut.is_some() {
            // What is cut while it unwinds comes apart: nested orphans do not see each other's panics, nor the error for which the innermost had begun to unwind.
            for (_, plan) in &mut plans {
                plan.enter = Act::Well;
                if plan.exit == Act::Panic {
                    plan.exit = Act::Fail;
                }
            }
        }
        let flat = came(course, |log| row(log, &plans));
        let deep = came(course, |log| tree(log, &plans, &mut cuts.into_iter()));
        prop_assert_eq!(flat, deep);
    }

    /// Law 6: a scope that is entered at its first use, and used again, is a scope that is used once.
    #[test]
    fn lazy_and_then_used_is_used_once(
        plans in proptest::collection::vec(plan(), 0..4),
        cuts in proptest::collection::vec(any::<u8>(), 16),
        course in course(),
    ) {
        let plans = numbered(&plans);
        let at_once = came(course, |log| tree(log, &plans, &mut cuts.clone().into_iter()));
        let log = Ledger::new();
        let made = log.clone();
        let scope = lazy(move || tree(&made, &plans, &mut cuts.clone().into_iter()));
        let Course { body, yields, cut } = course;
        let used = scope.with_report(async |lazy| {
            // An error of the enter is one of the body here.
            lazy.get().await.map_err(|Injected(text)| Injected(format!("got {text}")))?;
            let went = body.follow(yields, "body".to_owned()).await;
            lazy.get().await.map(drop)?;
            went.map(|_| ())
        });
        hush_injected_panics();
        let used = cut_after(cut.unwrap_or(usize::MAX), caught(used));
        let outer = withal_core::null(()).using(async |()| used.await);
        let ended = match block_on(outer) {
            Ok(Some(Ok(Err(ScopeError::Body(Injected(text)))))) if text.starts_with("got ") => {
                Ended::With(Err(ScopeError::Enter(Injected(text[4..].to_owned()))))
            }
            Ok(Some(Ok(ended))) => Ended::With(ended),
            Ok(Some(Err(panic))) => Ended::Panicked(panic),
            Ok(None) => Ended::Cut,
            Err(never) => match never {},
        };
        prop_assert_eq!(at_once, (log.trace(), ended));
    }

    /// Law 7: side by side the same scopes exit as one after the other, and each branch keeps its own order.
    #[test]
    fn side_by_side_is_one_after_the_other(
        branches in proptest::collection::vec(proptest::collection::vec(plan(), 0..4), 0..4),
        all_well in any::<bool>(),
        body in prop_oneof![Just(Act::Well), Just(Act::Fail), Just(Act::Panic)],
    ) {
        let mut number = 0..;
        let branches: Vec<Vec<(usize, Plan)>> = branches
            .into_iter()
            .map(|branch| {
                let well = |plan: Plan| Plan {
                    enter: Act::Well,
                    exit: if all_well { Act::Well } else { plan.exit },
                    ..plan
                };
                branch.into_iter().map(|plan| (number.next().unwrap_or(0), well(plan))).collect()
            })
            .collect();
        let course = Course { body, yields: 1, cut: None };
        let rows = |log: &Ledger| branches.iter().map(|branch| row(log, branch)).collect::<Vec<_>>();
        let (one_by_one, _) = came(course, |log| rows(log));
        let (abreast, _) = came(course, |log| join_all(rows(log)));
        let exits = |trace: &str| -> Vec<String> {
            let marks = trace.split('~').skip(1);
            // Exits that go wrong change what others see, if these come after them.
            let whole = |mark: &str| mark.split_inclusive(']').next().unwrap_or(mark).to_owned();
            let name = |mark: &str| mark.split('[').next().unwrap_or(mark).to_owned();
            marks.map(|mark| if all_well { whole(mark) } else { name(mark) }).collect()
        };
        let sorted = |mut exits: Vec<String>| {
            exits.sort();
            exits
        };
        prop_assert_eq!(sorted(exits(&one_by_one)), sorted(exits(&abreast)));
        for branch in &branches {
            let names: Vec<_> = branch.iter().rev().map(|(number, _)| number.to_string()).collect();
            let mine = exits(&abreast).into_iter().filter_map(|exit| {
                let name = exit.split('[').next().unwrap_or_default().to_owned();
                names.contains(&name).then_some(name)
            });
            prop_assert_eq!(mine.collect::<Vec<_>>(), names.clone());
        }
    }

    /// Law 8, for all that scopes can be put together by: each that has entered exits exactly once, wherever it is cut.
    #[test]
    fn whatever_is_put_together_is_released_wherever_it_is_cut(
        shape in shape(),
        polls in 0..30_usize,
        gracefully in any::<bool>(),
    ) {
        hush_injected_panics();
        let ledger = Ledger::new();
        let body = build(&ledger, &shape).using(async |()| yield_times(2).await);
        block_on(async {
            if gracefully {
                let stop = async {
                    yield_times(polls).await;
                    Reason::Requested("enough")
                };
                let _ = caught(until(stop, body)).await;
            } else {
                let _ = caught(cut_after(polls, body)).await;
            }
            ledger.settled().await;
        });
        prop_assert!(ledger.violations().is_empty(), "{:?} in {}", ledger.violations(), ledger.trace());
    }
}

/// A composition of any kind.
#[derive(Clone, Debug)]
enum Shape {
    Leaf(Plan),
    Both(Box<Shape>, Box<Shape>),
    Join(Box<Shape>, Box<Shape>),
    Race(Box<Shape>, Box<Shape>),
    Else(Box<Shape>, Box<Shape>),
    Then(Box<Shape>, Box<Shape>),
    Protected(Box<Shape>),
    Opened(Box<Shape>),
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = plan().prop_map(Shape::Leaf);
    leaf.prop_recursive(4, 16, 2, |inner| {
        let two = || {
            (
                inner.clone().prop_map(Box::new),
                inner.clone().prop_map(Box::new),
            )
        };
        prop_oneof![
            2 => two().prop_map(|(a, b)| Shape::Both(a, b)),
            2 => two().prop_map(|(a, b)| Shape::Join(a, b)),
            1 => two().prop_map(|(a, b)| Shape::Race(a, b)),
            1 => two().prop_map(|(a, b)| Shape::Else(a, b)),
            1 => two().prop_map(|(a, b)| Shape::Then(a, b)),
            1 => inner.clone().prop_map(|a| Shape::Protected(Box::new(a))),
            1 => inner.prop_map(|a| Shape::Opened(Box::new(a))),
        ]
    })
}

type Built = BoxScope<(), Injected>;

/// A scope whose guard is another scope, opened; its error is a text.
struct Opened<S>(S);

impl<S> Scope for Opened<S>
where
    S: Bracket<Held: 'static> + Send,
    Open<S>: Send,
{
    type Guard = (Open<S>, ());
    type Error = Injected;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Self::Guard, Injected> {
        let opened = self.0.open().await;
        Ok((opened.map_err(|error| Injected(error.to_string()))?, ()))
    }

    async fn exit((open, ()): Self::Guard, outcome: Outcome<'_>) -> Result<Propagate, Injected> {
        let closed = open.close(outcome).await;
        closed.map_err(|error| Injected(error.to_string()))?;
        Ok(Propagate)
    }
}

fn opened<S>(scope: S) -> Built
where
    S: Bracket<Held: 'static> + Send + 'static,
    Open<S>: Send,
{
    Opened(scope).view_as(|(_, nothing)| nothing).boxed()
}

fn build(ledger: &Ledger, shape: &Shape) -> Built {
    let two = |a: &Shape, b: &Shape| (build(ledger, a), build(ledger, b));
    match shape {
        Shape::Leaf(plan) => {
            let mut scope = ledger
                .scope("s")
                .enter_yields(plan.yields.0)
                .exit_yields(plan.yields.1);
            scope = match plan.enter {
                Act::Fail => scope.enter_fails(),
                Act::Panic => scope.enter_panics(),
                _ => scope,
            };
            scope = match plan.exit {
                Act::Fail => scope.exit_fails(),
                Act::Panic => scope.exit_panics(),
                _ => scope,
            };
            opened(scope)
        }
        Shape::Both(a, b) => opened(two(a, b)),
        Shape::Join(a, b) => {
            let (a, b) = two(a, b);
            opened(join(a, b))
        }
        Shape::Race(a, b) => {
            let (a, b) = two(a, b);
            opened(race(a, b))
        }
        Shape::Else(a, b) => {
            let (a, b) = two(a, b);
            opened(a.or_enter(b))
        }
        Shape::Then(a, b) => {
            let (a, b) = two(a, b);
            opened(a.then_enter(move |_| b))
        }
        Shape::Protected(a) => build(ledger, a).protected().boxed(),
        Shape::Opened(a) => opened(build(ledger, a)),
    }
}
