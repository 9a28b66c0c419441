//! async-std's tasks are cancelled by hand, its timeouts drop, and `task::block_on` knows no set-up.

use std::future::pending;
use std::time::Duration;

use async_std::io::{ReadExt, WriteExt};
use async_std::net::{TcpListener, TcpStream};
use async_std::{future, task};
use withal_core::{ScopeExt, acquire};
use withal_testing::conformance::dropping::{check_outcomes, three};
use withal_testing::{Ledger, yield_now, yield_times};

/// A timeout of async-std drops its future; the exits may use async-std's timer and sockets.
#[test]
fn a_timeout_of_async_std_in_plain_block_on() {
    let ledger = Ledger::new();
    task::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (log, scope) = (ledger.clone(), ledger.scope("conn").exit_yields(2));
        let goodbye = acquire(async || std::io::Result::Ok(())).release(async move |(), _| {
            task::sleep(Duration::from_millis(2)).await;
            TcpStream::connect(address).await?.write_all(b"bye").await?;
            log.say("bye");
            Ok(())
        });
        let body = scope.using(async |_| goodbye.using(async |()| pending::<()>().await).await);
        let ended = future::timeout(Duration::from_millis(5), body).await;
        assert!(ended.is_err());
        let mut text = String::new();
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.read_to_string(&mut text).await.unwrap();
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
    task::block_on(async {
        let scope = ledger.scope("a").exit_yields(5);
        let task = task::spawn(async move { scope.using(async |_| pending::<()>().await).await });
        while ledger.entered() == 0 {
            yield_now().await;
        }
        assert!(task.cancel().await.is_none());
        ledger.settled().await;
    });
    assert_eq!(ledger.trace(), "+a ~a -a");
}

/// The same at every step of three nested scopes.
#[test]
fn a_task_that_is_cancelled_at_every_step() {
    for steps in 0..40 {
        let ledger = Ledger::new();
        let task = task::spawn(three(ledger.clone()));
        task::block_on(async {
            yield_times(steps).await;
            task.cancel().await;
            ledger.settled().await;
        });
        ledger.check();
        check_outcomes(
            &ledger,
            &["a", "b", "c"],
            "cancelled: the future was dropped",
        );
    }
}
