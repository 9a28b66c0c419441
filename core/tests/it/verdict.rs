//! Suppression is in the type: who may swallow an error gives an `Option`, and only a failure can be swallowed.

use std::future::pending;

use withal_core::{
    Never, Outcome, Reason, Recover, Scope, ScopeError, ScopeExt, until, with, with_local,
    with_report,
};
use withal_testing::{Injected, block_on, caught, yield_now};

/// Suppresses whatever it can, and claims to have on every outcome.
struct Swallow;

impl Scope for Swallow {
    type Guard = ();
    type Error = Never;
    type Verdict = Recover;

    async fn enter(self) -> Result<(), Never> {
        Ok(())
    }

    async fn exit((): (), _: Outcome<'_>) -> Result<Recover, Never> {
        yield_now().await;
        Ok(Recover::Suppress)
    }
}

fn injected() -> Injected {
    Injected("body".to_owned())
}

#[test]
fn on_failure_there_is_no_value() {
    let none: Option<u32> = block_on(with(Swallow, async |()| Err(injected()))).unwrap();
    assert_eq!(none, None);
    let none = block_on(with_report(Swallow, async |()| Err::<u32, _>(injected())));
    assert_eq!(none, Ok::<_, ScopeError<_, _>>(None));
    let none = block_on(with_local(Swallow, async |()| Err::<u32, _>(injected())));
    assert_eq!(none, Ok(None));
}

#[test]
fn on_success_the_value_arrives() {
    let some = async |(): &mut ()| Ok::<_, Injected>(7);
    assert_eq!(block_on(Swallow.with(some)), Ok(Some(7)));
    assert_eq!(block_on(Swallow.with_report(some)), Ok(Some(7)));
    assert_eq!(block_on(with_local(Swallow, some)), Ok(Some(7)));
    assert_eq!(block_on(Swallow.using(async |()| 7)), Ok(Some(7)));
}

#[test]
fn a_panic_goes_on() {
    let panics = async |(): &mut ()| -> Result<(), Injected> { panic!("from the body") };
    let ended = block_on(caught(Swallow.with(panics)));
    assert_eq!(ended.unwrap_err(), "from the body");
    let ended = block_on(caught(with_local(Swallow, panics)));
    assert_eq!(ended.unwrap_err(), "from the body");
}

#[test]
fn a_cancellation_goes_on() {
    let waits = async |(): &mut ()| pending::<Result<(), Injected>>().await;
    let cut = block_on(until(async { Reason::LeaseLost }, Swallow.with(waits)));
    assert_eq!(cut.unwrap_err().cancelled().reason, Reason::LeaseLost);
    let cut = block_on(until(
        async { Reason::LeaseLost },
        with_local(Swallow, waits),
    ));
    assert_eq!(cut.unwrap_err().cancelled().reason, Reason::LeaseLost);
}

#[test]
fn nested_options_say_who_swallowed() {
    let body = async |(): &mut ()| Swallow.with(async |()| Err::<u32, _>(injected())).await;
    assert_eq!(block_on(Swallow.with(body)), Ok(Some(None)));
    let body = async |(): &mut ()| {
        let inner: Option<u32> = Swallow.with(async |()| Ok::<_, Injected>(1)).await?;
        assert_eq!(inner, Some(1));
        Err::<Option<u32>, _>(injected())
    };
    assert_eq!(block_on(Swallow.with(body)), Ok(None));
}
