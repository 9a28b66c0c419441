//! Running a scope: order, outcomes, verdicts, errors.

use std::sync::{Arc, Mutex};

use withal_core::{
    Entry, Kind, Outcome, Phase, Reason, Recover, Report, Runtime, ScopeError, ScopeExt, acquire,
    suppress,
};

use crate::cut::{caught, cut_after, yield_now, yield_times};
use crate::faults::{fault_sweep, hush_injected_panics};
use crate::ledger::{Injected, Ledger, ok};
use crate::lost::LostErrors;

/// Enter, body, exit; inner scopes first.
pub async fn inside_out<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ledger
        .scope("a")
        .with(async |a| {
            ledger.say("in-a");
            let inner = ledger.scope("b").inside(a).yields(1);
            inner.with(async |b| ok(b.name().len())).await
        })
        .await;
    assert_eq!(ended, Ok(1));
    assert_eq!(ledger.trace(), "+a in-a +b ~b -b ~a -a");
    ledger.check();
}

/// The exit is told how the body ended, with the error itself.
pub async fn outcomes<R: Runtime>(_: R) {
    hush_injected_panics();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let scope = || {
        let seen = seen.clone();
        acquire(async || Ok::<_, Injected>(())).release(async move |(), outcome: Outcome<'_>| {
            yield_now().await;
            let error = outcome.downcast_ref::<Injected>().cloned();
            seen.lock().unwrap().push((outcome.to_string(), error));
            ok(())
        })
    };
    let error = Injected("x".to_owned());
    let _ = scope().using(async |()| 1).await;
    let failed = scope().with(async |()| Err::<(), _>(error.clone())).await;
    assert_eq!(failed, Err(error.clone()));
    let panicked = caught(scope().using(async |()| panic!("injected panic: {}", 7))).await;
    assert_eq!(panicked.unwrap_err(), "injected panic: 7");
    let reason = async { Reason::Requested("enough") };
    let hanging = scope().using(async |()| std::future::pending::<()>().await);
    let stopped = withal_core::until(reason, hanging).await.unwrap_err();
    assert_eq!(stopped.cancelled().reason, Reason::Requested("enough"));
    let seen = seen.lock().unwrap();
    let text: Vec<&str> = seen.iter().map(|(text, _)| &**text).collect();
    assert_eq!(
        text,
        [
            "success",
            "failure: injected error: x",
            "panic: injected panic: 7",
            "cancelled: enough"
        ]
    );
    assert_eq!(seen[1].1, Some(error));
}

/// A failed enter: no body, no exit, the error.
pub async fn failed_enter<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = ledger
        .scope("a")
        .with(async |a| {
            let failing = ledger.scope("b").inside(a).enter_yields(1).enter_fails();
            failing
                .with(async |_| unreachable!("the body of a failed enter"))
                .await
        })
        .await;
    assert_eq!(ended, Err::<(), _>(Injected("enter b".to_owned())));
    assert_eq!(ledger.trace(), "+a ~a -a");
    assert_eq!(
        ledger.outcome("a").unwrap(),
        "failure: injected error: enter b"
    );
}

/// The exit's error surfaces at once after a success; after a failure both are kept.
pub async fn failed_exit<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let failing = |name: &str| ledger.scope(name).exit_yields(1).exit_fails();
    let exit = |name: &str| Injected(format!("exit {name}"));
    let ended = failing("a").with(async |_| ok(1)).await;
    assert_eq!(ended, Err(exit("a")));
    let body = Injected("body".to_owned());
    let ended = failing("b")
        .with_report(async |_| Err::<(), _>(body.clone()))
        .await;
    let both = ScopeError::BodyAndExit {
        body: body.clone(),
        exit: exit("b"),
    };
    assert_eq!(ended, Err(both));
    let ended = failing("c")
        .with(async |_| Err::<(), Report>(body.clone().into()))
        .await;
    let report = ended.unwrap_err();
    assert_eq!(report.primary().downcast_ref(), Some(&body));
    let others: Vec<_> = report.others().iter().map(Entry::phase).collect();
    assert_eq!(others, [Phase::Exit]);
    assert_eq!(report.others()[0].downcast_ref(), Some(&exit("c")));
    let lost = LostErrors::listen();
    let ended = failing("protocol.d")
        .with(async |_| Err::<(), _>(body.clone()))
        .await;
    assert_eq!(ended, Err(body));
    assert_eq!(lost.containing("exit protocol.d").len(), 1);
}

/// Suppression is for failures of the right type only; panics and cancellations cannot be swallowed.
pub async fn verdicts<R: Runtime>(_: R) {
    hush_injected_panics();
    let swallow =
        || acquire(async || Ok::<_, Injected>(())).release(async |(), _| ok(Recover::Suppress));
    let failed = Injected("x".to_owned());
    assert_eq!(
        swallow().with(async |()| Ok::<_, Injected>(1)).await,
        Ok(Some(1))
    );
    assert_eq!(
        swallow()
            .with(async |()| Err::<u8, _>(failed.clone()))
            .await,
        Ok(None)
    );
    let panicked = caught(swallow().using(async |()| panic!("injected panic: x"))).await;
    assert!(panicked.is_err());
    let reason = async { Reason::Shutdown };
    let hanging = swallow().using(async |()| std::future::pending::<()>().await);
    assert!(withal_core::until(reason, hanging).await.is_err());
    let other = suppress::<std::fmt::Error>()
        .with(async |()| Err::<u8, _>(failed.clone()))
        .await;
    assert_eq!(other, Err(failed.clone()));
    let right = suppress::<std::fmt::Error>().or::<Injected>();
    assert_eq!(right.with(async |()| Err::<u8, _>(failed)).await, Ok(None));
}

/// Errors of a cancelled tree are in the report of the canceller, each once.
pub async fn errors_of_a_cancelled_tree<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let body = ledger.scope("a").exit_fails().with(async |a| {
        let inner = ledger.scope("b").inside(a).exit_yields(2).exit_fails();
        inner
            .with(async |_| ok(std::future::pending::<()>().await))
            .await
    });
    let stopped = withal_core::until(async { Reason::Shutdown }, body)
        .await
        .unwrap_err();
    assert_eq!(ledger.live(), 0);
    let kinds: Vec<_> = stopped.exits().iter().map(Entry::kind).collect();
    assert_eq!(kinds, [Kind::Failed, Kind::Failed]);
    let first = stopped.exits()[0].downcast_ref::<Injected>();
    assert_eq!(first, Some(&Injected("exit b".to_owned())));
    let report = stopped.into_report();
    assert_eq!(report.len(), 3);
}

/// Every fault and every pair of faults at every enter, body and exit of a small tree: nothing is swallowed.
pub async fn every_fault<R: Runtime>(_: R) {
    let runs = fault_sweep(|ledger| {
        let ledger = ledger.clone();
        async move {
            ledger
                .scope("a")
                .yields(1)
                .with(async |a| {
                    ledger.point("a before")?;
                    let b = ledger.scope("b").inside(a).yields(1);
                    b.with(async |b| {
                        let c = ledger.scope("c").inside(b);
                        c.with(async |_| Ok::<_, Report>(ledger.point("c")?))
                            .await?;
                        yield_now().await;
                        Ok::<_, Report>(ledger.point("b")?)
                    })
                    .await?;
                    Ok(ledger.point("a after")?)
                })
                .await
        }
    })
    .await;
    assert!(runs > 60, "{runs}");
}

/// A scope that is dropped during its exit: the body's error and the exit's are told to the hook.
pub async fn errors_of_an_exit_whose_caller_is_gone<R: Runtime>(_: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let failing = ledger.scope("gone.exit").exit_yields(3).exit_fails();
    let body = failing.with(async |_| Err::<(), _>(Injected("gone.body".to_owned())));
    assert!(cut_after(1, body).await.is_none());
    ledger.settled().await;
    ledger.check();
    while lost.containing("gone.body").is_empty() {
        yield_now().await;
    }
    assert_eq!(lost.containing("exit gone.exit").len(), 1);
    assert_eq!(lost.containing("gone.body").len(), 1);
    // A suppressed error is not lost.
    let log = ledger.clone();
    let swallow = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
        yield_times(2).await;
        log.say("swallowed");
        Ok(Recover::Suppress)
    });
    let body = swallow.with(async |()| Err::<(), _>(Injected("gone.swallowed".to_owned())));
    assert!(cut_after(1, body).await.is_none());
    while !ledger.trace().contains("swallowed") {
        yield_now().await;
    }
    yield_times(3).await;
    assert!(lost.containing("gone.swallowed").is_empty());
}
