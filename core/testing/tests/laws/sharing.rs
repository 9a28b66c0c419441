//! Law 11, reference counts: as many exits as enters, one generation at a time; who has a guard of one can neither release nor touch another; one that is released is not seen again.

use proptest::prelude::*;
use proptest::test_runner::Config;
use withal_core::{Launch, Report};
use withal_testing::{Ledger, Manual, block_on, cut_after, fault_sweep, hush_injected_panics};

use crate::config;
use crate::program::End;
use crate::users::{Ended, Run};
use crate::uses::{Plan, Program, programs};

/// A program in which nobody panics and nobody is stopped.
fn quiet(program: &Program) -> Program {
    let calm = |(yields, end): Plan| match end {
        End::Panics => (yields, End::Fails),
        end => (yields, end),
    };
    let mut program = program.clone();
    for plans in &mut program.scopes {
        for (enter, exit) in plans {
            (*enter, *exit) = (calm(*enter), calm(*exit));
        }
    }
    let uses = program.users.iter_mut().flatten();
    uses.for_each(|one| {
        one.change(&|one| {
            one.cut = None;
            one.end = calm((0, one.end)).1;
        });
    });
    program
}

/// The same in which nothing fails, but what the harness makes fail.
fn faultless(program: &Program) -> Program {
    let mut program = quiet(program);
    for (enter, exit) in program.scopes.iter_mut().flatten() {
        (enter.1, exit.1) = (End::Well, End::Well);
    }
    let uses = program.users.iter_mut().flatten();
    uses.for_each(|one| one.change(&|one| one.end = End::Well));
    program
}

fn fewer(cases: u32) -> Config {
    Config {
        cases: config().cases.div_ceil(256 / cases),
        ..config()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn each_generation_is_released_once(program in programs(6, 3)) {
        hush_injected_panics();
        Manual::new().block_on(async {
            let run = Run::new(&Ledger::new(), &program);
            run.all(&program).await;
            run.check().await;
        });
    }

    #[test]
    fn each_error_has_its_user(program in programs(6, 3)) {
        let program = quiet(&program);
        Manual::new().block_on(async {
            let run = Run::new(&Ledger::new(), &program);
            run.all(&program).await;
            let mut failed = run.failed();
            let mut got = Vec::new();
            for ended in run.ended.lock().unwrap().iter() {
                match ended {
                    Ended::Failed(errors) => got.extend(errors.iter().filter(|error| *error != "body").cloned()),
                    ended => assert_eq!(*ended, Ended::Well),
                }
            }
            failed.sort_unstable();
            got.sort_unstable();
            assert_eq!(failed, got);
            run.check().await;
        });
    }
}

proptest! {
    #![proptest_config(fewer(64))]

    #[test]
    fn all_users_dropped_at_every_poll(program in programs(4, 2)) {
        hush_injected_panics();
        block_on(async {
            for polls in 0.. {
                let run = Run::new(&Ledger::new(), &program);
                let completed = cut_after(polls, run.all(&program)).await;
                run.check().await;
                if completed.is_some() {
                    break;
                }
            }
        });
    }
}

proptest! {
    #![proptest_config(fewer(16))]

    #[test]
    fn every_fault_has_its_user(program in programs(3, 1)) {
        let program = faultless(&program);
        let run = |ledger: &Ledger| {
            let (run, program) = (Run::new(ledger, &program), &program);
            async move {
                run.all(program).await;
                match format!("{:?}", run.ended.lock().unwrap()) {
                    told if told.contains('#') => Err(Report::msg(told)),
                    _ => Ok(()),
                }
            }
        };
        block_on(fault_sweep(run));
    }
}
