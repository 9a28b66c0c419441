//! Budgets and moved deadlines to the millisecond, on the manual clock.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::pin::Pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use withal_core::{
    Backoff, Deadline, ExitStack, Outcome, Report, ScopeExt, Timer, acquire, forced, forcefully,
    is_forced, releasing, time_left, timeout, timeout_with,
};
use withal_testing::{Injected, Ledger, Manual, cut_after, poll_once, run, yield_now};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What exits have read.
#[derive(Clone, Default)]
struct Read(Arc<Mutex<Vec<Option<u64>>>>);

impl Read {
    fn read(&self) {
        let left = time_left().map(|left| u64::try_from(left.as_millis()).unwrap());
        self.0.lock().unwrap().push(left);
    }

    fn take(&self) -> Vec<Option<u64>> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Reads, waits for 100 ms, and reads.
    async fn twice(self, rt: Manual) {
        self.read();
        rt.sleep(ms(100)).await;
        self.read();
    }
}

#[test]
fn what_is_left_runs_down() {
    run(|rt| async move {
        let read = Read::default();
        let scope = || {
            let (rt, read) = (rt.clone(), read.clone());
            acquire(async || Ok::<_, Injected>(()))
                .release(async move |(), _| Ok::<(), Injected>(read.twice(rt).await))
        };
        let bounded = scope().exit_within(&rt, ms(500));
        assert!(bounded.using(async |()| ()).await.is_ok());
        assert_eq!(read.take(), [Some(500), Some(400)]);
        // The clock of a grace starts when the deadline strikes, that of an exit when it waits.
        let body = scope().exit_within(&rt, ms(300));
        let body = scope().using(async |()| body.using(async |()| pending::<()>().await).await);
        assert!(timeout(&rt, ms(50), body).grace(ms(350)).await.is_err());
        let seen = [Some(300), Some(200), Some(250), Some(150)];
        assert_eq!(read.take(), seen);
        // A stack: of the whole 450, 300 for each.
        let stack = ExitStack::new().within(&rt, ms(450));
        let stack = stack.each_within(&rt, ms(300));
        for _ in 0..3 {
            drop(stack.enter(scope()).await);
        }
        assert!(stack.close(Outcome::Success).await.is_ok());
        let seen = [300, 200, 300, 200, 250, 150].map(Some);
        assert_eq!(read.take(), seen);
        // All at once.
        let stack = ExitStack::new().within(&rt, ms(450)).concurrent(2);
        for _ in 0..2 {
            drop(stack.enter(scope()).await);
        }
        assert!(stack.close(Outcome::Success).await.is_ok());
        assert_eq!(read.take(), [450, 450, 350, 350].map(Some));
        // A child keeps to what its parent has left.
        let stack = ExitStack::new().within(&rt, ms(450));
        drop(stack.fork().enter(scope()).await);
        drop(stack.enter(scope()).await);
        assert!(stack.close(Outcome::Success).await.is_ok());
        assert_eq!(read.take(), [450, 350, 350, 250].map(Some));
    });
}

#[test]
fn each_attempt_has_its_own_time() {
    run(|rt| async move {
        let (read, timer) = (Read::default(), rt.clone());
        let log = read.clone();
        let scope = releasing(&rt, (), async move |(), _| {
            log.clone().twice(timer.clone()).await;
            Err::<(), _>(Injected("again".to_owned()))
        });
        let scope = scope
            .within(ms(200))
            .retry(Backoff::times(1).starting_at(ms(10)));
        let scope = scope.exit_within(&rt, ms(230));
        assert!(scope.using(async |()| ()).await.is_err());
        assert_eq!(read.take(), [200, 100, 120, 20].map(Some));
    });
}

#[test]
fn clocks_that_differ_are_compared_by_what_is_left() {
    run(|rt| async move {
        let other = Manual::new();
        other.advance(Duration::from_secs(1_000_000));
        for (first, second) in [(&rt, &other), (&other, &rt)] {
            let read = Read::default();
            let inner = read.clone();
            let scope = || {
                let inner = inner.clone();
                acquire(async || Ok::<_, Report>(())).release(async move |(), _: Outcome<'_>| {
                    inner.read();
                    yield_now().await;
                    Ok::<(), Report>(inner.read())
                })
            };
            let bounded = scope()
                .exit_within(first, ms(300))
                .exit_within(second, ms(200));
            assert!(bounded.using(async |()| ()).await.is_ok());
            assert_eq!(read.take(), [Some(200), Some(200)]);
            let bounded = scope()
                .exit_within(first, ms(200))
                .exit_within(second, ms(300));
            assert!(bounded.using(async |()| ()).await.is_ok());
            assert_eq!(read.take(), [Some(200), Some(200)]);
            // A child with a clock of its own.
            for (whole, child) in [(300, 200), (200, 300)] {
                let stack = ExitStack::new().within(first, ms(whole));
                let child = stack.fork().within(second, ms(child));
                drop(child.enter(scope()).await);
                assert!(stack.close(Outcome::Success).await.is_ok());
                assert_eq!(read.take(), [Some(200), Some(200)]);
            }
        }
    });
}

#[test]
fn a_deadline_strikes_where_it_was_moved_to() {
    run(|rt| async move {
        let at = |moves: fn(&Deadline<Manual>)| {
            let rt = rt.clone();
            async move {
                let start = rt.now();
                let timer = rt.clone();
                let elapsed = timeout_with(&rt, ms(1000), async |deadline| {
                    timer.sleep(ms(100)).await;
                    moves(&deadline);
                    pending::<()>().await;
                });
                let text = elapsed.await.unwrap_err().to_string();
                let took = rt.now() - start;
                assert_eq!(text, format!("the time of {took:?} was up"));
                took
            }
        };
        assert_eq!(at(|_| ()).await, ms(1000));
        assert_eq!(at(|d| d.rearm_after(ms(200)).unwrap()).await, ms(300));
        assert_eq!(at(|d| d.rearm_after(ms(2000)).unwrap()).await, ms(2100));
        assert_eq!(
            at(|d| d.rearm_after(Duration::ZERO).unwrap()).await,
            ms(100)
        );
        let earlier = |d: &Deadline<Manual>| d.rearm_at(d.when().unwrap() - ms(500)).unwrap();
        assert_eq!(at(earlier).await, ms(500));
        let again = |d: &Deadline<Manual>| {
            d.disarm().unwrap();
            assert_eq!(d.time_left(), None);
            d.rearm_after(ms(5000)).unwrap();
            assert_eq!(d.time_left(), Some(ms(5000)));
            d.rearm_after(ms(50)).unwrap();
        };
        assert_eq!(at(again).await, ms(150));
        // Again and again, as for a connection that is idle.
        let elapsed = timeout_with(&rt, ms(100), async |idle| {
            for _ in 0..50 {
                rt.sleep(ms(90)).await;
                idle.rearm_after(ms(100)).unwrap();
            }
            pending::<()>().await;
        });
        let elapsed = elapsed.await.unwrap_err();
        assert_eq!(elapsed.to_string(), "the time of 4.6s was up");
    });
}

/// A body that is only woken by its deadline is polled no more often than that is moved.
#[test]
fn a_later_deadline_wakes_nobody() {
    run(|rt| async move {
        let polls = Cell::new(0);
        let mut escaped = None;
        let mut timed = Box::pin(timeout_with(&rt, ms(1000), |deadline| {
            escaped = Some(deadline);
            std::future::poll_fn(|_| {
                polls.set(polls.get() + 1);
                std::task::Poll::<()>::Pending
            })
        }));
        let deadline = escaped.unwrap();
        assert!(poll_once(&mut timed).await.is_pending());
        let both = async {
            for _ in 0..100 {
                deadline.rearm_after(ms(2000)).unwrap();
                yield_now().await;
            }
            assert_eq!(polls.get(), 1);
            assert!(timed.await.is_err());
        };
        both.await;
        assert_eq!(rt.now(), ms(2000));
        // Not at the old deadline either: the alarm is set anew, and the body is polled to close.
        assert!(polls.get() <= 4, "{}", polls.get());
    });
}

thread_local! {
    static KEPT: RefCell<Vec<Pin<Box<dyn Future<Output = ()>>>>> = const { RefCell::new(Vec::new()) };
}

/// What a thread has kept is dropped when it ends, perhaps after the list of its bounds.
#[test]
fn at_the_end_of_a_thread() {
    for polls in 0..4 {
        let ledger = Ledger::new();
        let (log, (told, hears)) = (ledger.clone(), mpsc::channel());
        let thread = thread::spawn(move || {
            let keep = |future| KEPT.with_borrow_mut(|kept| kept.push(future));
            // First, so that it is dropped after what is used below.
            keep(Box::pin(pending()));
            withal_testing::block_on(async {
                let scope = log.scope("a").yields(1).exit_yields(2);
                let told = Mutex::new(told);
                let inner = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
                    told.lock().unwrap().send(is_forced()).unwrap();
                    Ok::<(), Injected>(())
                });
                let mut future: Pin<Box<dyn Future<Output = ()>>> =
                    Box::pin(forcefully(async move {
                        let body = inner.using(async |()| forced().await);
                        let _ = scope.using(async |_| body.await).await;
                        pending::<()>().await;
                    }));
                for _ in 0..polls {
                    assert!(poll_once(&mut future).await.is_pending());
                }
                keep(future);
            });
        });
        assert!(thread.join().is_ok());
        futures::executor::block_on(ledger.settled());
        ledger.check();
        assert!(hears.iter().count() <= 1);
    }
}

/// A wait that was given up leaves nothing behind.
#[test]
fn a_wait_that_is_given_up() {
    run(|rt| async move {
        let scope = acquire(async || Ok::<_, Injected>(())).release(async |(), _| {
            for _ in 0..1000 {
                let _ = cut_after(1, forced()).await;
            }
            forced().await;
            Ok::<(), Injected>(())
        });
        let bounded = scope.exit_within(&rt, ms(10));
        assert!(bounded.using(async |()| ()).await.is_ok());
        assert_eq!(rt.now(), ms(10));
    });
}

/// One whose time is over wakes those inside of it, and nobody else.
#[test]
fn being_forced_concerns_only_those_inside() {
    const EXITS: u64 = 500;
    let polls = run(|rt| async move {
        let polls = Arc::new(Mutex::new(0));
        let exits = (0..EXITS).map(|number| {
            let (rt, polls) = (rt.clone(), polls.clone());
            async move {
                let scope = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
                    let mut forced = std::pin::pin!(forced());
                    std::future::poll_fn(|cx| {
                        *polls.lock().unwrap() += 1;
                        forced.as_mut().poll(cx)
                    })
                    .await;
                    Ok::<_, Injected>(())
                });
                let scope = scope.exit_within(&rt, ms(1000 + number));
                assert!(scope.using(async |()| ()).await.is_ok());
            }
        });
        let mut exits: futures::stream::FuturesUnordered<_> = exits.collect();
        while futures::StreamExt::next(&mut exits).await.is_some() {}
        drop(exits);
        Arc::into_inner(polls).unwrap().into_inner().unwrap()
    });
    assert!(polls <= 4 * EXITS, "{polls} polls");
}

/// When nothing is left, it is forced, also before somebody has said so.
#[test]
fn nothing_left_is_force() {
    run(|rt| async move {
        let timer = rt.clone();
        let scope = acquire(async || Ok::<_, Injected>(())).release(async move |(), _| {
            assert!(!is_forced());
            yield_now().await;
            // Something that does not suspend takes all of the time.
            let slow = timer.clone();
            slow.advance(ms(1000));
            assert_eq!((time_left(), is_forced()), (Some(ms(0)), true));
            Ok::<_, Injected>(())
        });
        let scope = scope.exit_within(&rt, ms(500));
        assert!(scope.using(async |()| ()).await.is_ok());
        let scope = acquire(async || Ok::<_, Injected>(())).release(async |(), _| {
            assert_eq!((time_left(), is_forced()), (Some(ms(0)), true));
            Ok::<_, Injected>(())
        });
        let scope = scope.exit_within(&rt, ms(0));
        assert!(scope.using(async |()| ()).await.is_ok());
    });
}
