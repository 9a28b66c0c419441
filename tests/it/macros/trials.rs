//! `#[test]`: one test for each runtime that is enabled.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use withal::__private::trial;
use withal::{Report, Runtime, ScopeExt, timeout};

/// The runtimes on which [`runs_everywhere`] has run.
static RAN: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// A test that takes the runtime.
#[withal::test]
async fn runs_everywhere<R: Runtime>(rt: R) -> Result<(), Report> {
    let slept = timeout(&rt, Duration::from_secs(9), rt.sleep(Duration::ZERO));
    slept.await?;
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    RAN.lock().unwrap().insert(R::NAME);
    // The name of the test says where it runs; on the main thread of a flavour at least.
    assert!(name.starts_with("runs_everywhere_on_"), "{name}");
    Ok(())
}

#[withal::test]
async fn takes_a_reference(rt: &impl Runtime) {
    rt.sleep(Duration::ZERO).await;
}

#[withal::test(timeout = Duration::from_secs(20))]
async fn takes_nothing() {
    withal::null(1)
        .using(async |n| assert_eq!(*n, 1))
        .await
        .unwrap();
}

/// Further attributes are those of each test.
#[withal::test]
#[should_panic(expected = "fails_well_on_")]
async fn fails_well() -> Result<(), String> {
    Err("on purpose".to_owned())
}

#[withal::test]
#[should_panic(expected = "on purpose")]
async fn panics_well() {
    panic!("on purpose");
}

/// Its scopes exit, and it fails with the name of the runtime.
#[withal::test(timeout = Duration::from_millis(1))]
#[should_panic(expected = "takes_too_long_on_")]
async fn takes_too_long() {
    std::future::pending::<()>().await;
}

#[withal::scope]
async fn marks() -> Result<(), withal::Never> {
    RAN.lock().unwrap().insert("entered");
    let outcome = yield_!();
    if outcome.reason() == Some(withal::Reason::Timeout) {
        RAN.lock().unwrap().insert("exited");
    }
    Ok(())
}

/// What stands above it is said of its code.
#[withal::test]
#[expect(unused_variables)]
#[cfg_attr(any(), ignore)]
async fn lints_reach_the_code() {
    let unused = 1;
}

#[test]
fn an_error_inside_of_the_value_fails() {
    let failed = std::panic::catch_unwind(|| {
        let limit = Duration::from_secs(9);
        trial(
            "nested_on_manual",
            limit,
            withal_testing::Manual::new,
            async |_| Ok::<_, String>(Err::<(), _>("inner")),
        );
    });
    let message = failed.unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert_eq!(message, r#"nested_on_manual failed: "inner""#);
}

/// A panic of the test goes on as it is.
#[test]
fn a_panic_goes_through() {
    let failed = std::panic::catch_unwind(|| {
        let limit = Duration::from_secs(9);
        trial(
            "panics_on_manual",
            limit,
            withal_testing::Manual::new,
            async |_| {
                let number: u8 = "x7".parse().expect("a number");
                assert_eq!(number, 7);
            },
        );
    });
    let message = failed.unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("a number: "), "{message}");
}

#[withal::scope]
async fn hangs() -> Result<(), withal::Never> {
    yield_!();
    std::future::pending().await
}

/// An exit that never ends is cut, and named.
#[test]
fn a_test_whose_exit_hangs() {
    let late = std::panic::catch_unwind(|| {
        trial(
            "hangs_on_manual",
            Duration::from_secs(1),
            withal_testing::Manual::new,
            async |_| hangs().using(async |()| ()).await,
        );
    });
    let message = late.unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("hangs_on_manual: "), "{message}");
    assert!(message.contains("exit of `hangs`"), "{message}");
}

/// In a crate that forbids what it is warned of.
mod strict {
    #![forbid(unused, nonstandard_style)]
    #![deny(clippy::pedantic, clippy::nursery)]

    #[withal::test]
    async fn is_a_test(rt: impl withal::Runtime) {
        rt.sleep(std::time::Duration::ZERO).await;
    }
}

/// Under the names that the attributes use themselves.
mod named {
    #[withal::test]
    async fn runtime(runtime: impl withal::Runtime) {
        runtime.sleep(std::time::Duration::ZERO).await;
    }

    #[withal::test]
    async fn launcher() {}
}

#[test]
fn a_test_that_takes_too_long_is_cancelled_gracefully() {
    let late = std::panic::catch_unwind(|| {
        trial(
            "late_on_manual",
            Duration::from_secs(1),
            withal_testing::Manual::new,
            async |_| {
                marks()
                    .using(async |()| std::future::pending::<()>().await)
                    .await
            },
        );
    });
    let message = late.unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("late_on_manual: "), "{message}");
    assert!(RAN.lock().unwrap().contains("exited"));
}

/// What the attribute has made: they are there, under the names of their runtimes.
#[test]
fn there_is_one_for_each_runtime() {
    #[cfg(feature = "tokio")]
    let _: [fn(); 2] = [
        takes_nothing_on_tokio,
        takes_nothing_on_tokio_current_thread,
    ];
    #[cfg(feature = "smol")]
    let _: fn() = takes_nothing_on_smol;
    #[cfg(feature = "async-std")]
    let _: fn() = takes_nothing_on_async_std;
    #[cfg(feature = "futures")]
    let _: fn() = takes_nothing_on_futures;
}
