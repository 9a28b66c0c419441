//! The runtimes on which the gallery runs.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use withal::{Launch, Report, Shutdown};
use withal::{async_std, futures, smol, tokio};

use crate::Transcript;
use crate::gallery::gallery;

/// Starts a runtime.
pub type Start = fn() -> io::Result<Box<dyn Host>>;

/// Every runtime: its name on the command line, and how it is started.
pub const RUNTIMES: &[(&str, Start)] = &[
    ("tokio", || Ok(Box::new(tokio::Launcher::multi_thread()?))),
    ("tokio-current-thread", || {
        Ok(Box::new(tokio::Launcher::current_thread()?))
    }),
    ("smol", || Ok(Box::new(smol::Launcher::new()))),
    ("async-std", || Ok(Box::new(async_std::Launcher::new()))),
    ("futures", || Ok(Box::new(futures::Launcher::new()))),
];

/// A runtime that has been started, and runs examples: any [`Launch`].
pub trait Host {
    /// Runs the example `name` as a whole program.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    fn play(&self, name: &str, out: &Transcript) -> Ended;
}

/// How the run of an example ended.
#[derive(Debug)]
pub enum Ended {
    /// By itself.
    Well,
    /// With an error.
    Failed(Report),
    /// With a panic, whose message is on stderr.
    Panicked,
    /// By a signal.
    Stopped(Shutdown),
}

impl<L: Launch> Host for L {
    fn play(&self, name: &str, out: &Transcript) -> Ended {
        let gallery = gallery();
        let example = gallery.iter().find(|example| example.label().name == name);
        let example = example.expect("the name is one of the gallery's");
        let program = || self.run(example.run(self.runtime(), out.clone()));
        match catch_unwind(AssertUnwindSafe(program)) {
            Ok(Ok(Ok(()))) => Ended::Well,
            Ok(Ok(Err(report))) => Ended::Failed(report),
            Ok(Err(shutdown)) => Ended::Stopped(shutdown),
            Err(_) => Ended::Panicked,
        }
    }
}
