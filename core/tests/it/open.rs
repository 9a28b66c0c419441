//! Open scopes as values: in structs, in actors, in fixtures.

use std::io;
use std::sync::Arc;

use withal_core::{BoxScope, Bracket, Open, Outcome, Peek, ScopeExt, acquire, suppress, sync};
use withal_testing::{Injected, Ledger, Traced, TracedGuard, block_on, yield_now};

use crate::sample::Sample;

/// A struct over any scope with this view.
struct Service<S: Bracket<View = TracedGuard, Held: 'static>> {
    database: Open<S>,
    served: u32,
}

impl<S: Peek<View = TracedGuard, Held: 'static>> Service<S> {
    async fn serve(&mut self) -> usize {
        yield_now().await;
        self.served += 1;
        self.database.name().len()
    }

    async fn stop(self, outcome: Outcome<'_>) -> Result<u32, S::Error> {
        self.database.close(outcome).await?;
        Ok(self.served)
    }
}

#[test]
fn a_field_of_a_generic_struct() {
    let ledger = Ledger::new();
    let served = block_on(async {
        let database = ledger.scope("db").named("database").open().await?;
        let mut service = Service {
            database,
            served: 0,
        };
        assert_eq!(service.serve().await + service.serve().await, 4);
        service.stop(Outcome::Success).await
    });
    assert_eq!(served.unwrap(), 2);
    assert_eq!(ledger.outcome("db").unwrap(), "success");
    ledger.check();
}

/// A struct that names no scope but by what it shows.
struct Lifespan {
    first: Open<Traced>,
    second: Open<BoxScope<TracedGuard, Injected>>,
}

#[test]
fn fields_that_are_dropped_are_finished_by_the_scope_around() {
    let ledger = Ledger::new();
    let done = block_on(ledger.scope("around").with(async |around| {
        let mut lifespan = Lifespan {
            first: ledger
                .scope("first")
                .inside(around)
                .yields(1)
                .open()
                .await?,
            second: ledger.scope("second").inside(around).boxed().open().await?,
        };
        assert_eq!(lifespan.first.name(), "first");
        assert_eq!(lifespan.second.view().name(), "second");
        yield_now().await;
        drop(lifespan);
        Ok::<_, Injected>(())
    }));
    done.unwrap();
    assert_eq!(
        ledger.outcome("first").unwrap(),
        "cancelled: the future was dropped"
    );
    assert_eq!(
        ledger.outcome("second").unwrap(),
        "cancelled: the future was dropped"
    );
    assert!(ledger.trace().ends_with("~around -around"));
    ledger.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_in_a_task_of_its_own() {
    let ledger = Ledger::new();
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<u32>(4);
    let database = ledger.scope("db").yields(1).open().await.unwrap();
    let actor = tokio::spawn(async move {
        let mut sum = 0;
        while let Some(n) = receiver.recv().await {
            sum += n + database.name().len() as u32;
        }
        database.close(Outcome::Success).await.map(|_| sum)
    });
    for n in 1..=3 {
        sender.send(n).await.unwrap();
    }
    drop(sender);
    assert_eq!(actor.await.unwrap().unwrap(), 12);
    ledger.check();
}

#[test]
fn it_derefs_to_what_a_body_sees() {
    block_on(async {
        let Ok(mut list) = sync(vec![1]).open().await;
        list.push(2);
        assert_eq!(list.len(), 2);
        let Ok(_) = list.close(Outcome::Success).await;

        let connect =
            acquire(async || io::Result::Ok("db".to_owned())).release(async |_, _| Ok(()));
        let open = connect.protected().open().await.unwrap();
        assert_eq!(&*open, "db");
        open.close(Outcome::Success).await.unwrap();
    });
}

#[test]
fn closing_gives_the_verdict_and_the_error_of_the_exit() {
    block_on(async {
        let Ok(open) = suppress::<io::Error>().open().await;
        let Ok(verdict) = open.close(Outcome::Success).await;
        assert_eq!(verdict, withal_core::Recover::Propagate);

        let open = Sample::new(1)
            .exit_fails(io::Error::other("disk full"))
            .open()
            .await;
        let failed = open.unwrap().close(Outcome::Success).await.unwrap_err();
        assert_eq!(failed.to_string(), "disk full");

        let failed = Sample::new(1)
            .enter_fails(io::Error::other("no file"))
            .open()
            .await;
        assert_eq!(failed.unwrap_err().to_string(), "no file");
    });
}

#[test]
fn it_is_closed_with_the_outcome_of_somebody_else() {
    let ledger = Ledger::new();
    let kept = Arc::new(tokio::sync::Mutex::new(None));
    let failed = block_on(async {
        let inner = ledger.scope("inner").open().await.unwrap();
        *kept.lock().await = Some(inner);
        let kept = kept.clone();
        let around = acquire(async || Ok(())).release(async move |(), outcome: Outcome<'_>| {
            // A shared fixture: whoever ends last closes it.
            let inner = kept.lock().await.take();
            match inner {
                Some(inner) => inner.close(outcome).await.map(drop),
                None => Ok(()),
            }
        });
        around
            .with(async |()| Err::<(), _>(Injected("body".to_owned())))
            .await
    });
    assert_eq!(failed.unwrap_err().0, "body");
    assert_eq!(
        ledger.outcome("inner").unwrap(),
        "failure: injected error: body"
    );
    ledger.check();
}
