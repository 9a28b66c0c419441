//! Deadlines that are moved while their timeout runs.

use std::future::pending;
use std::time::Duration;

use futures::channel::oneshot;
use withal_core::{
    Deadline, Entry, Kind, Runtime, ScopeExt, Task, TooLate, acquire, timeout, timeout_with,
};

use crate::conformance::dropping::{check_outcomes, three};
use crate::cut::{caught, cut_after, poll_once, yield_now, yield_times};
use crate::drop_sweep::{drop_sweep, drop_sweep_and};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, Ledger, ok};

const SOON: Duration = Duration::from_millis(1);
const LATER: Duration = Duration::from_millis(8);
const FOREVER: Duration = Duration::from_secs(1 << 30);
const TIMEOUT: &str = "cancelled: the time was up";

/// What the body is handed says when its time is over; left alone it is as a timeout.
pub async fn left_alone<R: Runtime>(rt: R) {
    let before = rt.now();
    let ended = timeout_with(&rt, FOREVER, async |deadline| {
        let when = deadline.when().expect("it has a limit");
        assert!(when >= before + FOREVER && when <= rt.now() + FOREVER);
        assert!(deadline.time_left() <= Some(FOREVER));
        assert!(!deadline.has_struck());
        yield_now().await;
        assert_eq!(deadline.when(), Some(when));
        7
    });
    assert_eq!(ended.await.ok(), Some(7));
    let ledger = Ledger::new();
    let body = async |_| {
        ledger
            .scope("a")
            .using(async |_| pending::<()>().await)
            .await
    };
    let elapsed = timeout_with(&rt, SOON, body).await.unwrap_err();
    assert_eq!(elapsed.to_string(), "the time of 1ms was up");
    let kinds: Vec<_> = elapsed.exits().iter().map(Entry::kind).collect();
    assert_eq!(kinds, [Kind::Finished]);
    assert_eq!(ledger.outcome("a").as_deref(), Some(TIMEOUT));
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// The clock starts at the first poll; a limit that is zero polls once; one beyond the end of time is none.
pub async fn when_the_clock_starts<R: Runtime>(rt: R) {
    let late = timeout_with(&rt, LATER, async |_| 1);
    rt.sleep(LATER + SOON).await;
    assert_eq!(late.await.ok(), Some(1));
    // Moved before that, it is where it was moved to.
    for (moved, ends) in [
        (Some(FOREVER), Ok(2)),
        (Some(Duration::ZERO), Err(())),
        (None, Ok(2)),
    ] {
        let mut escaped = None;
        let early = timeout_with(&rt, LATER, |deadline| {
            escaped = Some(deadline);
            async {
                yield_times(3).await;
                2
            }
        });
        let deadline = escaped.expect("it is given at once");
        assert_eq!((deadline.when(), deadline.time_left()), (None, Some(LATER)));
        let moved = moved.map(|time| rt.now() + time);
        assert_eq!(
            moved.map_or_else(|| deadline.disarm(), |at| deadline.rearm_at(at)),
            Ok(())
        );
        assert_eq!(deadline.when(), moved);
        assert_eq!(early.await.map_err(drop), ends);
        assert_eq!(deadline.has_struck(), ends.is_err());
    }
    let zero = Duration::ZERO;
    assert_eq!(timeout_with(&rt, zero, async |_| 2).await.ok(), Some(2));
    let endless = timeout_with(&rt, zero, async |_| yield_times(1 << 20).await);
    assert!(endless.await.is_err());
    let never = timeout_with(&rt, Duration::MAX, async |deadline: Deadline<R>| {
        assert_eq!(deadline.when(), Some(Duration::MAX));
        rt.sleep(SOON).await;
        assert_eq!(deadline.rearm_after(Duration::MAX), Ok(()));
        assert_eq!(deadline.rearm_at(Duration::MAX), Ok(()));
        rt.sleep(SOON).await;
        assert_eq!(deadline.when(), Some(Duration::MAX));
        3
    });
    assert_eq!(never.await.ok(), Some(3));
}

/// Moved to an earlier time, it strikes at that time, although nothing else wakes the body.
pub async fn moved_to_an_earlier_time<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let elapsed = timeout_with(&rt, FOREVER, async |deadline| {
        let start = deadline.when().map(|when| when - FOREVER);
        let at = start.map(|start| start + LATER).expect("it has a limit");
        let body = ledger.scope("a").using(async |_| {
            assert_eq!(deadline.rearm_at(at), Ok(()));
            pending::<()>().await;
        });
        body.await
    });
    // How much time there was in all, wherever the deadline was meanwhile.
    let elapsed = elapsed.await.unwrap_err();
    assert_eq!(elapsed.to_string(), "the time of 8ms was up");
    assert_eq!(ledger.outcome("a").as_deref(), Some(TIMEOUT));
}

/// A time that has passed strikes at once: the body has one await at most.
pub async fn moved_to_the_past<R: Runtime>(rt: R) {
    for time in 0..4 {
        let mut polls = 0;
        let ended = timeout_with(&rt, FOREVER, async |deadline| {
            match time {
                0 => deadline.rearm_after(Duration::ZERO),
                1 => deadline.rearm_at(Duration::ZERO),
                2 => deadline.rearm_at(rt.now()),
                _ => deadline.rearm_at(deadline.when().unwrap_or_default() - FOREVER),
            }
            .expect("it runs");
            loop {
                polls += 1;
                yield_now().await;
            }
        });
        let ended: Result<(), _> = ended.await;
        assert!(ended.is_err());
        assert!(polls <= 2, "{polls}");
    }
    // A body that ends in that very poll has ended in time.
    let ended = timeout_with(&rt, FOREVER, async |deadline| {
        deadline.rearm_after(Duration::ZERO).is_ok()
    });
    assert_eq!(ended.await.ok(), Some(true));
}

/// Moved to a later time, it does not strike at the old one.
pub async fn moved_to_a_later_time<R: Runtime>(rt: R) {
    let ended = timeout_with(&rt, LATER, async |deadline| {
        // The first poll has as much time as it takes.
        assert_eq!(deadline.rearm_after(FOREVER), Ok(()));
        rt.sleep(2 * LATER).await;
        deadline.time_left() > Some(FOREVER / 2)
    });
    assert_eq!(ended.await.ok(), Some(true));
}

/// Without a limit it does not strike; and it can be armed again.
pub async fn disarmed<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let ended = timeout_with(&rt, LATER, async |deadline| {
        assert_eq!(deadline.disarm(), Ok(()));
        assert_eq!((deadline.when(), deadline.time_left()), (None, None));
        rt.sleep(2 * LATER).await;
        ledger.say("still there");
        assert_eq!(deadline.rearm_after(SOON), Ok(()));
        pending::<()>().await;
    });
    assert!(ended.await.is_err());
    assert_eq!(ledger.trace(), "still there");
}

/// By another task, which may run on another thread.
pub async fn moved_by_somebody_else<R: Runtime>(rt: R) {
    let ended = timeout_with(&rt, FOREVER, async |deadline: Deadline<R>| {
        let theirs = deadline.clone();
        rt.spawn(Task::new(async move {
            yield_times(3).await;
            assert_eq!(theirs.rearm_after(Duration::ZERO), Ok(()));
        }));
        pending::<()>().await;
    });
    assert!(ended.await.is_err());
    let (moved, is_moved) = oneshot::channel();
    let ended = timeout_with(&rt, FOREVER, async |deadline: Deadline<R>| {
        let theirs = deadline.clone();
        rt.spawn(Task::new(async move {
            let _ = moved.send(theirs.disarm());
        }));
        assert_eq!(is_moved.await, Ok(Ok(())));
        deadline.when()
    });
    assert_eq!(ended.await.ok(), Some(None));
}

/// When it has struck, or the timeout has ended in whichever way, it is refused, and says why.
pub async fn too_late<R: Runtime>(rt: R) {
    let refuses = |deadline: &Deadline<R>, why: TooLate| {
        let when = deadline.when();
        assert_eq!(deadline.rearm_after(FOREVER), Err(why));
        assert_eq!(deadline.rearm_at(FOREVER), Err(why));
        assert_eq!(deadline.disarm(), Err(why));
        assert_eq!(deadline.when(), when);
        assert_eq!(deadline.has_struck(), why == TooLate::Struck);
    };
    // In an exit, which runs because it has struck; and afterwards.
    let (escape, escaped) = oneshot::channel();
    let body = async |deadline: Deadline<R>| {
        let inside = deadline.clone();
        let scope = acquire(async || ok(deadline)).release(async move |_, _| {
            yield_now().await;
            assert_eq!(inside.disarm(), Err(TooLate::Struck));
            let _ = escape.send(inside);
            ok(())
        });
        scope.using(async |_| pending::<()>().await).await
    };
    assert!(timeout_with(&rt, SOON, body).await.is_err());
    refuses(&escaped.await.expect("it has run"), TooLate::Struck);
    // Ended in time, by itself.
    let ended = timeout_with(&rt, FOREVER, async |deadline| deadline).await;
    refuses(&ended.expect("it is in time"), TooLate::Ended);
    // Ended, and the future is still there.
    let mut ended = Box::pin(timeout_with(&rt, FOREVER, async |deadline| deadline));
    let std::task::Poll::Ready(deadline) = poll_once(&mut ended).await else {
        panic!("it does not wait");
    };
    refuses(&deadline.expect("it is in time"), TooLate::Ended);
    // Dropped.
    let (escape, mut escaped) = oneshot::channel();
    let body = async |deadline: Deadline<R>| {
        let _ = escape.send(deadline);
        pending::<()>().await;
    };
    drop(cut_after(1, timeout_with(&rt, FOREVER, body)).await);
    let deadline = escaped.try_recv().ok().flatten();
    refuses(&deadline.expect("it has run"), TooLate::Ended);
    assert_eq!(
        TooLate::Struck.to_string(),
        "the deadline has struck already"
    );
}

/// One inside of another: each is moved by itself, and the outer one is never hidden by the inner.
pub async fn nested<R: Runtime>(rt: R) {
    // The outer one is moved from inside, and cuts both.
    let ledger = Ledger::new();
    let ended = timeout_with(&rt, FOREVER, async |outer| {
        let inner = timeout_with(&rt, FOREVER, async |inner| {
            assert_eq!(inner.disarm(), Ok(()));
            let body = ledger.scope("a").using(async |_| {
                assert_eq!(outer.rearm_after(Duration::ZERO), Ok(()));
                pending::<()>().await;
            });
            body.await
        });
        let ended = inner.await.is_ok();
        ledger.say("unreachable");
        ended
    });
    assert!(ended.await.is_err());
    assert_eq!(ledger.trace(), "+a ~a -a");
    // The inner one is moved, and the outer one goes on.
    let ended = timeout_with(&rt, FOREVER, async |outer| {
        let inner = timeout_with(&rt, FOREVER, async |inner| {
            assert_eq!(inner.rearm_after(Duration::ZERO), Ok(()));
            pending::<()>().await;
        });
        assert!(inner.await.is_err());
        assert!(!outer.has_struck());
        // It still strikes.
        assert_eq!(outer.rearm_after(Duration::ZERO), Ok(()));
        pending::<()>().await;
    });
    assert!(ended.await.is_err());
    // Both at the same time: the next await is cut by the outer one.
    let at = rt.now() + SOON;
    let both = timeout_with(&rt, FOREVER, async |outer: Deadline<R>| {
        assert_eq!(outer.rearm_at(at), Ok(()));
        let inner = timeout_with(&rt, FOREVER, async |inner: Deadline<R>| {
            assert_eq!(inner.rearm_at(at), Ok(()));
            pending::<()>().await;
        });
        let _ = inner.await;
        pending::<()>().await;
    });
    assert!(both.await.is_err());
}

/// In an exit, also one that runs because a deadline has struck.
pub async fn inside_of_an_exit<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let (timer, log) = (rt.clone(), ledger.clone());
    let scope = acquire(async || ok(())).release(async move |(), _| {
        let ended = timeout_with(&timer, FOREVER, async |deadline| {
            yield_now().await;
            log.say("flush");
            assert_eq!(deadline.rearm_after(Duration::ZERO), Ok(()));
            pending::<()>().await;
        });
        assert!(ended.await.is_err());
        log.say("released");
        ok(())
    });
    let body = scope.using(async |()| pending::<()>().await);
    assert!(timeout(&rt, SOON, body).await.is_err());
    assert_eq!(ledger.trace(), "flush released");
}

/// The errors and panics of the body are its own.
pub async fn bodies_that_fail<R: Runtime>(rt: R) {
    hush_injected_panics();
    let failed = timeout_with(&rt, FOREVER, async |_| {
        yield_now().await;
        Err::<(), _>(Injected("body".to_owned()))
    });
    assert_eq!(failed.await.unwrap(), Err(Injected("body".to_owned())));
    let (escape, mut escaped) = oneshot::channel();
    let panics = timeout_with(&rt, FOREVER, async |deadline: Deadline<R>| {
        let _ = escape.send(deadline);
        yield_now().await;
        panic!("injected panic: body");
    });
    let said = caught(panics).await.map(|ended| ended.is_ok());
    assert_eq!(said, Err("injected panic: body".to_owned()));
    let deadline = escaped.try_recv().ok().flatten().expect("it has run");
    assert_eq!(deadline.disarm(), Err(TooLate::Ended));
}

/// Dropped at every poll, before and after it was moved, with and without a grace.
pub async fn dropped_at_every_poll<R: Runtime>(rt: R) {
    for strikes in [false, true] {
        let body = |ledger: &Ledger| {
            let ledger = ledger.clone();
            async move |deadline: Deadline<R>| {
                let outer = ledger.scope("o").yields(1);
                let moving = async |_: &mut _| {
                    let time = if strikes { Duration::ZERO } else { FOREVER };
                    let _ = deadline.rearm_after(time);
                    three(ledger.clone()).await
                };
                outer.with(moving).await
            }
        };
        drop_sweep_and(
            |ledger| timeout_with(&rt, FOREVER, body(ledger)),
            |ledger, completed| {
                if completed && strikes {
                    check_outcomes(ledger, &["o", "a"], TIMEOUT);
                }
            },
        )
        .await;
        drop_sweep(|ledger| timeout_with(&rt, FOREVER, body(ledger)).grace(FOREVER)).await;
    }
}
