//! `#[main]`: a whole program.

use std::process::Termination;

use withal::__private::Ended;
use withal::Launch;
#[cfg(feature = "smol")]
use withal::Runtime;
#[cfg(feature = "tokio")]
use withal::{Report, ScopeExt, null};
use withal_testing::Manual;

#[cfg(feature = "tokio")]
#[withal::main(tokio)]
async fn on_tokio() -> Result<(), Report> {
    null(()).with(async |()| Ok(())).await
}

#[cfg(feature = "tokio")]
#[withal::main(tokio, current_thread, exit_budget = std::time::Duration::from_secs(1))]
async fn on_one_thread(rt: &withal::tokio::Tokio) -> Result<(), Report> {
    withal::Timer::sleep(rt, std::time::Duration::ZERO).await;
    Err(Report::msg("on purpose"))
}

/// A program that takes the runtime by value.
#[cfg(feature = "smol")]
#[withal::main(smol)]
async fn on_smol(rt: impl Runtime) {
    assert_eq!(format!("{rt:?}"), "Smol");
}

/// The exit code.
fn code(ended: impl Termination) -> String {
    format!("{:?}", ended.report())
}

#[cfg(feature = "tokio")]
#[test]
fn what_it_returns_is_the_exit_code() {
    let (success, failure) = (
        code(Ok::<(), Report>(())),
        code(Err::<(), _>(Report::msg(""))),
    );
    assert_ne!(success, failure);
    assert_eq!(code(on_tokio()), success);
    assert_eq!(code(on_one_thread()), failure);
}

#[cfg(feature = "smol")]
#[test]
fn it_may_take_the_runtime() {
    assert_eq!(code(on_smol()), code(()));
}

#[test]
fn a_signal_makes_it_130() {
    let rt = Manual::new();
    rt.interrupt();
    let main = async {
        rt.interrupt();
        std::future::pending::<()>().await;
    };
    let ended = rt.run(main);
    assert!(ended.is_err());
    assert_eq!(
        code(Ended::from(ended)),
        code(std::process::ExitCode::from(130))
    );
}
