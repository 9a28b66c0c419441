//! smol's executors are values, its tasks are cancelled by a drop, and `smol::block_on` knows no set-up.

use std::future::pending;
use std::time::Duration;

use smol::Executor;
use smol::future::{self, FutureExt};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};
use withal_core::{ScopeExt, acquire, isolated};
use withal_testing::conformance::dropping::{check_outcomes, three};
use withal_testing::{Ledger, yield_times};

/// A task that is dropped is cancelled; its scopes are finished, and their exits may use smol's timer and sockets.
#[test]
fn a_task_that_is_dropped_in_plain_block_on() {
    let ledger = Ledger::new();
    smol::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (log, scope) = (ledger.clone(), ledger.scope("conn").exit_yields(2));
        let task = smol::spawn(async move {
            let goodbye = acquire(async || std::io::Result::Ok(())).release(async move |(), _| {
                smol::Timer::after(Duration::from_millis(2)).await;
                TcpStream::connect(address).await?.write_all(b"bye").await?;
                log.say("bye");
                Ok(())
            });
            let body = scope.using(async |_| goodbye.using(async |()| pending::<()>().await).await);
            let _ = body.await;
        });
        while ledger.entered() == 0 {
            future::yield_now().await;
        }
        yield_times(3).await;
        drop(task);
        let mut text = String::new();
        listener
            .accept()
            .await
            .unwrap()
            .0
            .read_to_string(&mut text)
            .await
            .unwrap();
        assert_eq!(text, "bye");
        ledger.settled().await;
    });
    assert_eq!(ledger.trace(), "+conn bye ~conn -conn");
    ledger.check();
}

/// `cancel().await` waits for the drop of the future, and withal's canceller for the exits.
#[test]
fn a_task_that_is_cancelled() {
    let ledger = Ledger::new();
    smol::block_on(async {
        let scope = ledger.scope("a").exit_yields(5);
        let task = smol::spawn(async move { scope.using(async |_| pending::<()>().await).await });
        while ledger.entered() == 0 {
            future::yield_now().await;
        }
        task.cancel().await;
        ledger.settled().await;
    });
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// An executor that is dropped drops its tasks.
#[test]
fn an_executor_that_is_dropped_with_live_tasks() {
    let ledger = Ledger::new();
    let executor = Executor::new();
    let scope = ledger.scope("a").exit_yields(5);
    executor
        .spawn(async move {
            let _ = scope.using(async |_| pending::<()>().await).await;
        })
        .detach();
    smol::block_on(executor.run(yield_times(10)));
    assert_eq!(ledger.trace(), "+a");
    drop(executor);
    smol::block_on(ledger.settled());
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// The same at every step of three nested scopes.
#[test]
fn an_executor_that_is_dropped_at_every_step() {
    for steps in 0..40 {
        let ledger = Ledger::new();
        let executor = Executor::new();
        let task = three(ledger.clone());
        executor
            .spawn(async move {
                let _ = task.await;
            })
            .detach();
        smol::block_on(executor.run(yield_times(steps)));
        drop(executor);
        smol::block_on(ledger.settled());
        ledger.check();
        check_outcomes(
            &ledger,
            &["a", "b", "c"],
            "cancelled: the future was dropped",
        );
    }
}

/// An executor that runs inside of a body polls tasks that are none of that body's business.
#[test]
fn an_executor_that_runs_inside_of_a_body() {
    let ledger = Ledger::new();
    let executor = Executor::new();
    let (go, gate) = smol::channel::bounded::<()>(1);
    let (log, background) = (ledger.clone(), ledger.scope("background"));
    // It starts as a root of its own, and loses a race later, while a body polls it.
    executor
        .spawn(async move {
            let slow = acquire(async || Ok::<_, String>(())).release(async move |(), _| {
                let _ = gate.recv().await;
                log.say("-slow");
                Ok(())
            });
            let body =
                background.using(async |_| slow.using(async |()| pending::<()>().await).await);
            let loser = async {
                let _ = body.await;
            };
            loser.or(yield_times(20)).await;
        })
        .detach();
    smol::block_on(executor.run(yield_times(5)));
    smol::block_on(async {
        let request = ledger.scope("request").using(async |_| {
            // By hand, what `Launcher::block_on` does by itself.
            isolated(|| smol::block_on(executor.run(yield_times(50))));
            executor.run(yield_times(50)).await;
        });
        request.await.unwrap();
        assert!(ledger.trace().ends_with("-request"), "{}", ledger.trace());
        go.send(()).await.unwrap();
        ledger.settled().await;
    });
    assert_eq!(
        ledger.trace(),
        "+background +request ~request -request -slow ~background -background"
    );
}
