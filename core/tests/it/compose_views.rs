//! What a body sees of a composition, what it is called, and what it works with.

use std::io;
use std::time::Duration;

use withal_core::{
    ExitStack, Kind, Never, Or, Outcome, Report, ScopeError, ScopeExt, acquire, join, null, race,
    suppress, sync,
};
use withal_testing::{Injected, Ledger, LostErrors, Manual, block_on, run};

use crate::sample::Sample;

#[test]
fn the_parts_side_by_side() {
    let sum = (sync(1), sync(String::from("ab")), null(3)).using(async |(a, text, b)| {
        *a += 1;
        text.push('c');
        *a + text.len() as i32 + *b
    });
    assert!(matches!(block_on(sum), Ok(8)));
    let array = [sync(1), sync(2)].using(async |[a, b]| {
        std::mem::swap(a, b);
        (*a, *b)
    });
    assert_eq!(block_on(array), Ok((2, 1)));
    let row = vec![sync(1), sync(2), sync(3)].using(async |row| row.iter().sum::<i32>());
    assert_eq!(block_on(row), Ok(6));
    let some = Some(sync(1)).using(async |one| *one);
    assert_eq!(block_on(some), Ok(Some(1)));
    let none = None::<withal_core::Plain<i32>>.using(async |one| *one);
    assert_eq!(block_on(none), Ok(None));
}

#[test]
fn twelve_members() {
    let ledger = Ledger::new();
    let s = |name: &str| ledger.scope(name);
    let all = (
        s("a"),
        s("b"),
        s("c"),
        s("d"),
        s("e"),
        s("f"),
        s("g"),
        s("h"),
        s("i"),
        s("j"),
        s("k"),
        s("l"),
    );
    let last = all.with(async |(.., last)| Ok::<_, Injected>(last.name().to_owned()));
    assert_eq!(block_on(last), Ok("l".to_owned()));
    assert!(
        ledger
            .trace()
            .ends_with("~l -l ~k -k ~j -j ~i -i ~h -h ~g -g ~f -f ~e -e ~d -d ~c -c ~b -b ~a -a")
    );
    ledger.check();
}

#[test]
fn combinators_over_compositions() {
    run(|rt: Manual| async move {
        let ledger = Ledger::new();
        let pair = || (ledger.scope("a").yields(1), ledger.scope("b").yields(1));
        let limit = Duration::from_secs(1);
        pair()
            .named("pair")
            .using(async |(a, _)| a.name().len())
            .await
            .unwrap();
        pair().protected().using(async |_| ()).await.unwrap();
        pair()
            .boxed()
            .using(async |(_, b)| b.name().len())
            .await
            .unwrap();
        pair()
            .view_as(|(_, b)| b)
            .using(async |b| assert_eq!(b.name(), "b"))
            .await
            .unwrap();
        assert!(
            pair()
                .exit_within(&rt, limit)
                .using(async |_| ())
                .await
                .is_ok()
        );
        let open = pair().open().await.unwrap();
        assert_eq!(open.0.name(), "a");
        open.close(Outcome::Success).await.unwrap();
        let ended = ExitStack::with(async |stack| {
            let lease = stack
                .enter(join(pair(), pair()))
                .await
                .map_err(|_| Injected("no".to_owned()))?;
            assert_eq!(lease.1.1.name(), "b");
            Ok::<_, Report>(())
        });
        ended.await.unwrap();
        ledger.check();
        assert_eq!(ledger.entered(), 2 * 6 + 4);
    });
}

#[test]
fn of_an_exit_stack_beside_other_members() {
    let ledger = Ledger::new();
    let stacked = (ledger.scope("a"), ExitStack::new()).with(async |(_, stack)| {
        stack.enter(ledger.scope("b")).await?;
        stack.enter(ledger.scope("c")).await?;
        Ok::<_, Report>(())
    });
    assert!(block_on(stacked).is_ok());
    assert_eq!(ledger.trace(), "+a +b +c ~c -c ~b -b ~a -a");
}

#[test]
fn one_that_may_suppress_decides_for_all() {
    let ledger = Ledger::new();
    let pair = (suppress::<Injected>(), ledger.scope("a"));
    let ended: Result<Option<()>, Injected> =
        block_on(pair.with(async |_| Err(Injected("body".to_owned()))));
    assert_eq!(ended, Ok(None));
    assert_eq!(
        ledger.outcome("a").unwrap(),
        "failure: injected error: body"
    );
    let pair = (ledger.scope("b"), suppress::<Injected>());
    let ended = block_on(pair.with(async |_| Err::<(), _>(Injected("body".to_owned()))));
    assert_eq!(ended, Ok(None));
    assert_eq!(ledger.outcome("b").unwrap(), "success");
}

#[test]
fn an_error_of_an_exit_that_an_outer_member_suppresses() {
    let ledger = Ledger::new();
    let all = (suppress::<Injected>(), ledger.scope("a").exit_fails());
    let ended: Result<Option<i32>, Injected> = block_on(all.with(async |_| Ok(7)));
    assert_eq!(ended, Ok(Some(7)), "the body keeps its value");
}

#[test]
fn names_and_places() {
    let lost = LostErrors::listen();
    let failing = |name: &str| {
        Sample::<Injected>::new(1)
            .exit_fails(Injected(format!("{name} is stuck")))
            .named(name.to_owned())
    };
    let line = line!() + 1;
    let failed = (failing("names.a"), [failing("names.b")]).with(async |_| Ok::<_, Injected>(()));
    assert_eq!(
        block_on(failed),
        Err(Injected("names.b is stuck".to_owned()))
    );
    let told = lost.containing("names.a is stuck");
    let place = format!("exit of `names.a` ({}:{line}:", file!());
    assert!(told.len() == 1 && told[0].starts_with(&place), "{told:?}");
    // The one that is returned is that of the whole.
    let report =
        block_on((failing("a"), [failing("b")]).with(async |_| Ok::<_, Report>(()))).unwrap_err();
    assert_eq!(report.primary().scope(), Some("(a, [b])"));
    assert_eq!(report.primary().kind(), Kind::Failed);
    let chosen = failing("a")
        .or_enter(failing("b"))
        .then_enter(|_| race(failing("c"), failing("d")));
    let report = block_on(chosen.with(async |_| Ok::<_, Report>(()))).unwrap_err();
    assert_eq!(report.primary().scope(), Some("a or b, then Race"));
}

#[test]
fn a_part_that_is_taken_out_of_an_option_is_not_exited_and_told() {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let taken =
        Some(ledger.scope("x").named("options.taken")).using(async |one| one.take().is_some());
    assert_eq!(block_on(taken), Ok(true));
    assert_eq!(lost.containing("options.taken").len(), 1);
    assert_eq!(ledger.trace(), "+x");
}

#[test]
fn of_scopes_that_never_suspend_nothing_suspends() {
    let all = (
        (sync(1), [sync(2), sync(3)]),
        Some(null(4)),
        suppress::<io::Error>(),
    );
    let mut body = Box::pin(all.using(async |_| 7));
    let polled = block_on(withal_testing::poll_once(&mut body));
    assert!(matches!(polled, std::task::Poll::Ready(Ok(Some(7)))));
}

#[test]
fn the_errors_of_members_convert_each_by_itself() {
    #[derive(Debug, thiserror::Error)]
    enum App {
        #[error(transparent)]
        Io(#[from] io::Error),
        #[error(transparent)]
        Parse(#[from] std::num::ParseIntError),
    }
    let parse =
        |text: &'static str| acquire(async move || text.parse::<u8>()).release(async |_, _| Ok(()));
    let file = Sample::<io::Error>::new(1);
    let ended = (file, parse("x"), sync(1)).with(async |_| Ok::<_, App>(()));
    assert!(matches!(block_on(ended), Err(App::Parse(_))));
    let lock: (_, withal_core::Plain<i32>) = (Sample::<Never>::new(1), sync(1));
    assert!(matches!(
        block_on(lock.with_report(async |_| Ok::<_, App>(()))),
        Ok::<_, ScopeError<_, Or<Never, Never>>>(())
    ));
}
