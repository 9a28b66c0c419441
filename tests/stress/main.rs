//! All workers at once, on each runtime: random trees of scopes, and groups of ten thousand tasks.
//!
//! `ci/test` runs them once more in release, the groups with a hundred seeds (`WITHAL_SEEDS`), one after the other, so that the memory of each is its own.
//! (That a group leaves not a single allocation is asked in `benches/tests/exact.rs`.)

use std::{env, fs};

use withal::{Launch, async_std, futures, smol, tokio};
use withal_testing::conformance::grouping;
use withal_testing::{LostErrors, Manual, Stress, stress};

fn on_four_workers() -> tokio::Launcher {
    let runtime = ::tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build();
    tokio::Launcher::from(runtime.unwrap())
}

fn trees(launcher: &impl Launch, enters: usize, seeds: impl IntoIterator<Item = u64>) {
    // Thousands of panics are asked for; heard here, they are not printed.
    let _lost = LostErrors::listen();
    for seed in seeds {
        let plan = Stress {
            seed,
            enters,
            tasks: 16,
            panics: 2,
        };
        let rt = launcher.runtime();
        let ledger = launcher.block_on(stress(&rt, plan));
        let (entered, lost) = (ledger.entered(), ledger.live());
        eprintln!("seed {seed}: {entered} entered, {lost} lost");
        ledger.check();
    }
}

/// Some groups to warm up, then as many as are asked for: the memory of the process is what it was.
fn groups(launcher: &impl Launch) {
    const WARM: u64 = 3;
    let seeds = env::var("WITHAL_SEEDS").map_or(10, |seeds| seeds.parse().unwrap());
    let rt = launcher.runtime();
    let run = |seeds| launcher.block_on(grouping::groups_that_fail(&rt, seeds));
    run(0..WARM);
    let before = resident();
    run(WARM..seeds);
    let after = resident();
    eprintln!("resident: {before} KB before, {after} KB after");
    // What an allocator keeps differs from round to round; a task that stayed would be there ten thousand times in each.
    assert!(
        after < before + before / 4,
        "{before} KB before, {after} KB after"
    );
}

/// The memory of this process, in KB.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.unwrap().split_whitespace().next();
    number.unwrap().parse().unwrap()
}

#[test]
fn trees_on_tokio() {
    trees(&on_four_workers(), 260_000, 1..=3);
}

#[test]
fn trees_on_smol() {
    trees(&smol::Launcher::new(), 60_000, 1..=2);
}

#[test]
fn trees_on_async_std() {
    trees(&async_std::Launcher::new(), 60_000, 1..=2);
}

#[test]
fn trees_on_futures() {
    trees(&futures::Launcher::new(), 60_000, 1..=2);
}

#[test]
fn groups_on_tokio() {
    groups(&on_four_workers());
}

#[test]
fn groups_on_tokio_current_thread() {
    groups(&tokio::Launcher::current_thread().unwrap());
}

#[test]
fn groups_on_manual() {
    groups(&Manual::new());
}

#[test]
fn groups_on_smol() {
    groups(&smol::Launcher::new());
}

#[test]
fn groups_on_async_std() {
    groups(&async_std::Launcher::new());
}

#[test]
fn groups_on_futures() {
    groups(&futures::Launcher::new());
}
