//! Releasing by attempts in company: deadlines and cancelling around it, panics from everywhere, the combinators.

use std::error::Error;
use std::future::{Ready, pending};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use withal_core::{
    Armed, Backoff, Bracket, Close, ExitStack, Kind, Launch, Member, Or, Outcome, Overdue, Peek,
    Phase, Report, ScopeExt, Timer, acquire, closing, releasing, timeout,
};
use withal_testing::{
    Ledger, LostErrors, Manual, block_on, caught, cut_after, hush_injected_panics, run,
};

use crate::escalate::{End, Failed, ms, policy};

#[test]
fn the_same_outcome_and_the_same_value_for_each() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let ended = run(|rt| async move {
        let step = async move |tries: &mut u32, outcome: Outcome<'_>| {
            *tries += 1;
            log.lock().unwrap().push(format!("{tries} {outcome}"));
            Err::<(), _>(Failed("step".to_owned()))
        };
        let scope = releasing(&rt, 0, step.clone())
            .retry(Backoff::times(1))
            .or_else(step);
        scope
            .with(async |_| Err::<(), Report>(Failed("body".to_owned()).into()))
            .await
    });
    assert_eq!(ended.unwrap_err().len(), 4);
    let body = "failure: failed: body";
    let expected = [1, 2, 3].map(|n| format!("{n} {body}"));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn a_deadline_around_it_bounds_all_steps_and_loses_nothing() {
    run(|rt| async move {
        let lost = LostErrors::listen();
        let tries = Arc::new(AtomicU32::new(0));
        let counted = tries.clone();
        let scope = releasing(&rt, (), async move |(), _| {
            match counted.fetch_add(1, Ordering::Relaxed) {
                0 => Err(Failed("bounded.first".to_owned())),
                1 => pending().await,
                n => Err(Failed(format!("bounded.{n}"))),
            }
        })
        .retry(Backoff::times(2).starting_at(ms(100)))
        .or_else(async |(), _| pending().await)
        .exit_within(&rt, ms(1000));
        let ended = scope.using(async |()| ()).await;
        assert!(matches!(ended, Err(Or::B(Overdue { limit, .. })) if limit == ms(1000)));
        assert_eq!(rt.now(), ms(1000));
        assert_eq!(tries.load(Ordering::Relaxed), 2);
        assert_eq!(lost.containing("bounded.first").len(), 1);
    });
}

#[test]
fn an_attempt_that_was_in_time_counts_although_what_it_has_left_behind_was_not() {
    run(|rt| async move {
        let ledger = Ledger::new();
        let log = ledger.clone();
        let timer = rt.clone();
        let scope = releasing(&rt, (), async move |(), _| {
            let timer = timer.clone();
            let left = acquire(async || log.scope("left").open().await).release(
                async move |open, outcome| {
                    timer.sleep(ms(900)).await;
                    open.close(outcome).await.map(drop)
                },
            );
            drop(cut_after(1, left.using(async |_| pending::<()>().await)).await);
            Ok::<_, Failed>(())
        })
        .within(ms(500))
        .or_else(async |(), _| panic!("it is released"));
        assert!(scope.using(async |()| ()).await.is_ok());
        assert_eq!(rt.now(), ms(500));
        assert_eq!(ledger.trace(), "+left");
        // What it has left behind goes on at its home.
        ledger.settled().await;
        assert_eq!(ledger.trace(), "+left ~left -left");
    });
}

#[test]
fn each_step_is_told_with_its_own_line() {
    let rt = Manual::new();
    let fails = async |(): &mut (), _: Outcome<'_>| Err::<(), _>(Failed("x".to_owned()));
    let (first, scope) = (line!(), releasing(&rt, (), fails));
    let (second, scope) = (line!(), scope.or_else(fails).named("lines"));
    let report = block_on(scope.using(async |()| ())).unwrap_err();
    let lines: Vec<_> = report
        .entries()
        .filter_map(|e| Some(e.location()?.line()))
        .collect();
    assert_eq!(lines, [first, second]);
}

#[test]
fn cancelling_does_not_stop_it_half_way() {
    run(|rt| async move {
        let seen = Arc::new(Mutex::new(String::new()));
        let log = seen.clone();
        let timer = rt.clone();
        let scope = releasing(&rt, 0, async move |tries: &mut u32, outcome| {
            *tries += 1;
            *log.lock().unwrap() = outcome.to_string();
            timer.sleep(ms(400)).await;
            if *tries == 3 {
                return Ok(());
            }
            Err(Failed(format!("cancelled.{tries}")))
        })
        .retry(Backoff::times(2).starting_at(ms(100)))
        .named("cancelled");
        let elapsed = timeout(&rt, ms(1000), scope.using(async |_| pending::<()>().await));
        let elapsed = elapsed.await.unwrap_err();
        assert_eq!(rt.now(), ms(1000 + 3 * 400 + 2 * 100));
        assert_eq!(*seen.lock().unwrap(), "cancelled: the time was up");
        let exits: Vec<_> = elapsed
            .exits()
            .iter()
            .map(|e| (e.scope(), e.kind()))
            .collect();
        assert_eq!(
            exits,
            [
                (Some("cancelled, step 1, attempt 1"), Kind::Failed),
                (Some("cancelled, step 1, attempt 2"), Kind::Failed),
                (Some("cancelled"), Kind::Finished),
            ]
        );
    });
}

/// A value whose drop panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("injected panic: bomb");
    }
}

#[test]
fn a_panic_of_the_values_drop_takes_nothing_along() {
    hush_injected_panics();
    let lost = LostErrors::listen();
    let ends = |end: End, name: &'static str| {
        let rt = Manual::new();
        let scope = releasing(&rt, Bomb, async move |_, _| match end {
            End::Ok => Ok(()),
            End::Panic => panic!("injected panic: {name}"),
            _ => Err(Failed(name.to_owned())),
        });
        rt.block_on(caught(scope.using(async |_| ()))).unwrap_err()
    };
    assert_eq!(ends(End::Ok, "dropped.ok"), "injected panic: bomb");
    assert_eq!(ends(End::Err, "dropped.err"), "injected panic: bomb");
    assert_eq!(lost.containing("dropped.err").len(), 1);
    assert_eq!(
        ends(End::Panic, "dropped.panic"),
        "injected panic: dropped.panic"
    );
    assert_eq!(lost.containing("exit of `Bomb`").len(), 1);
}

/// A timer that panics whatever it is asked.
#[derive(Clone)]
struct Broken;

impl Timer for Broken {
    type Sleep = Ready<()>;

    fn now(&self) -> Duration {
        panic!("injected panic: broken clock")
    }

    fn sleep_until(&self, _: Duration) -> Ready<()> {
        panic!("injected panic: broken alarm")
    }
}

#[test]
fn a_broken_timer_does_not_cost_the_release() {
    hush_injected_panics();
    let lost = LostErrors::listen();
    let bad_policy = Backoff::times(9).adjusted_by(|_, _| panic!("injected panic: policy"));
    let scope = releasing(&Broken, 0, async |tries: &mut u32, _| {
        *tries += 1;
        withal_testing::yield_now().await;
        if *tries == 3 {
            panic!("injected panic: the third")
        }
        Err(Failed("broken".to_owned()))
    })
    .within(ms(1))
    .retry(Backoff::times(1).starting_at(ms(1)))
    .or_else(async |_, _| Err(Failed("broken".to_owned())))
    .retry(bad_policy)
    .named("broken.timer");
    let report = block_on(scope.using(async |_| ())).unwrap_err();
    assert_eq!(report.len(), 3);
    assert!(report.entries().all(|entry| entry.took().is_none()));
    assert_eq!(lost.containing("injected panic: policy").len(), 1);
    assert!(
        !lost
            .containing("broken.timer, step 1, attempt 1")
            .is_empty()
    );
}

#[test]
fn an_enter_that_fails_releases_nothing() {
    let rt = Manual::new();
    let scope = || {
        acquire(async || Err::<u32, _>(io::Error::other("no answer")))
            .releasing(&rt, async |_, _| panic!("there is nothing to release"))
            .named("db")
    };
    let report: Report = block_on(scope().with(async |n| Ok(*n))).unwrap_err();
    assert_eq!(report.len(), 1);
    let entry = report.primary();
    assert_eq!((entry.phase(), entry.scope()), (Phase::Enter, Some("db")));
    let error: io::Error = block_on(scope().with(async |n| Ok(*n))).unwrap_err();
    assert_eq!(error.to_string(), "no answer");
}

/// A value with a close of its own.
struct Socket(u32);

impl Close for Socket {
    type Error = io::Error;

    async fn close(&mut self) -> io::Result<()> {
        self.0 += 1;
        Err(io::Error::other(format!("busy {}", self.0)))
    }
}

#[test]
fn a_close_may_be_followed_by_other_steps() {
    run(|rt| async move {
        let scope = closing(Socket(0))
            .retrying(&rt, Backoff::times(1))
            .or_else(async |socket, _| Err(io::Error::other(format!("kill {}", socket.0))));
        let report = scope.using(async |_| ()).await.unwrap_err();
        let texts: Vec<_> = report.entries().map(ToString::to_string).collect();
        assert!(texts[0].starts_with("exit of `Socket, step 1, attempt 1`"));
        assert!(texts[0].ends_with("busy 1"), "{texts:?}");
        assert!(texts[1].ends_with("busy 2"), "{texts:?}");
        assert!(texts[2].ends_with("kill 2"), "{texts:?}");
    });
}

fn send<F: Send>(future: F) -> F {
    future
}

#[test]
fn every_combinator_takes_it_and_all_is_send() {
    async fn goodbye(n: &mut u32, _: Outcome<'_>) -> io::Result<()> {
        *n += 1;
        Ok(())
    }
    let rt = Manual::new();
    let text = String::from("borrowed");
    let scope = || acquire(async || io::Result::Ok(7)).releasing(&rt, goodbye);
    let plus = async |n: &mut u32| *n as usize + text.len();
    assert_eq!(block_on(send(scope().using(plus))).unwrap(), 15);
    assert_eq!(block_on(send(scope().named("a").using(plus))).unwrap(), 15);
    assert_eq!(
        block_on(send(scope().view_as(|n| n).using(plus))).unwrap(),
        15
    );
    let bounded = scope().exit_within(&rt, ms(1));
    assert!(block_on(send(bounded.using(plus))).is_ok());
    let boxed = acquire(async || io::Result::Ok(7))
        .releasing(&rt, goodbye)
        .protected()
        .boxed();
    assert_eq!(block_on(send(boxed.using(plus))).unwrap(), 15);
    let open = block_on(send(scope().open())).unwrap();
    assert_eq!(**send(&open), 7); // `Sync`, too
    block_on(send(open.close(Outcome::Success))).unwrap();
    let value = releasing(&rt, 7, goodbye).or_else(goodbye);
    assert_eq!(block_on(send(value.using(plus))).unwrap(), 15);
    assert_eq!(
        block_on(send(
            closing(Socket(7))
                .retrying(&rt, Backoff::times(1))
                .with(async |s| Ok::<_, Report>(s.0))
        ))
        .unwrap_err()
        .len(),
        2
    );
}

#[test]
fn spawned_with_captures() {
    async fn work(rt: Manual, names: Vec<String>) -> Result<usize, Box<dyn Error + Send + Sync>> {
        let first = names[0].clone();
        let scope = acquire(async || Ok::<_, Failed>(names.len()))
            .releasing(&rt, async move |_, _| {
                withal_testing::yield_now().await;
                if first.is_empty() {
                    Ok(())
                } else {
                    Err(Failed(first.clone()))
                }
            })
            .retry(policy(1));
        scope.with(async |n| Ok(*n + "3".parse::<usize>()?)).await
    }
    let ended = run(|rt| send(work(rt, vec![String::new()])));
    assert_eq!(ended.unwrap(), 4);
    let failed = run(|rt| send(work(rt, vec!["x".to_owned()]))).unwrap_err();
    assert_eq!(failed.to_string(), "failed: x");
    let failed = failed.downcast_ref::<Failed>();
    assert_eq!(failed, None, "it is a report of two");
}

#[test]
fn it_comes_apart_as_a_member() {
    async fn through<S: Member<Held: 'static> + Peek<View = u32>>(
        scope: S,
    ) -> Result<S::Verdict, S::Error> {
        let mut held = scope.begin(Armed::here()).await?;
        *S::view(&mut held) += 1;
        let (part, rest) = S::part(held);
        let held = S::whole(part, rest);
        assert_eq!(S::peek(&held), &8);
        <S as Bracket>::end(held, Outcome::Success).await
    }
    let rt = Manual::new();
    let scope = releasing(&rt, 7, async |n: &mut u32, _| Err(Failed(n.to_string())));
    let report = block_on(through(scope)).unwrap_err();
    assert_eq!(report.downcast::<Failed>().unwrap(), Failed("8".to_owned()));
}

#[test]
fn as_an_entry_of_a_stack_every_attempt_is_told_in_its_place() {
    run(|rt| async move {
        let fails = |name: &'static str| {
            let step = async move |n: &mut u32, _: Outcome<'_>| Err(Failed(format!("{name}{n}")));
            releasing(&rt, 1, step)
                .retry(Backoff::times(1).starting_at(ms(100)))
                .named(name)
        };
        let ended = ExitStack::with(async |stack| {
            *stack.enter(fails("a")).await? += 1;
            stack.defer(async || Err::<(), _>(Failed("between".to_owned())));
            stack.enter(fails("b")).await?;
            Err::<(), Report>(Failed("body".to_owned()).into())
        });
        let report = ended.await.unwrap_err();
        let found = report.entries().map(|e| e.downcast_ref::<Failed>());
        let found: Vec<_> = found.map(|failed| failed.map_or("", |f| &f.0)).collect();
        assert_eq!(found, ["body", "b1", "b1", "between", "a2", "a2"]);
        assert_eq!(report.others()[4].scope(), Some("a, step 1, attempt 2"));
        assert_eq!(rt.now(), ms(200));
    });
}
