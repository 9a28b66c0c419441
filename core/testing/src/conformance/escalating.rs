//! Releasing by attempts: again, then harder, and what has failed is not lost.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use withal_core::{
    Backoff, Close, Entry, Kind, Open, Outcome, Phase, Reason, Report, Runtime, ScopeExt, acquire,
    closing, releasing, until,
};

use crate::cut::{caught, cut_after, yield_times};
use crate::drop_sweep::drop_sweep;
use crate::faults::{fault_sweep, hush_injected_panics};
use crate::ledger::{Injected, Ledger, Traced, ok};
use crate::lost::LostErrors;

const SOON: Duration = Duration::from_millis(1);

fn failed(what: &str) -> Result<(), Injected> {
    Err(Injected(what.to_owned()))
}

/// The steps in order, each with its attempts; the first that succeeds is the last.
pub async fn until_one_succeeds<R: Runtime>(rt: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let (soft, hard, never) = (ledger.clone(), ledger.clone(), ledger.clone());
    let scope = releasing(&rt, 0, async move |tries: &mut u32, outcome| {
        *tries += 1;
        soft.say(format!("soft {tries} {outcome}"));
        yield_times(2).await;
        failed("one.soft")
    })
    .retry(Backoff::times(2))
    .or_else(async move |tries, outcome| {
        *tries += 1;
        hard.say(format!("hard {tries} {outcome}"));
        if *tries < 5 {
            failed("one.hard")
        } else {
            Ok(())
        }
    })
    .retry(Backoff::times(7))
    .or_else(async move |_, _| {
        never.say("never");
        Ok(())
    })
    .named("one");
    let ended = scope.with(async |tries| {
        ledger.say("body");
        Ok::<_, Report>(*tries)
    });
    assert_eq!(ended.await.unwrap(), 0);
    assert_eq!(
        ledger.trace(),
        "body soft 1 success soft 2 success soft 3 success hard 4 success hard 5 success"
    );
    assert_eq!(lost.containing("one.soft").len(), 3);
    let told = lost.containing("one.hard");
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("exit of `one, step 2, attempt 1`"),
        "{told:?}"
    );
}

/// When none succeeds, the report has every attempt: errors, and those that were not in time.
pub async fn giving_up<R: Runtime>(rt: R) {
    let scope = || {
        acquire(async || Ok::<_, Injected>(()))
            .releasing(&rt, async |(), _| failed("soft"))
            .retry(Backoff::times(1))
            .or_else(async |(), _| pending().await)
            .within(SOON)
            .or_else(async |(), _| failed("hard"))
            .named("given up")
    };
    let check = |entries: &[&Entry]| {
        let what = [
            ("given up, step 1, attempt 1", Kind::Failed),
            ("given up, step 1, attempt 2", Kind::Failed),
            ("given up, step 2, attempt 1", Kind::Overdue),
            ("given up, step 3, attempt 1", Kind::Failed),
        ];
        assert_eq!(entries.len(), what.len());
        for (entry, (name, kind)) in entries.iter().zip(what) {
            assert_eq!((entry.scope(), entry.kind()), (Some(name), kind));
            assert_eq!(entry.phase(), Phase::Exit);
            assert!(entry.took().is_some() && entry.location().is_some());
        }
        assert!(entries[2].took() >= Some(SOON));
    };
    let report = scope().using(async |()| ()).await.unwrap_err();
    check(&report.entries().collect::<Vec<_>>());
    let body = scope().with(async |()| Err::<(), Report>(Injected("body".to_owned()).into()));
    let report = body.await.unwrap_err();
    let body = Injected("body".to_owned());
    assert_eq!(report.primary().downcast_ref(), Some(&body));
    check(&report.others().iter().collect::<Vec<_>>());
}

/// A panic keeps no further attempt from being made, and goes on in the end, the first if there are several; the others are told.
pub async fn panics<R: Runtime>(rt: R) {
    hush_injected_panics();
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let hard = ledger.clone();
    let scope = releasing(&rt, 0, async |tries: &mut u32, _| {
        *tries += 1;
        yield_times(1).await;
        if *tries == 2 {
            return failed("panics.failed");
        }
        panic!("injected panic: panics.{tries}")
    })
    .retry(Backoff::times(2))
    .or_else(async move |_, _| {
        hard.say("released");
        Ok(())
    });
    let message = caught(scope.using(async |_| ())).await.unwrap_err();
    assert_eq!(message, "injected panic: panics.1");
    assert_eq!(ledger.trace(), "released");
    assert!(lost.containing("panics.1").is_empty());
    assert_eq!(lost.containing("panics.failed").len(), 1);
    assert_eq!(lost.containing("panics.3").len(), 1);
}

/// What an attempt has opened ends before the next attempt begins.
pub async fn each_attempt_cleans_up<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let log = ledger.clone();
    let scope = releasing(&rt, 0, async move |tries: &mut u32, _| {
        *tries += 1;
        log.say(format!("try{tries}"));
        let inner = log.scope(format!("in{tries}")).exit_yields(3);
        // It is dropped hard, and nobody awaits it.
        drop(cut_after(1, inner.using(async |_| pending::<()>().await)).await);
        log.say(format!("fail{tries}"));
        failed("cleans up")
    })
    .retry(Backoff::times(1));
    assert!(scope.using(async |_| ()).await.is_err());
    assert_eq!(
        ledger.trace(),
        "try1 +in1 fail1 ~in1 -in1 try2 +in2 fail2 ~in2 -in2"
    );
}

/// What an overdue attempt had open ends elsewhere, and an exit that it had started is told as overdue.
pub async fn an_overdue_attempt<R: Runtime>(rt: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let log = ledger.clone();
    let scope = releasing(&rt, (), async move |(), _| {
        let hangs = log.scope("hangs").exit_hangs();
        log.scope("waits")
            .with(async |_| hangs.with(async |_| ok(())).await)
            .await
    })
    .within(SOON)
    .or_else(async |(), _| Ok(()))
    .named("overdue.attempt");
    assert!(scope.using(async |()| ()).await.is_ok());
    ledger.settled().await;
    assert_eq!(ledger.trace(), "+waits +hangs ~hangs !hangs ~waits -waits");
    let told = lost.containing("overdue.attempt, step 1, attempt 1");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("has not ended in its time"), "{told:?}");
}

/// A value with a close of its own, which succeeds in the end.
pub async fn a_close_that_is_tried_again<R: Runtime>(rt: R) {
    struct Stubborn(Arc<AtomicU32>);
    impl Close for Stubborn {
        type Error = Injected;

        async fn close(&mut self) -> Result<(), Injected> {
            yield_times(1).await;
            match self.0.fetch_add(1, Ordering::Relaxed) {
                0 | 1 => failed("stubborn.close"),
                _ => Ok(()),
            }
        }
    }
    let lost = LostErrors::listen();
    let closed = Arc::new(AtomicU32::new(0));
    let scope = closing(Stubborn(closed.clone())).retrying(&rt, Backoff::times(9));
    assert!(scope.using(async |_| ()).await.is_ok());
    assert_eq!(closed.load(Ordering::Relaxed), 3);
    let told = lost.containing("stubborn.close");
    assert_eq!(told.len(), 2);
    assert!(
        told[1].starts_with("exit of `Stubborn, step 1, attempt 2`"),
        "{told:?}"
    );
}

/// A scope that is released in the third attempt, beside others; and a body.
async fn stubborn<R: Runtime>(rt: R, ledger: Ledger) -> Result<(), Report> {
    type Opened = Option<Open<Traced>>;
    async fn close(opened: &mut Opened, outcome: Outcome<'_>) -> Result<(), Injected> {
        match opened.take() {
            Some(open) => open.close(outcome).await.map(drop),
            None => Ok(()),
        }
    }
    let (outer, soft, hard) = (ledger.clone(), ledger.clone(), ledger.clone());
    let scope = acquire(async move || outer.scope("o").yields(1).open().await.map(Some))
        .releasing(&rt, async move |_: &mut Opened, _| {
            let inner = soft.scope("s").yields(1);
            inner.with(async |_| soft.point("soft")).await?;
            failed("soft")
        })
        .or_else(async move |opened, outcome| {
            hard.point("hard")?;
            close(opened, outcome).await
        })
        .retry(Backoff::times(1))
        .or_else(close);
    scope
        .with(async |opened| {
            let opened = opened.as_ref().map(|open| &**open);
            let inner = ledger.scope("b").yields(1);
            let inner = match opened {
                Some(outer) => inner.inside(outer),
                None => inner,
            };
            inner.with(async |_| Ok(ledger.point("body")?)).await
        })
        .await
}

/// Dropped at every poll, and cancelled at every poll.
pub async fn at_every_poll<R: Runtime>(rt: R) {
    let polls = drop_sweep(|ledger| stubborn(rt.clone(), ledger.clone())).await;
    for at in 0..polls {
        let ledger = Ledger::new();
        let signal = async {
            yield_times(at).await;
            Reason::Requested("enough")
        };
        // What is to be told is told in either way.
        let _ = until(signal, stubborn(rt.clone(), ledger.clone())).await;
        assert_eq!(ledger.live(), 0, "{}", ledger.trace());
        ledger.check();
    }
}

/// An error and a panic at every point, and each pair of them.
pub async fn every_fault<R: Runtime>(rt: R) {
    let runs = fault_sweep(|ledger| stubborn(rt.clone(), ledger.clone())).await;
    assert!(runs > 60, "{runs}");
}
