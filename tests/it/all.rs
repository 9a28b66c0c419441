//! All features together: no runtime changes what another one does.

use std::thread;

use withal::{Launch, ScopeExt, async_std, futures, null, smol, tokio};

use crate::{fs, program};

#[test]
fn files_work_on_each_runtime() {
    fs::check(&tokio::Launcher::multi_thread().unwrap());
    fs::check(&tokio::Launcher::current_thread().unwrap());
    fs::check(&smol::Launcher::new());
    fs::check(&async_std::Launcher::new());
    fs::check(&futures::Launcher::new());
}

#[test]
fn runtimes_live_side_by_side_in_one_process() {
    thread::scope(|scope| {
        scope.spawn(|| program::check(&tokio::Launcher::multi_thread().unwrap()));
        scope.spawn(|| program::check(&tokio::Launcher::current_thread().unwrap()));
        scope.spawn(|| program::check(&smol::Launcher::new()));
        scope.spawn(|| program::check(&async_std::Launcher::new()));
        scope.spawn(|| program::check(&futures::Launcher::new()));
    });
}

#[test]
fn one_runtime_runs_inside_of_a_scope_on_another() {
    let outer = tokio::Launcher::current_thread().unwrap();
    let ended = outer.block_on(null(()).using(async |()| program::check(&smol::Launcher::new())));
    assert_eq!(ended, Ok(()));
    let ended = smol::Launcher::new().block_on(null(()).using(async |()| program::check(&outer)));
    assert_eq!(ended, Ok(()));
}
