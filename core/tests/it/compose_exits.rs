//! Every way in which the exits of three members can go: what each sees, what is returned, what the hook hears.

use withal_core::{Bracket, Recover, ScopeError, ScopeExt};
use withal_testing::{Injected, Ledger, LostErrors, block_on, caught, hush_injected_panics};

use crate::step::{Act, Ended, Step, run};

const NAMES: [&str; 3] = ["a", "b", "c"];

/// What is expected of one run.
struct Expected {
    seen: Vec<String>,
    ended: Ended,
    lost: Vec<String>,
}

/// What the documentation says: the first error that nobody has suppressed counts, and the first panic goes on.
fn expected(body: Act, exits: [Act; 3], prefix: &str) -> Expected {
    let body_name = format!("{prefix}body");
    let name = |member: usize| format!("{prefix}{}", NAMES[member]);
    let failure = (body == Act::Fail).then(|| body_name.clone());
    let mut panic = (body == Act::Panic).then(|| format!("injected panic: {body_name}"));
    let (mut suppressed, mut own): (bool, Option<String>) = (false, None);
    let (mut seen, mut lost) = (Vec::new(), Vec::new());
    for member in [2, 1, 0] {
        let body_is_seen = failure.is_some() && !suppressed;
        let sees = match (&panic, &failure, &own) {
            (Some(panic), ..) => format!("panic: {panic}"),
            (None, Some(failure), _) if body_is_seen => failure.clone(),
            (None, _, Some(own)) => own.clone(),
            (None, ..) => "ok".to_owned(),
        };
        seen.push(format!("~{}[{}]", name(member), sees));
        let error = format!("exit {}", name(member));
        match exits[member] {
            Act::Well => {}
            Act::Suppress if panic.is_some() => {}
            Act::Suppress if body_is_seen => {
                suppressed = true;
                lost.extend(own.take());
            }
            Act::Suppress => own = None,
            Act::Fail if own.is_none() => own = Some(error),
            Act::Fail => lost.push(error),
            Act::Panic if panic.is_none() => {
                panic = Some(format!("injected panic: {error}"));
                // A body's panic goes on, and so does the first of an exit: the error beside it is told.
                lost.extend(own.take());
            }
            Act::Panic => lost.push(error),
        }
    }
    let injected = |text: String| Injected(text);
    let failure = failure.filter(|_| !suppressed);
    let ended = match (panic, failure, own.map(injected)) {
        (Some(panic), failure, own) => {
            lost.extend(failure);
            lost.extend(own.map(|Injected(text)| text));
            Ended::Panicked(panic)
        }
        (None, None, None) => Ended::With(Ok((!suppressed).then_some(()))),
        (None, None, Some(exit)) => Ended::With(Err(ScopeError::Exit(exit))),
        (None, Some(body), None) => Ended::With(Err(ScopeError::Body(injected(body)))),
        (None, Some(body), Some(exit)) => {
            let body = injected(body);
            Ended::With(Err(ScopeError::BodyAndExit { body, exit }))
        }
    };
    Expected { seen, ended, lost }
}

/// The marks of the exits in the trace, in their order.
fn seen(ledger: &Ledger) -> Vec<String> {
    let trace = ledger.trace();
    let marks = trace
        .split_inclusive(']')
        .filter_map(|mark| mark.find('~').map(|at| mark[at..].to_owned()));
    marks.collect()
}

fn check<S>(prefix: &str, compose: impl Fn([Step; 3]) -> S)
where
    S: Bracket<Held: 'static, Error = Injected, Verdict = Recover>,
{
    let lost = LostErrors::listen();
    for body in [Act::Well, Act::Fail, Act::Panic] {
        for code in 0..64 {
            let exits = [0, 1, 2].map(|member| Act::ALL[code >> (2 * member) & 3]);
            let prefix = format!("{prefix}.{body:?}.{code}.");
            let ledger = Ledger::new();
            let mut acts = exits.iter().zip(NAMES);
            let steps = [(); 3].map(|()| {
                let (exit, name) = acts.next().unwrap();
                Step::new(&ledger, format!("{prefix}{name}"))
                    .exits(*exit)
                    .yields(1, 1)
            });
            let ended = block_on(run(compose(steps), body, &format!("{prefix}body"), 1, None));
            let expected = expected(body, exits, &prefix);
            let what = format!("{body:?} {exits:?}: {}", ledger.trace());
            assert_eq!(seen(&ledger), expected.seen, "{what}");
            assert_eq!(ended, expected.ended, "{what}");
            for error in &expected.lost {
                assert_eq!(lost.containing(error).len(), 1, "{error} of {what}");
            }
            assert_eq!(
                lost.containing(&prefix).len(),
                expected.lost.len(),
                "{what}"
            );
        }
    }
}

#[test]
fn of_a_vec() {
    check("vec", Vec::from);
}

#[test]
fn of_an_array() {
    check("array", |steps| steps);
}

#[test]
fn of_nested_rows() {
    check("left", |[a, b, c]| [vec![a, b], vec![c]]);
    check("right", |[a, b, c]| [vec![a], vec![b, c]]);
    check("alone", |[a, b, c]| [[vec![a]], [vec![b, c]]]);
}

/// The same scopes, nested by hand.
async fn nested([a, b, c]: [Step; 3], body: Act) -> Result<Option<()>, Injected> {
    let went = a.with(async |_| {
        b.with(async |_| {
            c.with(async |_| body.follow(1, "body".to_owned()).await.map(drop))
                .await
        })
        .await
    });
    went.await.map(|value| value.flatten().flatten())
}

#[test]
fn as_if_they_were_nested() {
    hush_injected_panics();
    for body in [Act::Well, Act::Fail, Act::Panic] {
        for code in 0..64 {
            let steps = |ledger: &Ledger| {
                let mut member = 0..;
                NAMES.map(|name| {
                    let act = Act::ALL[code >> (2 * member.next().unwrap()) & 3];
                    Step::new(ledger, name).exits(act).yields(1, 1)
                })
            };
            let (composed, by_hand) = (Ledger::new(), Ledger::new());
            let row =
                steps(&composed).with(async |_| body.follow(1, "body".to_owned()).await.map(drop));
            let row = block_on(caught(row));
            let nest = block_on(caught(nested(steps(&by_hand), body)));
            assert_eq!(composed.trace(), by_hand.trace());
            match (row, nest) {
                // The body has its value, although the error of an exit was suppressed by a further one.
                (Ok(Ok(Some(()))), Ok(Ok(None))) => assert_eq!(body, Act::Well),
                (row, nest) => assert_eq!(row, nest, "{}", composed.trace()),
            }
        }
    }
}
