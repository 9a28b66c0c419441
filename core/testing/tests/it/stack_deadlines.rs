//! Deadlines over the exits of a stack: what is overdue is dropped and told, and all others exit.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::Poll;
use std::time::Duration;

use withal_core::{
    ExitStack, Kind, Launch, Outcome, Recover, Report, ScopeError, ScopeExt, Timer, acquire,
};
use withal_testing::{Injected, Ledger, LostErrors, Manual, poll_once, yield_now};

const SECOND: Duration = Duration::from_secs(1);

/// Counts how many were dropped before their end.
#[derive(Clone, Default)]
struct Cut(Arc<AtomicUsize>);

impl Cut {
    async fn hang(self) {
        let _cut = self;
        pending::<()>().await;
    }

    fn count(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// An exit that never ends and has this name, in the middle of two that do.
async fn three(
    stack: &ExitStack,
    ledger: &Ledger,
    cut: &Cut,
    name: &'static str,
) -> Result<(), Injected> {
    stack.enter(ledger.scope("a").yields(1)).await?;
    let hangs = acquire(async || Ok::<_, Injected>(())).release({
        let cut = cut.clone();
        async move |(), _| Ok::<_, Injected>(cut.hang().await)
    });
    drop(stack.enter(hangs.named(name)).await?);
    stack.enter(ledger.scope("c").yields(1)).await?;
    Ok(())
}

/// The deadline is around the stack, which knows nothing of it.
#[test]
fn of_the_whole_scope() {
    for (at_most, fails) in [
        (None, false),
        (Some(4), false),
        (None, true),
        (Some(4), true),
    ] {
        let (rt, ledger, cut) = (Manual::new(), Ledger::new(), Cut::default());
        let lost = LostErrors::listen();
        let name = "overdue.scope";
        let stack = match at_most {
            None => ExitStack::new(),
            Some(at_most) => ExitStack::new().concurrent(at_most),
        };
        let bounded = stack.exit_within(&rt, SECOND);
        let ended = rt.block_on(async {
            let body = async |stack: &mut ExitStack| {
                three(stack, &ledger, &cut, name).await?;
                match fails {
                    true => Err(Injected("body".to_owned())),
                    false => Ok(()),
                }
            };
            let ended = bounded.with_report(body).await;
            ledger.settled().await;
            ended
        });
        match ended {
            Err(ScopeError::Exit(_)) if !fails => {}
            Err(ScopeError::BodyAndExit { body, .. }) if fails => assert_eq!(body.0, "body"),
            other => panic!("{other:?}"),
        }
        ledger.check();
        assert_eq!(
            (ledger.entered(), cut.count()),
            (2, 0),
            "at once: {at_most:?}"
        );
        let told = lost.containing(name);
        assert_eq!(
            told.len(),
            1,
            "at once: {at_most:?}, fails: {fails}: {told:?}"
        );
    }
}

/// When the budget is spent, each exit that is left is polled once.
#[test]
fn of_the_whole_unwinding() {
    let (rt, ledger) = (Manual::new(), Ledger::new());
    let cut = Cut::default();
    let stack = ExitStack::new().within(&rt, SECOND);
    let report = rt.block_on(async {
        stack.enter(ledger.scope("a")).await?;
        three(&stack, &ledger, &cut, "overdue.unwinding").await?;
        let (clock, hangs) = (rt.clone(), cut.clone());
        stack.defer(async move || clock.sleep(SECOND / 2).await);
        stack.defer(async move || hangs.hang().await);
        stack.enter(ledger.scope("in time").yields(2)).await?;
        stack.close(Outcome::Success).await
    });
    let report = report.expect_err("the budget is spent");
    let kinds: Vec<_> = report
        .entries()
        .map(|entry| (entry.scope(), entry.kind()))
        .collect();
    // Those that release in one poll do so: `a`.
    assert_eq!(
        kinds,
        [
            (Some("defer"), Kind::Overdue),
            (Some("defer"), Kind::Overdue),
            (Some("Traced"), Kind::Overdue),
            (Some("overdue.unwinding"), Kind::Overdue),
            (Some("Traced"), Kind::Overdue),
        ]
    );
    assert_eq!((rt.now(), cut.count()), (SECOND, 0));
    assert_eq!(
        ledger.outcome("a").as_deref(),
        Some("failure: has not ended in its time")
    );
    ledger.check();
}

/// An exit closes a stack, is lent its body's error for that, and is itself overdue.
#[test]
fn of_an_exit_that_closes_a_stack() {
    let (rt, ledger, cut) = (Manual::new(), Ledger::new(), Cut::default());
    let lost = LostErrors::listen();
    let around = acquire(async || Ok::<_, Report>(ExitStack::new())).release(
        async |stack: ExitStack, outcome: Outcome<'_>| {
            let mut close = Box::pin(stack.close(outcome));
            assert!(matches!(poll_once(&mut close).await, Poll::Pending));
            drop(close);
            Ok::<_, Report>(pending::<()>().await)
        },
    );
    let ended = rt.block_on(async {
        let body = async |stack: &mut ExitStack| {
            three(stack, &ledger, &cut, "overdue.close").await?;
            Err::<(), _>(Report::msg("body"))
        };
        let ended = around.exit_within(&rt, SECOND).with(body).await;
        ledger.settled().await;
        ended
    });
    assert_eq!(ended.expect_err("the body has failed").to_string(), "body");
    ledger.check();
    assert_eq!((ledger.entered(), cut.count()), (2, 0));
    assert_eq!(lost.containing("overdue.close").len(), 1);
}

/// Of exits that run at once none hides the error of another one, which it has not seen.
#[test]
fn suppressing_beside_an_error() {
    for (fails, late) in [(false, false), (false, true), (true, false), (true, true)] {
        let body = async |stack: &mut ExitStack<Recover>| {
            let pause = async |pauses: bool| {
                if pauses {
                    yield_now().await;
                }
            };
            stack.push((), async move |(), _: Outcome<'_>| {
                pause(late).await;
                Recover::Suppress
            });
            stack.push((), async move |(), _: Outcome<'_>| {
                pause(!late).await;
                Err::<(), _>(Injected("beside".to_owned()))
            });
            match fails {
                true => Err(Report::msg("body")),
                false => Ok(()),
            }
        };
        let stack = ExitStack::recovering().concurrent(2);
        let ended = withal_testing::block_on(stack.with(body));
        let report = ended.expect_err("one has failed");
        assert_eq!(report.len(), 1, "fails: {fails}, late: {late}: {report:?}");
        assert!(report.primary().downcast_ref::<Injected>().is_some());
    }
}
