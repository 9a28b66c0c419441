//! Where root orphans are finished: in plain tokio programs, at the end of a runtime, and without any.

use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use withal_core::{Launch, ScopeExt, Spawn, Task, acquire};
use withal_testing::conformance::dropping::{check_outcomes, three};
use withal_testing::{Ledger, LostErrors};
use withal_tokio::{Launcher, Tokio};

fn runtimes() -> [Runtime; 2] {
    [
        Builder::new_current_thread().enable_all().build().unwrap(),
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap(),
    ]
}

/// A scope whose body never ends and whose exit needs tokio: its timer, and a new connection to say goodbye on.
async fn connected(ledger: Ledger, address: std::net::SocketAddr) -> io::Result<()> {
    let scope = ledger.scope("conn");
    let log = ledger.clone();
    let goodbye = acquire(async || io::Result::Ok(())).release(async move |(), _| {
        tokio::time::sleep(Duration::from_millis(2)).await;
        TcpStream::connect(address).await?.write_all(b"bye").await?;
        log.say("bye");
        Ok(())
    });
    let ended = scope.using(async |_| goodbye.using(async |()| pending::<()>().await).await);
    ended.await.map_err(io::Error::other)?
}

/// Receives one goodbye.
fn peer() -> (std::net::SocketAddr, std::thread::JoinHandle<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let receive = move || {
        let mut text = String::new();
        io::Read::read_to_string(&mut listener.accept().unwrap().0, &mut text).unwrap();
        text
    };
    (address, std::thread::spawn(receive))
}

async fn entered(ledger: &Ledger) {
    while ledger.entered() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
}

#[test]
fn an_aborted_task_whose_exit_needs_timer_and_sockets() {
    for runtime in runtimes() {
        let (address, peer) = peer();
        let ledger = Ledger::new();
        runtime.block_on(async {
            let task = tokio::spawn(connected(ledger.clone(), address));
            entered(&ledger).await;
            task.abort();
            let _ = task.await;
            ledger.settled().await;
        });
        ledger.check();
        assert_eq!(peer.join().unwrap(), "bye");
    }
}

/// Runtimes come and go in one process; the home of each orphan is its own.
#[test]
fn two_runtimes_one_after_the_other() {
    an_aborted_task_whose_exit_needs_timer_and_sockets();
    an_aborted_task_whose_exit_needs_timer_and_sockets();
}

#[test]
fn a_runtime_that_is_dropped_with_live_tasks() {
    for runtime in runtimes() {
        let (address, peer) = peer();
        let ledger = Ledger::new();
        runtime.block_on(async {
            tokio::spawn(connected(ledger.clone(), address));
            entered(&ledger).await;
        });
        drop(runtime);
        // The fallback thread has a timer and sockets of its own.
        assert_eq!(peer.join().unwrap(), "bye");
        withal_testing::block_on(ledger.settled());
        ledger.check();
    }
}

/// The runtime ends at every poll of a task, without `run` and after a `run` that has given it up.
#[test]
fn a_runtime_that_ends_at_every_poll_of_a_task() {
    const ABC: [&str; 3] = ["a", "b", "c"];
    const DROPPED: &str = "cancelled: the future was dropped";
    for current_thread in [true, false] {
        for with_run in [false, true] {
            for polls in 0.. {
                let launcher = match current_thread {
                    true => Launcher::current_thread(),
                    false => Launcher::multi_thread(),
                };
                let launcher = launcher.unwrap().with_exit_budget(Duration::from_millis(1));
                let ledger = Ledger::new();
                let (stalled, is_stalled) = tokio::sync::oneshot::channel();
                let task = stall_after(polls, three(ledger.clone()), stalled);
                let main = async {
                    Tokio.spawn(Task::new(task));
                    is_stalled.await.unwrap()
                };
                let completed = if with_run {
                    launcher.run(main).unwrap()
                } else {
                    launcher.block_on(main)
                };
                drop(launcher);
                withal_testing::block_on(ledger.settled());
                ledger.check();
                check_outcomes(&ledger, &ABC, DROPPED);
                if completed {
                    assert!(polls > 15, "{polls}");
                    break;
                }
            }
        }
    }
}

/// Polls `future` so many times and then holds it for ever; says whether it has completed by then.
async fn stall_after(
    polls: usize,
    future: impl Future,
    stalled: tokio::sync::oneshot::Sender<bool>,
) {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    let completed = std::future::poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    stalled.send(completed).unwrap();
    if !completed {
        pending::<()>().await;
    }
}

/// A socket of the runtime itself is used by the exit: the home of a root is the runtime that it ran on, wherever it is dropped.
#[test]
fn dropped_on_another_thread() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let ledger = Ledger::new();
    let (log, names) = (
        ledger.clone(),
        std::sync::Arc::new(std::sync::Mutex::new(None)),
    );
    let name = names.clone();
    let (entered, is_entered) = tokio::sync::oneshot::channel();
    let mut future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let scope = acquire(async || io::Result::Ok(())).release(async move |(), _| {
            client.write_all(b"bye").await?;
            let mut text = [0; 3];
            server.read_exact(&mut text).await?;
            *name.lock().unwrap() = std::thread::current().name().map(ToOwned::to_owned);
            log.say(String::from_utf8_lossy(&text));
            Ok(())
        });
        let body = scope.using(async move |()| {
            entered.send(()).unwrap();
            pending::<()>().await;
        });
        let _ = body.await;
    });
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = &mut future => unreachable!("its body never ends"),
            entered = is_entered => entered.unwrap(),
        }
    });
    std::thread::spawn(move || drop(future)).join().unwrap();
    while !ledger.trace().contains("bye") {
        std::thread::yield_now();
    }
    let name = names.lock().unwrap().clone().unwrap();
    assert!(name.starts_with("tokio"), "finished on {name}");
}

#[test]
fn no_runtime_at_all() {
    let ledger = Ledger::new();
    let scope = ledger.scope("a").exit_yields(5);
    std::thread::spawn(move || {
        let mut future = Box::pin(scope.using(async |_| pending::<()>().await));
        assert!(
            future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        drop(future);
    })
    .join()
    .unwrap();
    withal_testing::block_on(ledger.settled());
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// The destructors of thread-locals run when much of a thread is gone already.
#[test]
fn a_future_in_a_thread_local_at_the_end_of_its_thread() {
    thread_local! {
        static KEPT: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>> = const { RefCell::new(None) };
    }
    for runtime in runtimes().into_iter().map(Some).chain([None]) {
        let ledger = Ledger::new();
        let scopes = ledger.clone();
        std::thread::spawn(move || {
            // Touched before anything of withal or tokio is, so that it is destroyed after them, and the other way round.
            KEPT.with(|kept| drop(kept.borrow_mut().take()));
            let mut future = Box::pin(async move {
                let outer = scopes.scope("a").exit_yields(2).using(async |a| {
                    let inner = scopes.scope("b").inside(a).exit_yields(2);
                    inner.using(async |_| pending::<()>().await).await
                });
                let _ = outer.await;
            });
            let mut poll = || {
                let mut cx = Context::from_waker(Waker::noop());
                assert!(future.as_mut().poll(&mut cx).is_pending());
            };
            match &runtime {
                Some(runtime) => {
                    let _context = runtime.enter();
                    poll();
                }
                None => poll(),
            }
            KEPT.with(|kept| *kept.borrow_mut() = Some(future));
        })
        .join()
        .unwrap();
        withal_testing::block_on(ledger.settled());
        assert_eq!(ledger.trace(), "+a +b ~b -b ~a -a");
    }
}

#[test]
fn a_hanging_exit_is_named_when_the_budget_ends() {
    for launcher in [Launcher::current_thread(), Launcher::multi_thread()] {
        let launcher = launcher
            .unwrap()
            .with_exit_budget(Duration::from_millis(20));
        let lost = LostErrors::listen();
        let ledger = Ledger::new();
        let hanging = ledger.scope("x").exit_hangs().named("hanging.db");
        let line = line!() + 1;
        let body = hanging.using(async |_| pending::<()>().await);
        let ended = launcher.run(async {
            Tokio.spawn(Task::new(async move {
                let _ = withal_testing::cut_after(1, body).await;
            }));
            while !ledger.trace().contains("~x") {
                tokio::task::yield_now().await;
            }
            7
        });
        assert_eq!(ended.ok(), Some(7), "run returns all the same");
        let told = lost.containing("hanging.db");
        let place = format!("homes.rs:{line}");
        assert!(told.iter().any(|entry| entry.contains(&place)), "{told:?}");
    }
}

/// A synchronous bridge in a body, as tokio has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn block_in_place_inside_of_a_body() {
    let ledger = Ledger::new();
    let permits = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
    let outer = ledger.scope("a").using(async |_| {
        let bridge = || {
            tokio::runtime::Handle::current().block_on(async {
                let scope = acquire(async || permits.clone().acquire_owned().await).release(
                    async |permit, _| {
                        tokio::task::yield_now().await;
                        drop(permit);
                        Ok(())
                    },
                );
                let parked = scope.using(async |_| pending::<()>().await);
                let _ = withal_testing::cut_after(1, parked).await;
                // Only the orphan's exit gives it back.
                drop(permits.acquire().await);
            });
        };
        tokio::task::block_in_place(|| withal_core::isolated(bridge));
    });
    outer.await.unwrap();
    ledger.check();
}
