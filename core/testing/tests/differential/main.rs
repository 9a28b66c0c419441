//! The differential test of the exit stack: random programs run in Python's `contextlib.AsyncExitStack` and in ours.
//!
//! The traces are equal: which exits run, in which order, and which error each of them sees.
//! The surviving errors are equal, too, except that Python loses some and we have them all. It loses
//!
//! * all but the last of several exits, when there is no error of the body around them, and
//! * what came before an error of which the chain was cut further in, by a suppression or by closing a stack by hand.
//!
//! It needs Python 3.11 or later. The programs of fixed seeds are run; others by the environment:
//! `WITHAL_SEED` is the first seed, `WITHAL_PROGRAMS` how many follow each other, and `PYTHON` another interpreter.

mod book;
mod comparison;
mod cpython;
mod generator;
mod json;
mod managed;
mod model;
mod oops;
mod ours;
mod program;
mod shrink;
mod source;

use std::io::Write;

use withal_testing::LostErrors;

use comparison::compare;
use cpython::Cpython;
use generator::Generator;
use model::{Flaw, Model};
use program::{Run, Steps};

/// How many programs of which seeds: the defaults.
const FIRST: u64 = 0;
const PROGRAMS: u64 = 12_000;

#[test]
fn programs_run_as_in_cpython() {
    let first = number("WITHAL_SEED", FIRST);
    let seeds = first..first + number("WITHAL_PROGRAMS", PROGRAMS);
    let programs: Vec<Steps> = seeds.clone().map(Generator::program).collect();
    let mut cpython = Cpython::start();
    let lost = LostErrors::listen();
    let (mut exits, mut events, mut failed, mut more) = (0, 0, 0, 0);
    for ((seed, program), there) in seeds.clone().zip(&programs).zip(cpython.run(&programs)) {
        match compare(program, &there, &ours::run(program)) {
            Ok(model) => {
                exits += model.exits;
                events += there.trace.len();
                failed += usize::from(!model.run.caught.is_empty());
                more += usize::from(model.run.caught != there.caught);
            }
            Err(_) => panic!(
                "seed {seed} (again: WITHAL_SEED={seed} WITHAL_PROGRAMS=1)\n{}",
                explain(&mut cpython, program, ours::run)
            ),
        }
    }
    // Past the capture of the test harness, so that the seeds are in every log.
    let _ = writeln!(
        std::io::stderr(),
        "{}: {} programs of the seeds {seeds:?}, {exits} exits, {events} events; \
         errors survive in {failed}, and in {more} of these more here than there",
        cpython.version,
        programs.len(),
    );
    assert_eq!(lost.containing(""), [""; 0], "no error went to the hook");
    assert!(withal_core::unfinished().is_empty(), "nothing is left open");
}

/// The test of the test: whoever does one thing wrong is found out, and by a program that is easy to read.
#[test]
fn every_flaw_is_found() {
    let programs: Vec<Steps> = (0..1_000).map(Generator::program).collect();
    let mut cpython = Cpython::start();
    let runs = cpython.run(&programs);
    for flaw in Flaw::ALL {
        let flawed = |program: &Steps| Model::of(program, Some(flaw)).run;
        let found: Vec<_> = std::iter::zip(&programs, &runs)
            .filter(|(program, there)| compare(program, there, &flawed(program)).is_err())
            .collect();
        assert!(found.len() >= 50, "{flaw:?} is hardly found");
        let small = smallest(&mut cpython, found[0].0, flawed);
        assert!(
            shrink::size(&small) <= 4,
            "{flaw:?}:\n{}",
            source::both(&small)
        );
    }
}

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().expect("it is a number"),
        Err(_) => default,
    }
}

/// The smallest program on which an interpreter still fails.
fn smallest(cpython: &mut Cpython, program: &Steps, interpreter: impl Fn(&Steps) -> Run) -> Steps {
    shrink::shrink(program.clone(), |program| {
        let there = &cpython.run(std::slice::from_ref(program))[0];
        compare(program, there, &interpreter(program)).is_err()
    })
}

/// What goes wrong, on the smallest program.
fn explain(cpython: &mut Cpython, program: &Steps, interpreter: impl Fn(&Steps) -> Run) -> String {
    let small = smallest(cpython, program, &interpreter);
    let there = &cpython.run(std::slice::from_ref(&small))[0];
    let difference = compare(&small, there, &interpreter(&small));
    format!(
        "{}\n{}",
        source::both(&small),
        difference.err().unwrap_or_default()
    )
}
