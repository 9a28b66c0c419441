//! The laws of scopes that hold for every program with exit stacks, on random programs.
//!
//! The programs are the same in every run; `PROPTEST_CASES` makes more of them, and `PROPTEST_RNG_SEED` others.

mod agreement;
mod closing;
mod mask;
mod model;
mod order;
mod program;
mod run;
mod sharing;
mod swap;
mod told;
mod unit;
mod users;
mod uses;

use proptest::test_runner::{Config, RngSeed};

/// As it is set by the environment, and else always the same.
pub(crate) fn config() -> Config {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    match config.rng_seed {
        RngSeed::Random => Config {
            rng_seed: RngSeed::Fixed(0),
            ..config
        },
        RngSeed::Fixed(_) => config,
    }
}
