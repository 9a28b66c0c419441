//! A scope that is made of what another one shows.

use std::io;

use withal_core::{Or, Report, ScopeError, ScopeExt, acquire, sync};
use withal_testing::{Injected, Ledger, block_on, caught, hush_injected_panics};

use crate::sample::Sample;

#[test]
fn it_sees_the_guard_and_the_body_sees_both() {
    let counted = sync(vec![1]).then_enter(|list| {
        list.push(2);
        sync(list.len())
    });
    let seen = counted.using(async |(list, length)| {
        list.push(3);
        (list.clone(), *length)
    });
    let Ok(seen) = block_on(seen);
    assert_eq!(seen, (vec![1, 2, 3], 2));
}

#[test]
fn the_second_exits_first() {
    let ledger = Ledger::new();
    let scope = |name: &str| ledger.scope(name).yields(1);
    let (b, c) = (scope("b"), scope("c"));
    let all = scope("a")
        .then_enter(|a| b.inside(a))
        .then_enter(|(_, b)| c.inside(b));
    let names =
        all.with(async |((a, b), c)| Ok::<_, Injected>([a.name(), b.name(), c.name()].concat()));
    assert_eq!(block_on(names), Ok("abc".to_owned()));
    assert_eq!(ledger.trace(), "+a +b +c ~c -c ~b -b ~a -a");
    ledger.check();
}

#[test]
fn when_the_second_is_refused_the_first_sees_why() {
    let ledger = Ledger::new();
    let refused = ledger.scope("b").enter_fails();
    let all = ledger.scope("a").yields(1).then_enter(|_| refused);
    let failed = block_on(all.with_report(async |_| Ok::<_, Report>(()))).unwrap_err();
    let error = Injected("enter b".to_owned());
    assert!(matches!(failed, ScopeError::Enter(Or::B(refused)) if refused == error));
    assert_eq!(
        ledger.outcome("a").unwrap(),
        "failure: injected error: enter b"
    );
    ledger.check();
}

#[test]
fn when_it_is_not_even_made_the_first_is_released() {
    hush_injected_panics();
    let ledger = Ledger::new();
    let broken = |_: &mut _| -> Sample<io::Error> { panic!("injected panic: no second") };
    let all = ledger.scope("a").yields(1).then_enter(broken);
    let ended = block_on(caught(all.using(async |_| ())));
    assert!(matches!(ended, Err(panic) if panic == "injected panic: no second"));
    assert_eq!(
        ledger.outcome("a").unwrap(),
        "panic: injected panic: no second"
    );
    ledger.check();
}

#[test]
fn errors_of_different_types() {
    let parsed = acquire(async || io::Result::Ok("x".to_owned())).release(async |_, _| Ok(()));
    let all = parsed.then_enter(|text| {
        let text = text.clone();
        acquire(async move || text.parse::<u32>()).release(async |_, _| Ok(()))
    });
    let failed = block_on(all.with(async |(_, n)| Ok::<_, Report>(*n))).unwrap_err();
    assert!(
        failed
            .primary()
            .downcast_ref::<std::num::ParseIntError>()
            .is_some()
    );
}
