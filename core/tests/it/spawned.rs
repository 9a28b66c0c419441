//! Compositions can be spawned: their futures are `Send`, with all that they borrow.

use std::collections::HashMap;
use std::future::{pending, ready};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, join_all, select, try_join_all};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{FutureExt, TryStreamExt};
use withal_core::{
    Close, Reason, ScopeExt, cancellable, closing, shield, suppress, sync, timeout, until, with,
    with_report,
};
use withal_testing::{Injected, Ledger, Manual, yield_now};

use crate::app_error::AppError;

/// Spawns on several threads, so that the future must be `Send`, and waits.
fn spawned<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(future).await.unwrap() })
}

#[test]
fn borrowed_locals_across_awaits() {
    let ledger = Ledger::new();
    let counts = spawned({
        let ledger = ledger.clone();
        async move {
            let words = ["a".to_owned(), "b".to_owned(), "a".to_owned()];
            let mut counts: HashMap<&str, u32> = HashMap::new();
            let rule = String::from("all");
            ledger
                .scope("count")
                .with(async |_| {
                    for word in &words {
                        let seen = ledger.scope(word).using(async |_| rule.len()).await?;
                        yield_now().await;
                        *counts.entry(word.as_str()).or_default() += seen as u32;
                    }
                    Ok::<_, AppError>(())
                })
                .await?;
            Ok::<_, AppError>((counts["a"], counts["b"]))
        }
    });
    assert_eq!(counts.unwrap(), (6, 3));
    assert_eq!(
        ledger.trace(),
        "+count +a ~a -a +b ~b -b +a ~a -a ~count -count"
    );
    ledger.check();
}

#[test]
fn nested_scopes_with_guards_of_all_levels() {
    let ledger = Ledger::new();
    let names = spawned({
        let ledger = ledger.clone();
        async move {
            with(ledger.scope("a").yields(1), async |a| {
                with(ledger.scope("b").inside(a).yields(1), async |b| {
                    with(ledger.scope("c").inside(b).yields(1), async |c| {
                        yield_now().await;
                        Ok([a.name(), b.name(), c.name()].join(" "))
                    })
                    .await
                })
                .await
            })
            .await as Result<_, Injected>
        }
    });
    assert_eq!(names.unwrap(), "a b c");
    assert_eq!(ledger.trace(), "+a +b +c ~c -c ~b -b ~a -a");
}

#[test]
fn many_at_once() {
    async fn fetch(ledger: &Ledger, url: &str) -> Result<usize, AppError> {
        let scope = ledger.scope(url).yields(1);
        scope.with(async |guard| Ok(guard.name().len())).await
    }
    let ledger = Ledger::new();
    let sum: usize = spawned({
        let ledger = ledger.clone();
        async move {
            let urls = ["a".to_owned(), "bb".to_owned(), "ccc".to_owned()];
            let all = try_join_all(urls.iter().map(|url| fetch(&ledger, url))).await?;
            let (d, e) = futures::try_join!(fetch(&ledger, "d"), fetch(&ledger, "ee"))?;
            let (f, g) = tokio::join!(fetch(&ledger, "f"), fetch(&ledger, "gg"));
            let unordered: FuturesUnordered<_> = urls.iter().map(|u| fetch(&ledger, u)).collect();
            let again: Vec<usize> = unordered.try_collect().await?;
            Ok::<_, AppError>(all.iter().chain(&again).sum::<usize>() + d + e + f? + g?)
        }
    })
    .unwrap();
    assert_eq!(sum, 18);
    assert_eq!(ledger.entered(), 10);
    ledger.check();
}

#[test]
fn a_buffered_stream_of_owned_items() {
    // With `stream::iter(&urls)` the compiler gives up ("`FnOnce` is not general enough"), with and without scopes in it.
    let ledger = Ledger::new();
    let lengths: Vec<usize> = spawned({
        let ledger = ledger.clone();
        async move {
            let urls = vec!["a".to_owned(), "bb".to_owned(), "ccc".to_owned()];
            futures::stream::iter(urls)
                .map(|url| {
                    let ledger = &ledger;
                    async move { ledger.scope(&*url).using(async |_| url.len()).await }
                })
                .buffered(2)
                .try_collect()
                .await
        }
    })
    .unwrap();
    assert_eq!(lengths, [1, 2, 3]);
    ledger.check();
}

#[test]
fn a_loser_of_select() {
    let ledger = Ledger::new();
    let (first, second) = spawned({
        let ledger = ledger.clone();
        async move {
            let name = String::from("loser");
            let outer = ledger.scope("outer");
            let first = outer.using(async |outer| {
                futures::select! {
                    lost = ledger.scope(&*name).inside(outer).with(async |_| {
                        pending::<Result<&str, Injected>>().await
                    }).fuse() => lost.unwrap_or("lost"),
                    won = async { yield_now().await; "won" }.fuse() => won,
                }
            });
            let first = first.await.unwrap_or("failed");
            let second = {
                let slow = ledger.scope("slow").using(async |_| pending::<()>().await);
                match select(pin!(slow), ready(7)).await {
                    Either::Left(_) => 0,
                    Either::Right((value, _)) => value,
                }
            };
            ledger.settled().await;
            (first, second)
        }
    });
    assert_eq!((first, second), ("won", 7));
    assert!(
        ledger
            .trace()
            .starts_with("+outer +loser ~loser -loser ~outer -outer")
    );
    ledger.check();
}

#[test]
fn the_biased_select_of_tokio_in_a_loop() {
    let ledger = Ledger::new();
    let ticks = spawned({
        let ledger = ledger.clone();
        async move {
            let (sender, mut receiver) = tokio::sync::mpsc::channel::<u32>(4);
            let mut ticks = Vec::new();
            ledger
                .scope("loop")
                .with(async |_| {
                    for n in 0..3 {
                        sender.send(n).await.map_err(io::Error::other)?;
                    }
                    loop {
                        tokio::select! {
                            biased;
                            Some(n) = receiver.recv() => {
                                ticks.push(ledger.scope("tick").using(async |_| n).await?);
                            }
                            () = ready(()) => break,
                        }
                    }
                    Ok::<_, AppError>(())
                })
                .await?;
            Ok::<_, AppError>(ticks)
        }
    });
    assert_eq!(ticks.unwrap(), [0, 1, 2]);
    ledger.check();
}

#[test]
fn inside_of_cancellers() {
    let ledger = Ledger::new();
    let stopped = spawned({
        let ledger = ledger.clone();
        async move {
            let rt = Manual::new();
            let limit = String::from("limit");
            let value = timeout(&rt, Duration::from_secs(1), async {
                ledger.scope("timed").using(async |_| limit.len()).await
            });
            assert_eq!(value.await.unwrap().unwrap(), 5);
            let stop = async {
                yield_now().await;
                Reason::Requested("enough")
            };
            let waits = ledger.scope("waits").yields(1).using(async |_| {
                pending::<()>().await;
            });
            until(stop, waits).await.unwrap_err().to_string()
        }
    });
    assert_eq!(stopped, "cancelled: enough");
    assert_eq!(ledger.outcome("waits").unwrap(), "cancelled: enough");
    ledger.check();
}

#[test]
fn locks_and_permits_as_guards() {
    let total = spawned(async {
        let lock = Arc::new(tokio::sync::Mutex::new(0));
        let workers = (1..=3).map(|n| {
            let lock = lock.clone();
            tokio::spawn(async move {
                let Ok(()) = sync(lock.lock_owned().await)
                    .using(async |total| {
                        yield_now().await;
                        **total += n;
                    })
                    .await;
            })
        });
        join_all(workers).await;
        *lock.lock().await
    });
    assert_eq!(total, 6);
}

#[test]
fn all_kinds_of_scopes_in_one_body() {
    struct Socket(Ledger);
    impl Close for Socket {
        type Error = io::Error;
        async fn close(&mut self) -> io::Result<()> {
            yield_now().await;
            self.0.say("closed");
            Ok(())
        }
    }
    let ledger = Ledger::new();
    let found = spawned({
        let ledger = ledger.clone();
        async move {
            let text = String::from("x");
            closing(Socket(ledger.clone()))
                .with(async |socket| {
                    let parsed = suppress::<std::num::ParseIntError>()
                        .with(async |()| {
                            yield_now().await;
                            text.parse::<u32>()
                        })
                        .await
                        .map_err(AppError::from)?;
                    let report = with_report(sync(1), async |n| Ok::<_, Injected>(*n)).await;
                    socket.0.say("used");
                    Ok::<_, AppError>((parsed, report.is_ok()))
                })
                .await
        }
    });
    assert_eq!(found.unwrap(), (None, true));
    assert_eq!(ledger.trace(), "used closed");
}

#[test]
fn cancellable_bodies_and_shields() {
    let ledger = Ledger::new();
    let stopped = spawned({
        let ledger = ledger.clone();
        async move {
            let name = String::from("a");
            let words = ["b", "c"].map(String::from);
            let ended = cancellable(async |handle| {
                let body = ledger.scope(name.as_str()).using(async |_| {
                    let inner = ledger.scope(words[0].as_str()).yields(1);
                    let step =
                        shield(async move { inner.using(async |_| yield_now().await).await });
                    assert_eq!(step.await, Ok(()));
                    assert_eq!(words[1], "c");
                    handle.cancel("c");
                    pending::<()>().await;
                });
                body.await
            });
            ended.await.unwrap_err().to_string()
        }
    });
    assert_eq!(stopped, "cancelled: c");
    assert_eq!(ledger.trace(), "+a +b ~b -b ~a -a");
}
