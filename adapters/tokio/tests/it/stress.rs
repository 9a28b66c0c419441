//! Random trees on four workers.

use withal_core::Launch;
use withal_testing::{LostErrors, Stress, stress};
use withal_tokio::{Launcher, Tokio};

fn on_four_workers(seed: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    // Thousands of panics are asked for; heard here, they are not printed.
    let _lost = LostErrors::listen();
    let launcher = Launcher::from(runtime);
    let plan = Stress {
        seed,
        enters: 260_000,
        tasks: 16,
        panics: 2,
    };
    let ledger = launcher.block_on(stress(&Tokio, plan));
    eprintln!(
        "seed {seed}: {} entered, {} lost",
        ledger.entered(),
        ledger.live()
    );
    ledger.check();
}

#[test]
fn nothing_is_lost_or_out_of_order_seed_1() {
    on_four_workers(1);
}

#[test]
fn nothing_is_lost_or_out_of_order_seed_2() {
    on_four_workers(2);
}

#[test]
fn nothing_is_lost_or_out_of_order_seed_3() {
    on_four_workers(3);
}
