//! Law 4, agreement: all exits of one stack see the same outcome, unless one of them changes it.
//! Law 7: concurrent exits are the same exits, and see the same; what is inside of one of them keeps its order.

use std::collections::BTreeSet;

use proptest::prelude::*;
use withal_core::{Launch, Reason, until};
use withal_testing::yield_times;

use crate::config;
use crate::program::{How, Inner, Step, Steps, in_order, programs, replaced, without_faults};
use crate::run::{Came, Manner, Run};

/// The same without those entries that are not told the outcome.
fn told_the_outcome(steps: &[Step]) -> Steps {
    replaced(steps, &|step| match step {
        Step::Add(mut add) => {
            if matches!(add.how, How::Defer | How::Callback) {
                add.how = How::Push;
            }
            vec![Step::Add(add)]
        }
        step => vec![step],
    })
}

/// The names of the exits that start after the body has ended.
fn after_the_body(came: &Came) -> impl Iterator<Item = &str> {
    let body = came.trace.iter().position(|mark| mark == "end.");
    let rest = &came.trace[body.unwrap_or(0)..];
    rest.iter().filter_map(|mark| mark.strip_prefix('~'))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn all_see_the_end_of_the_body(program in programs(), fails in any::<bool>()) {
        let mut program = told_the_outcome(&without_faults(&program, |_| false));
        program.extend(fails.then_some(Step::Fail));
        let run = Run::new();
        let came = run.rt.block_on(run.to_the_end(&program));
        let expected = match &came.ended {
            Ok(Ok(())) => "success".to_owned(),
            Ok(Err(error)) => format!("failure: {error}"),
            Err(panic) => panic!("{panic}"),
        };
        for name in after_the_body(&came) {
            prop_assert_eq!(run.outcome(name), Some(expected.clone()), "{}", name);
        }
    }

    #[test]
    fn all_see_the_reason(program in programs(), polls in 0..40_usize) {
        let program = told_the_outcome(&without_faults(&program, |_| false));
        let run = Run::new();
        let signal = async {
            yield_times(polls).await;
            run.ledger.say("end.");
            Reason::Requested("enough")
        };
        let ended = run.rt.block_on(until(signal, run.whole(&program)));
        let came = run.came(Ok(Ok(())));
        if ended.is_err() {
            // What was being closed by hand when the signal came goes on, and has seen a success.
            let seen: Vec<_> = after_the_body(&came).filter_map(|name| run.outcome(name)).collect();
            let first = seen.iter().position(|outcome| outcome != "success");
            let cancelled = &seen[first.unwrap_or(seen.len())..];
            prop_assert!(cancelled.iter().all(|outcome| outcome == "cancelled: enough"), "{:?}", seen);
        }
    }

    #[test]
    fn at_once_all_see_the_end_of_the_body(program in programs(), at_most in 1..5_usize) {
        // Stacks inside of this one are concurrent with the rest, but not in themselves.
        let program = replaced(&told_the_outcome(&program), &|step| match step {
            Step::Inner { .. } | Step::Take { .. } => Vec::new(),
            step => vec![step],
        });
        let run = Run::like(Manner { at_once: Some(at_most), ..Manner::default() });
        let came = run.rt.block_on(run.to_the_end(&program));
        let seen: BTreeSet<_> = after_the_body(&came).map(|name| run.outcome(name)).collect();
        prop_assert!(seen.len() <= 1, "{:?}", seen);
    }

    #[test]
    fn at_once_the_same_exit(program in programs(), at_most in 1..5_usize) {
        let program = told_the_outcome(&without_faults(&program, |_| false));
        let exits = |at_once| {
            let run = Run::like(Manner { at_once, ..Manner::default() });
            let came = run.rt.block_on(run.to_the_end(&program));
            let names = came.trace.iter().filter_map(|mark| mark.strip_prefix('~'));
            let exits: BTreeSet<_> = names.map(|name| (name.to_owned(), run.outcome(name))).collect();
            (exits, came.ended)
        };
        prop_assert_eq!(exits(None), exits(Some(at_most)));
    }

    #[test]
    fn at_once_each_branch_keeps_its_order(branches in prop::collection::vec(programs(), 0..4), at_most in 1..5_usize) {
        let branch = |program: &Steps| in_order(&without_faults(program, |_| false));
        let branches: Vec<Steps> = branches.iter().map(branch).collect();
        let sequential: Vec<Vec<String>> = branches.iter().map(|steps| {
            let run = Run::new();
            exits(&run.rt.block_on(run.to_the_end(steps)))
        }).collect();
        let inner = |steps| Step::Inner { how: Inner::Nest, steps, closed: false };
        let run = Run::like(Manner { at_once: Some(at_most), ..Manner::default() });
        let all: Steps = branches.into_iter().map(inner).collect();
        let came = run.rt.block_on(run.to_the_end(&all));
        let mut first = 0;
        for branch in sequential {
            // The entries are numbered through.
            let names: Vec<String> = branch.iter().map(|name| renumbered(name, first)).collect();
            let kept: Vec<String> = exits(&came).into_iter().filter(|name| names.contains(name)).collect();
            prop_assert_eq!(&kept, &names);
            first += names.len();
        }
    }
}

fn exits(came: &Came) -> Vec<String> {
    let names = came.trace.iter().filter_map(|mark| mark.strip_prefix('~'));
    names.map(str::to_owned).collect()
}

fn renumbered(name: &str, first: usize) -> String {
    let number: usize = name[1..name.len() - 1].parse().expect("a number");
    format!("e{}x", number + first)
}
