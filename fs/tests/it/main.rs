//! What files and directories promise, on every runtime.

/// Makes a test of each case on each runtime. A case is an async function over `R: Runtime`.
macro_rules! on_every_runtime {
    ($($case:ident)*) => { $(mod $case {
        use withal_core::Launch;

        fn run(launcher: impl Launch) {
            launcher.block_on(super::$case(launcher.runtime()));
        }

        #[test] fn manual() { run(withal_testing::Manual::new()); }
        #[test] fn tokio() { run(withal_tokio::Launcher::multi_thread().unwrap()); }
        #[test] fn tokio_current_thread() { run(withal_tokio::Launcher::current_thread().unwrap()); }
        #[test] fn smol() { run(withal_smol::Launcher::new()); }
        #[test] fn async_std() { run(withal_async_std::Launcher::new()); }
        #[test] fn futures() { run(withal_futures::Launcher::new()); }
    })* };
}

mod auto_traits;
mod cancel;
mod content;
#[cfg(target_os = "linux")]
mod devices;
mod errors;
mod exit;
mod handles;
mod hops;
mod pattern;
mod protected;
mod shutdown;
mod sweep;
mod temp_dir;
