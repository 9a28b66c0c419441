//! One of two: fallbacks and races, and the errors of both.

use std::future::pending;
use std::io;

use withal_core::{OneOf, Report, ScopeError, ScopeExt, acquire, null, race, suppress};
use withal_testing::{Injected, Ledger, LostErrors, block_on, caught, hush_injected_panics};

use crate::sample::Sample;

type Strings = Sample<String>;

fn fails(error: &str) -> Strings {
    Sample::new(0).enter_fails(error.to_owned())
}

#[test]
fn both_errors_are_kept() {
    let failed = block_on(
        fails("one")
            .or_enter(fails("two"))
            .with_report(async |_| Ok::<_, Report>(())),
    );
    let both = |ended: ScopeError<Report, OneOf<String, String>>| match ended {
        ScopeError::Enter(OneOf::Both { first, second }) => [first, second].join(" "),
        other => panic!("{other:?}"),
    };
    assert_eq!(both(failed.unwrap_err()), "one two");
    let failed =
        block_on(race(fails("one"), fails("two")).with_report(async |_| Ok::<_, Report>(())));
    assert_eq!(both(failed.unwrap_err()), "one two");
}

#[test]
fn a_report_has_both_and_any_other_error_is_the_second() {
    let injected = |text: &str| Sample::<Injected>::new(0).enter_fails(Injected(text.to_owned()));
    let either = || injected("choice.one").or_enter(injected("choice.two"));
    let report = block_on(either().with(async |_| Ok::<_, Report>(()))).unwrap_err();
    let texts: Vec<_> = report
        .entries()
        .filter_map(|entry| entry.downcast_ref::<Injected>())
        .collect();
    assert_eq!(
        texts,
        [
            &Injected("choice.two".to_owned()),
            &Injected("choice.one".to_owned())
        ]
    );
    let lost = LostErrors::listen();
    let error = block_on(either().with(async |_| Ok::<_, Injected>(()))).unwrap_err();
    assert_eq!(error, Injected("choice.two".to_owned()));
    assert_eq!(lost.containing("choice.one").len(), 1);
}

#[test]
fn the_error_of_a_first_that_was_replaced_is_told_nowhere() {
    let lost = LostErrors::listen();
    let value = |scope: Strings| {
        fails("replaced")
            .or_enter(scope)
            .using(async |guard| guard.value)
    };
    assert_eq!(block_on(value(Sample::new(7))).unwrap(), 7);
    let won = race(fails("replaced"), Strings::new(8)).using(async |guard| guard.value);
    assert_eq!(block_on(won).unwrap(), 8);
    assert!(lost.containing("replaced").is_empty());
}

#[test]
fn the_exit_is_that_of_the_one_that_was_entered() {
    let no = || "no".to_owned();
    let first = Strings::new(1).exit_fails(no()).or_enter(Strings::new(2));
    let failed = block_on(first.with_report(async |guard| Ok::<_, Report>(guard.value)));
    assert!(matches!(failed, Err(ScopeError::Exit(OneOf::First(error))) if error == no()));
    let second = fails("one").or_enter(Strings::new(2).exit_fails(no()));
    let failed = block_on(second.with_report(async |guard| Ok::<_, Report>(guard.value)));
    assert!(matches!(failed, Err(ScopeError::Exit(OneOf::Second(error))) if error == no()));
    assert_eq!(
        OneOf::Both {
            first: "a",
            second: "b"
        }
        .to_string(),
        "b (and before: a)"
    );
    assert_eq!(OneOf::<_, &str>::First("a").to_string(), "a");
}

#[test]
fn only_a_failed_enter_leads_to_the_other() {
    hush_injected_panics();
    let ledger = Ledger::new();
    let panics = ledger.scope("a").enter_panics().or_enter(ledger.scope("b"));
    let ended = block_on(caught(panics.using(async |_| ())));
    assert_eq!(ended.unwrap_err(), "injected panic: enter a");
    let fails = ledger.scope("c").or_enter(ledger.scope("d"));
    let failed = block_on(fails.with(async |_| Err::<(), _>(Injected("body".to_owned()))));
    assert_eq!(failed, Err(Injected("body".to_owned())));
    assert_eq!(ledger.trace(), "+c ~c -c");
}

#[test]
fn they_nest_and_are_members() {
    let ledger = Ledger::new();
    let fails = |name: &str| ledger.scope(name).enter_fails();
    let third = fails("a").or_enter(fails("b")).or_enter(ledger.scope("c"));
    let fastest = race(
        race(fails("d"), ledger.scope("e").yields(2)),
        ledger.scope("f").yields(1),
    );
    let pair =
        (third, fastest).using(async |(third, fastest)| [third.name(), fastest.name()].concat());
    assert_eq!(block_on(pair).unwrap(), "cf");
    ledger.check();
    assert_eq!(ledger.trace(), "+c +f ~f -f ~c -c");
}

#[test]
fn a_verdict_of_either_side_suppresses() {
    let slow =
        acquire(async || Ok(pending::<()>().await)).release(async |(), _| io::Result::Ok(()));
    let either = race(slow, suppress::<Injected>());
    let ended = block_on(either.with_report(async |()| Err::<(), _>(Injected("body".to_owned()))));
    assert!(matches!(ended, Ok(None)));
    let plain = null(()).or_enter(suppress::<Injected>());
    let ended = block_on(plain.with_report(async |()| Err::<(), _>(Injected("body".to_owned()))));
    assert!(matches!(ended, Err(ScopeError::Body(_))));
}

#[test]
fn a_loser_that_panics_when_it_is_dropped_does_not_take_the_winner_along() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("injected panic: dropped");
        }
    }
    hush_injected_panics();
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let loser = acquire(async || {
        let _bomb = Bomb;
        Ok(pending::<()>().await)
    });
    let loser = loser.release(async |(), _| io::Result::Ok(()));
    let winner = ledger
        .scope("winner")
        .enter_yields(1)
        .view_as(|_| Box::leak(Box::new(())));
    let ended = ledger
        .scope("a")
        .using(async |_| race(loser, winner).using(async |()| ()).await.is_ok());
    assert_eq!(block_on(ended), Ok(true));
    ledger.check();
    assert_eq!(ledger.trace(), "+a +winner ~winner -winner ~a -a");
    assert_eq!(lost.containing("injected panic: dropped").len(), 1);
}
