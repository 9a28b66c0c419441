//! Every way in which one of three members cannot be entered: who exits, what it sees, what is returned, what the hook hears.

use withal_core::{Bracket, Or, Recover, Report, ScopeError, ScopeExt, suppress, sync};
use withal_testing::{Injected, Ledger, LostErrors, block_on, cut_after};

use crate::sample::Sample;
use crate::step::{Act, Ended, Step, run};

const NAMES: [&str; 3] = ["a", "b", "c"];

fn check<S>(shape: &str, compose: impl Fn([Step; 3]) -> S)
where
    S: Bracket<Held: 'static, Error = Injected, Verdict = Recover>,
{
    let lost = LostErrors::listen();
    for (refused, name) in NAMES.iter().enumerate() {
        for mode in [Act::Fail, Act::Panic] {
            for code in 0..1 << (2 * refused) {
                let exits = [0, 1].map(|member| Act::ALL[code >> (2 * member) & 3]);
                let prefix = format!("{shape}.{refused}.{mode:?}.{code}.");
                let ledger = Ledger::new();
                let mut members = 0..;
                let steps = NAMES.map(|name| {
                    let step = Step::new(&ledger, format!("{prefix}{name}")).yields(1, 1);
                    match members.next() {
                        Some(member) if member < refused => step.exits(exits[member]),
                        Some(member) if member == refused => step.enters(mode),
                        _ => step,
                    }
                });
                let ended = block_on(run(compose(steps), Act::Well, "body", 0, None));
                let error = format!("enter {prefix}{name}");
                let mut panic = (mode == Act::Panic).then(|| format!("injected panic: {error}"));
                let (mut trace, mut missing) = (Vec::new(), Vec::new());
                for name in &NAMES[..refused] {
                    trace.push(format!("+{prefix}{name}"));
                }
                for member in (0..refused).rev() {
                    let name = format!("{prefix}{}", NAMES[member]);
                    let sees = panic
                        .as_ref()
                        .map_or_else(|| error.clone(), |panic| format!("panic: {panic}"));
                    trace.push(format!("~{name}[{sees}]"));
                    if exits[member] != Act::Panic {
                        trace.push(format!("-{name}"));
                    }
                    match exits[member] {
                        Act::Well | Act::Suppress => {}
                        Act::Panic if panic.is_none() => {
                            panic = Some(format!("injected panic: exit {name}"));
                            missing.push(error.clone());
                        }
                        Act::Fail | Act::Panic => missing.push(format!("exit {name}")),
                    }
                }
                assert_eq!(ledger.trace(), trace.join(" "));
                let expected = panic.map_or_else(
                    || Ended::With(Err(ScopeError::Enter(Injected(error)))),
                    Ended::Panicked,
                );
                assert_eq!(ended, expected, "{}", ledger.trace());
                for error in &missing {
                    assert_eq!(
                        lost.containing(error).len(),
                        1,
                        "{error} of {}",
                        ledger.trace()
                    );
                }
                assert_eq!(lost.containing(&prefix).len(), missing.len());
            }
        }
    }
}

#[test]
fn of_a_row() {
    check("enter.vec", Vec::from);
    check("enter.array", |steps| steps);
}

#[test]
fn of_nested_rows() {
    check("enter.left", |[a, b, c]| [vec![a, b], vec![c]]);
    check("enter.right", |[a, b, c]| [vec![a], vec![b, c]]);
}

#[test]
fn the_error_has_its_place_among_those_of_the_members() {
    let file = |error: Option<&str>| match error {
        Some(error) => Sample::<String>::new(1).enter_fails(error.to_owned()),
        None => Sample::new(1),
    };
    let failed = |at: usize| {
        let error = |member| (member == at).then_some("no");
        let all = (file(error(0)), file(error(1)), sync(1), file(error(3)));
        block_on(all.with_report(async |_| Ok::<_, Report>(()))).unwrap_err()
    };
    let no = || "no".to_owned();
    assert!(matches!(failed(0), ScopeError::Enter(Or::A(error)) if error == no()));
    assert!(matches!(failed(1), ScopeError::Enter(Or::B(Or::A(error))) if error == no()));
    assert!(matches!(failed(3), ScopeError::Enter(Or::B(Or::B(Or::B(error)))) if error == no()));
}

#[test]
fn a_report_of_an_enter_stays_whole_although_an_exit_picks_from_it() {
    let mut report = Report::from(Injected("one".to_owned()));
    report.add(Injected("two".to_owned()));
    let all = (suppress::<Injected>(), Sample::new(1).enter_fails(report));
    let failed = block_on(all.with(async |_| Ok::<_, Report>(()))).unwrap_err();
    assert_eq!(failed.len(), 2, "{failed:?}");
}

#[test]
fn from_the_report_of_an_exit_a_further_exit_picks_what_it_suppresses() {
    #[derive(Debug, thiserror::Error)]
    #[error("other")]
    struct Other;
    let report = || {
        let mut report = Report::from(Injected("one".to_owned()));
        report.add(Other);
        report
    };
    let pick = |report: Report| {
        let all = (suppress::<Injected>(), Sample::new(1).exit_fails(report));
        block_on(all.with(async |_| Ok::<_, Report>(())))
    };
    let left = pick(report()).unwrap_err();
    assert_eq!((left.len(), left.to_string().as_str()), (1, "other"));
    // It is whole again: the error can be had by value.
    assert!(left.downcast::<Other>().is_ok());
    assert!(matches!(
        pick(Report::from(Injected("one".to_owned()))),
        Ok(Some(()))
    ));
}

#[test]
fn an_error_that_nobody_is_left_to_get_is_told() {
    let lost = LostErrors::listen();
    for polls in 0..12 {
        let ledger = Ledger::new();
        let refused = format!("told.{polls}");
        let all = [
            ledger.scope("a").exit_yields(3),
            ledger.scope(&*refused).yields(1).enter_fails(),
        ];
        let ended = block_on(async {
            let ended = cut_after(polls, all.with(async |_| Ok::<_, Injected>(()))).await;
            ledger.settled().await;
            ended
        });
        ledger.check();
        let error = format!("enter {refused}");
        let returned = ended == Some(Err(Injected(error.clone())));
        let heard = lost.containing(&error);
        let refused = ledger
            .outcome("a")
            .is_some_and(|seen| seen.contains(&error));
        assert_eq!(
            heard.len() + usize::from(returned),
            usize::from(refused),
            "{polls}"
        );
        assert!(
            heard
                .iter()
                .all(|heard| heard.starts_with("enter of `Traced`")),
            "{heard:?}"
        );
    }
    assert!(!lost.containing("told.").is_empty());
}
