//! Leases on an outcome: good while exits run, expired afterwards, and the error comes back by value.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use withal_core::{
    Bracket, Kept, KeptFailure, Never, Outcome, Propagate, Reason, Scope, ScopeExt, acquire, until,
};
use withal_testing::{block_on, caught, yield_now};

/// An error that is neither `Clone` nor `Copy`; its `Arc` tells whether it is still the same one.
#[derive(Debug, thiserror::Error)]
#[error("precious {0}")]
struct Precious(Arc<u32>);

/// A scope that hands the lease on its outcome out, and waits for the answer before it ends.
struct Lender {
    leases: mpsc::Sender<Kept>,
    done: tokio::sync::oneshot::Receiver<()>,
}

impl Scope for Lender {
    type Guard = Self;
    type Error = Never;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Self, Never> {
        Ok(self)
    }

    async fn exit(guard: Self, outcome: Outcome<'_>) -> Result<Propagate, Never> {
        let _ = guard.leases.send(outcome.keep());
        let _ = guard.done.await;
        Ok(Propagate)
    }
}

#[test]
fn another_thread_reads_while_the_exit_runs() {
    let (leases, lent) = mpsc::channel();
    let (finish, done) = tokio::sync::oneshot::channel();
    let reader = thread::spawn(move || {
        let Ok(Kept::Failure(lease)) = lent.recv() else {
            panic!("no failure was lent");
        };
        let seen = lease.map(|error: &Precious| *error.0);
        assert_eq!(lease.map(|_: &fmt::Error| ()), None);
        assert!(!lease.is_expired());
        assert_eq!(lease.to_string(), "precious 7");
        finish.send(()).unwrap();
        (seen, lease)
    });
    let lender = Lender { leases, done };
    let mine = Arc::new(7);
    let failed = lender.with(async |_| Err::<(), _>(Precious(mine.clone())));
    let error = block_on(failed).unwrap_err();
    let (seen, lease) = reader.join().unwrap();
    assert_eq!(seen, Some(7));

    // By value, and the same; the lease that is still around has expired.
    assert!(Arc::ptr_eq(&error.0, &mine));
    drop(error);
    assert_eq!(Arc::strong_count(&mine), 1);
    assert!(lease.is_expired());
    assert_eq!(lease.map(|error: &Precious| *error.0), None);
    assert_eq!(
        lease.to_string(),
        "an error that has gone back to its owner"
    );
    assert_eq!(format!("{lease:?}"), "<expired>");
}

type Leases = Arc<Mutex<Vec<Kept>>>;

/// Keeps the outcome, twice.
fn keeper(
    leases: &Leases,
) -> impl Bracket<Held: 'static, View = (), Error = Never, Verdict = Propagate> + use<> {
    let leases = leases.clone();
    acquire(async || Ok(())).release(async move |(), outcome: Outcome<'_>| {
        yield_now().await;
        leases
            .lock()
            .unwrap()
            .extend([outcome.keep(), outcome.keep()]);
        Ok(Propagate)
    })
}

fn failures(leases: &Leases) -> Vec<KeptFailure> {
    let leases = leases.lock().unwrap();
    let failure = |kept: &Kept| match kept {
        Kept::Failure(failure) => failure.clone(),
        other => panic!("{other:?}"),
    };
    leases.iter().map(failure).collect()
}

#[test]
fn a_lease_of_an_inner_scope_ends_with_that_scope() {
    let inner = Leases::default();
    let outer = Leases::default();
    let mine = Arc::new(7);
    let failed = block_on(keeper(&outer).with(async |()| {
        let failed = keeper(&inner)
            .with(async |()| Err::<(), _>(Precious(mine.clone())))
            .await;
        assert!(failures(&inner).iter().all(KeptFailure::is_expired));
        failed
    }));
    assert!(Arc::ptr_eq(&failed.unwrap_err().0, &mine));
    assert_eq!(failures(&outer).len(), 2);
    assert!(failures(&outer).iter().all(KeptFailure::is_expired));
    assert_eq!(Arc::strong_count(&mine), 1);
}

#[test]
fn the_other_outcomes_are_kept_as_they_are() {
    let leases = Leases::default();
    let Ok(()) = block_on(keeper(&leases).using(async |()| ()));
    let panicked = block_on(caught(keeper(&leases).using(async |()| panic!("at {}", 3))));
    assert_eq!(panicked.unwrap_err(), "at 3");
    let stop = async { Reason::LeaseLost };
    let cut = block_on(until(
        stop,
        keeper(&leases).using(async |()| pending::<()>().await),
    ));
    assert!(cut.is_err());

    let leases = leases.lock().unwrap();
    assert!(matches!(&leases[0], Kept::Success));
    assert!(matches!(&leases[2], Kept::Panicked(text) if &**text == "at 3"));
    assert!(matches!(&leases[4], Kept::Cancelled(cut) if cut.reason == Reason::LeaseLost));
}

#[test]
fn a_lease_sees_what_the_outcome_sees() {
    let leases = Leases::default();
    let seen = Arc::new(Mutex::new(None));
    let scope = {
        let (leases, seen) = (leases.clone(), seen.clone());
        acquire(async || Ok(())).release(async move |(), outcome: Outcome<'_>| {
            let kept = outcome.keep();
            if let Kept::Failure(failure) = &kept {
                *seen.lock().unwrap() = failure.map(|error: &Precious| *error.0);
            }
            leases.lock().unwrap().push(kept);
            Ok::<_, Never>(())
        })
    };
    type Boxed = Box<dyn std::error::Error + Send + Sync>;
    let failed = block_on(scope.with(async |()| Err::<(), Boxed>(Precious(Arc::new(5)).into())));
    assert_eq!(*seen.lock().unwrap(), Some(5));
    assert!(failed.unwrap_err().is::<Precious>());
    assert!(failures(&leases)[0].is_expired());
}
