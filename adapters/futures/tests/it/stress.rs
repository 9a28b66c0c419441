//! Random trees on a thread pool of futures.

use withal_core::Launch;
use withal_futures::{Futures, Launcher};
use withal_testing::{LostErrors, Stress, stress};

#[test]
fn nothing_is_lost_or_out_of_order() {
    // Thousands of panics are asked for; heard here, they are not printed.
    let _lost = LostErrors::listen();
    for seed in 1..=2 {
        let plan = Stress {
            seed,
            enters: 60_000,
            tasks: 16,
            panics: 2,
        };
        let ledger = Launcher::new().block_on(stress(&Futures::new(), plan));
        eprintln!(
            "seed {seed}: {} entered, {} lost",
            ledger.entered(),
            ledger.live()
        );
        ledger.check();
    }
}
