//! Every way in which two joined scopes can go, whichever is first.

use withal_core::{ScopeError, ScopeExt, join, join_all};
use withal_testing::{Injected, Ledger, LostErrors, block_on};

use crate::step::{Act, Ended, Step, run};

const NAMES: [&str; 2] = ["a", "b"];

#[test]
fn every_pair_of_exits() {
    let lost = LostErrors::listen();
    for body in [Act::Well, Act::Fail, Act::Panic] {
        for code in 0..32 {
            let exits = [0, 2].map(|shift| Act::ALL[code >> shift & 3]);
            let first = code >> 4;
            let prefix = format!("join.{body:?}.{code}.");
            let ledger = Ledger::new();
            let mut members = 0..;
            let steps = NAMES.map(|name| {
                let member = members.next().unwrap();
                let yields = if member == first { 1 } else { 2 };
                let step = Step::new(&ledger, format!("{prefix}{name}"));
                step.exits(exits[member]).yields(1, yields)
            });
            let name = format!("{prefix}body");
            let ended = block_on(run(join_all(steps), body, &name, 1, None));
            let sees = match body {
                Act::Fail => name.clone(),
                Act::Panic => format!("panic: injected panic: {name}"),
                _ => "ok".to_owned(),
            };
            for name in NAMES {
                assert!(
                    ledger.trace().contains(&format!("~{prefix}{name}[{sees}]")),
                    "{}",
                    ledger.trace()
                );
            }
            let in_time = [first, 1 - first];
            let error = |member: usize| format!("exit {prefix}{}", NAMES[member]);
            let mut panics = in_time
                .into_iter()
                .filter(|member| exits[*member] == Act::Panic);
            let mut errors = in_time
                .into_iter()
                .filter(|member| exits[*member] == Act::Fail);
            let suppressed = exits.contains(&Act::Suppress) && body == Act::Fail;
            let body_failed = body == Act::Fail && !suppressed;
            let expected = match (body, panics.next()) {
                (Act::Panic, _) => Ended::Panicked(format!("injected panic: {name}")),
                (_, Some(member)) => Ended::Panicked(format!("injected panic: {}", error(member))),
                (_, None) => Ended::With(
                    match (body_failed, errors.next().map(error).map(Injected)) {
                        (false, None) => Ok((!suppressed).then_some(())),
                        (false, Some(exit)) => Err(ScopeError::Exit(exit)),
                        (true, None) => Err(ScopeError::Body(Injected(name.clone()))),
                        (true, Some(exit)) => Err(ScopeError::BodyAndExit {
                            body: Injected(name.clone()),
                            exit,
                        }),
                    },
                ),
            };
            assert_eq!(ended, expected, "{body:?} {exits:?}: {}", ledger.trace());
            // Whatever is not returned is told.
            let told = format!("{ended:?}");
            for member in [0, 1] {
                if matches!(exits[member], Act::Fail | Act::Panic) {
                    let heard = lost.containing(&error(member)).len();
                    assert_eq!(
                        heard + usize::from(told.contains(&error(member))),
                        1,
                        "{body:?} {exits:?}"
                    );
                }
            }
            let heard = lost.containing(&name).len() + usize::from(told.contains(&name));
            assert_eq!(
                heard,
                usize::from(body != Act::Well && !suppressed),
                "{body:?} {exits:?}"
            );
        }
    }
}

#[test]
fn the_views_are_in_order_whoever_enters_first() {
    let ledger = Ledger::new();
    let scope = |name: &str, yields| ledger.scope(name).enter_yields(yields);
    let pair =
        join(scope("a", 3), scope("b", 1)).using(async |(a, b)| [a.name(), b.name()].concat());
    assert_eq!(block_on(pair).unwrap(), "ab");
    let three = join_all([scope("c", 3), scope("d", 1), scope("e", 2)]);
    let names =
        three.using(async |all| all.each_ref().map(|guard| guard.name().to_owned()).concat());
    assert_eq!(block_on(names).unwrap(), "cde");
    assert!(ledger.trace().starts_with("+b +a "), "{}", ledger.trace());
    assert!(ledger.trace().contains("+d +e +c "), "{}", ledger.trace());
    let none = join_all(Vec::<withal_testing::Traced>::new()).using(async |none| none.len());
    assert_eq!(block_on(none), Ok(0));
}

#[test]
fn a_panic_in_one_enter_releases_the_other_side() {
    let ledger = Ledger::new();
    let steps = [
        Step::new(&ledger, "a").yields(0, 1),
        Step::new(&ledger, "b").yields(1, 0).enters(Act::Panic),
    ];
    let ended = block_on(run(join_all(steps), Act::Well, "body", 0, None));
    assert_eq!(ended, Ended::Panicked("injected panic: enter b".to_owned()));
    assert_eq!(ledger.trace(), "+a ~a[panic: injected panic: enter b] -a");
}

#[test]
fn joins_of_many_poll_only_those_that_were_woken() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use withal_core::acquire;

    const MANY: usize = 200;
    let polls = Arc::new(AtomicUsize::new(0));
    let scopes: Vec<_> = (0..MANY)
        .map(|yields| {
            let polls = polls.clone();
            acquire(async move || {
                let mut sleeping = std::pin::pin!(withal_testing::yield_times(yields % 5));
                std::future::poll_fn(|cx| {
                    polls.fetch_add(1, Ordering::Relaxed);
                    sleeping.as_mut().poll(cx)
                })
                .await;
                Ok::<_, Injected>(())
            })
            .release(async |(), _| Ok(()))
        })
        .collect();
    block_on(join_all(scopes).using(async |_| ())).unwrap();
    assert_eq!(
        polls.load(Ordering::Relaxed),
        MANY / 5 * (1 + 2 + 3 + 4 + 5)
    );
}
