//! Law 1, pairing: for every scope that was entered one exit, for the others none.
//! Law 2, order: exits start in the reverse of the order in which the entries were added.
//! Law 8: both hold also when the program is dropped at any poll, whoever finishes it.

use proptest::prelude::*;
use withal_core::Launch;
use withal_testing::{block_on, caught, drop_sweep_and};

use crate::config;
use crate::model::Model;
use crate::program::{in_order, programs};
use crate::run::{Came, Run};

/// The names behind a sign, in the order of the trace.
fn behind(sign: char, came: &Came) -> Vec<&str> {
    let marks = came.trace.iter();
    marks.filter_map(|mark| mark.strip_prefix(sign)).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_enter_has_one_exit(program in programs()) {
        let run = Run::new();
        // The ledger counts exits that are missing and those that come twice.
        let came = run.rt.block_on(run.to_the_end(&program));
        let mut entered = behind('+', &came);
        let mut exited = behind('~', &came);
        entered.sort_unstable();
        exited.sort_unstable();
        prop_assert_eq!(entered, exited);
    }

    #[test]
    fn exits_start_in_reverse(program in programs()) {
        let run = Run::new();
        let came = run.rt.block_on(run.to_the_end(&program));
        prop_assert_eq!(behind('~', &came), Model::of(&program).exits);
    }

    #[test]
    fn each_exit_ends_before_the_next_starts(program in programs()) {
        let run = Run::new();
        let came = run.rt.block_on(run.to_the_end(&program));
        check_one_at_a_time(&came);
    }

    #[test]
    fn dropped_at_every_poll(program in programs()) {
        let program = in_order(&program);
        block_on(drop_sweep_and(
            |ledger| {
                let run = Run::on(ledger);
                let program = &program;
                async move { caught(run.whole(program)).await }
            },
            |ledger, _| check_nesting(&ledger.trace()),
        ));
    }

    #[test]
    fn dropped_at_every_poll_out_of_order(program in programs()) {
        block_on(drop_sweep_and(
            |ledger| {
                let run = Run::on(ledger);
                let program = &program;
                async move { caught(run.whole(program)).await }
            },
            |_, _| {},
        ));
    }
}

/// Checks that the exits of a stack are not concurrent.
fn check_one_at_a_time(came: &Came) {
    let mut running = None;
    for mark in &came.trace {
        let (sign, name) = mark.split_at(1);
        match sign {
            "~" => assert_eq!(running.replace(name), None, "{:?}", came.trace),
            "-" => assert_eq!(running.take(), Some(name), "{:?}", came.trace),
            "!" if running == Some(name) => running = None,
            _ => {}
        }
    }
}

/// Checks that what was entered last exits first.
fn check_nesting(trace: &str) {
    let mut open = Vec::new();
    for mark in trace.split_whitespace() {
        if let Some(name) = mark.strip_prefix('+') {
            open.push(name);
        } else if let Some(name) = mark.strip_prefix('~') {
            assert_eq!(open.pop(), Some(name), "{trace}");
        }
    }
}
