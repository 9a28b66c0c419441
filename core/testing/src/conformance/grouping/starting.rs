//! Tasks that say when they are ready.

use std::future::pending;

use withal_core::{Runtime, StartError, TaskReady, task_group};

use crate::cut::{poll_once, yield_now, yield_times};
use crate::ledger::Ledger;

use super::{entered, errors, failed, holds};

/// trio: `nursery_start`: it waits for the word, and gives its value and the handle of what goes on.
pub async fn trio_start<R: Runtime>(rt: R) {
    let value = task_group(&rt, async |group| {
        let serve = async |ready: TaskReady<u16>| {
            yield_times(2).await;
            ready.ready(80);
            yield_times(2).await;
            Ok::<_, String>("served")
        };
        let (port, task) = group.start(serve).await.expect("it is ready");
        assert_eq!(port, 80);
        task.await.map_err(|error| error.to_string())
    });
    assert_eq!(value.await.ok(), Some("served"));
}

/// trio: a child that crashes before it is ready: its error comes out of `start`, bare, and the group goes on.
pub async fn trio_start_that_fails_before<R: Runtime>(rt: R) {
    let value = task_group(&rt, async |group| {
        let fails = async |_: TaskReady<()>| Err::<(), _>("no port".to_owned());
        let error = group.start(fails).await.unwrap_err();
        assert_eq!(error, StartError::Failed("no port".to_owned()));
        assert_eq!(error.to_string(), "no port");
        Ok(1)
    });
    assert_eq!(value.await.ok(), Some(1));
}

/// trio: one that crashes afterwards fails the group.
pub async fn trio_start_that_fails_after<R: Runtime>(rt: R) {
    let error = task_group(&rt, async |group| {
        let fails = async |ready: TaskReady<()>| {
            ready.ready(());
            yield_now().await;
            failed("later")
        };
        let started = group.start(fails).await;
        assert!(started.is_ok());
        pending::<Result<(), String>>().await
    });
    assert_eq!(errors(&error.await.unwrap_err()), ["later"]);
}

/// trio: one that ends without a word, and one that lets go of it and runs on, which is cancelled.
pub async fn trio_start_that_is_never_ready<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let value = task_group(&rt, async |group| {
        let ends = async |_: TaskReady<()>| Ok::<_, String>(());
        assert_eq!(group.start(ends).await.unwrap_err(), StartError::NeverReady);
        let held = ledger.clone();
        let runs = async move |ready: TaskReady<()>| {
            drop(ready);
            holds(held, "a").await
        };
        assert_eq!(group.start(runs).await.unwrap_err(), StartError::NeverReady);
        Ok(2)
    });
    assert_eq!(value.await.ok(), Some(2));
    ledger.check();
}

/// trio: `start` that is cancelled: the task is cancelled with it, and the group goes on.
pub async fn trio_start_that_is_cancelled<R: Runtime>(rt: R) {
    let ledger = Ledger::new();
    let value = task_group(&rt, async |group| {
        let held = ledger.clone();
        let slow = async move |ready: TaskReady<()>| {
            holds(held, "a").await?;
            ready.ready(());
            Ok(())
        };
        let mut starting = Box::pin(group.start(slow));
        assert!(poll_once(&mut starting).await.is_pending());
        entered(&ledger, 1).await;
        drop(starting);
        group.ended().await;
        Ok::<_, String>(3)
    });
    assert_eq!(value.await.ok(), Some(3));
    assert_eq!(
        ledger.outcome("a").as_deref(),
        Some("cancelled: the future was dropped")
    );
    ledger.check();
}
