//! Law 5, unit and associativity: what does nothing changes nothing, and it does not matter how a program is cut into stacks.
//! Law 6, wrappers: what is put around a scope keeps its release and its exit case.

use proptest::prelude::*;
use withal_core::Launch;

use crate::config;
use crate::program::{End, Inner, Step, Steps, in_order, programs, replaced, without_faults};
use crate::run::{Came, Dress, Manner, Run};

/// What comes of a run, and what each entry has seen.
fn came_and_seen(run: &Run, steps: &[Step]) -> (Came, Vec<Option<String>>) {
    let came = run.rt.block_on(run.to_the_end(steps));
    let names = came.trace.iter().filter_map(|mark| mark.strip_prefix('~'));
    let seen = names.map(|name| run.outcome(name)).collect();
    (came, seen)
}

/// The same without where it was entered, which is another line for another wrapper, and under which name.
fn without_places((came, seen): (Came, Vec<Option<String>>)) -> (Came, Vec<Option<String>>) {
    let plain = |text: &String| -> String {
        let lines = text.lines().map(|line| match line.split_once("): ") {
            Some((_, what)) => what,
            None => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let came = Came {
        trace: came.trace,
        ended: came.ended.map(|ended| ended.map_err(|text| plain(&text))),
        lost: came.lost.iter().map(plain).collect(),
    };
    (came, seen)
}

/// The same without the order in which it was lost.
fn wherever_and_whenever(came: (Came, Vec<Option<String>>)) -> (Came, Vec<Option<String>>) {
    let (mut came, seen) = without_places(came);
    came.lost.sort();
    (came, seen)
}

/// All of it.
fn as_told(came: (Came, Vec<Option<String>>)) -> (Came, Vec<Option<String>>) {
    came
}

/// Without what is bound to one stack: keys, and taking all that is in it.
fn unbound(steps: &[Step]) -> Steps {
    replaced(&in_order(steps), &|step| match step {
        Step::Take { .. } => Vec::new(),
        step => vec![step],
    })
}

/// The same with all steps in one stack, but for what is closed by hand.
fn flat(steps: &[Step]) -> Steps {
    replaced(steps, &|step| match step {
        Step::Inner {
            steps,
            closed: false,
            ..
        } => steps,
        step => vec![step],
    })
}

/// The same with each step but the first in a stack inside of that of the step before.
fn nested(steps: &[Step], how: Inner) -> Steps {
    let mut nested = Steps::new();
    for step in steps.iter().rev() {
        let steps = std::mem::replace(&mut nested, vec![step.clone()]);
        if !steps.is_empty() {
            nested.push(Step::Inner {
                how,
                steps,
                closed: false,
            });
        }
    }
    nested
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_does_nothing_changes_nothing(program in programs()) {
        let units = Run::like(Manner { units: true, ..Manner::default() });
        prop_assert_eq!(came_and_seen(&Run::new(), &program), came_and_seen(&units, &program));
    }

    #[test]
    fn stacks_are_associative(program in programs()) {
        // A panic that goes through an inner stack is told under the name of that, and what else is lost thereby when that has ended.
        let quiet = without_faults(&program, |end| end != End::Panics);
        for (program, told) in [(quiet, as_told as fn(_) -> _), (program, wherever_and_whenever)] {
            let program = unbound(&program);
            let come = |steps: &Steps| told(came_and_seen(&Run::new(), steps));
            let expected = come(&flat(&program));
            prop_assert_eq!(&expected, &come(&program));
            for how in [Inner::Fork, Inner::Nest] {
                prop_assert_eq!(&expected, &come(&nested(&flat(&program), how)));
            }
        }
    }

    #[test]
    fn taking_changes_nothing(program in programs()) {
        let taken = in_order(&program);
        let stays = replaced(&taken, &|step| match step {
            Step::Take { closed: false } => Vec::new(),
            step => vec![step],
        });
        prop_assert_eq!(came_and_seen(&Run::new(), &stays), came_and_seen(&Run::new(), &taken));
    }

    #[test]
    fn wrappers_keep_release_and_outcome(program in programs()) {
        let expected = without_places(came_and_seen(&Run::new(), &program));
        for dress in [Dress::Named, Dress::Protected, Dress::ExitWithin] {
            let run = Run::like(Manner { dress, ..Manner::default() });
            prop_assert_eq!(&expected, &without_places(came_and_seen(&run, &program)), "{:?}", dress);
        }
    }

    #[test]
    fn wrappers_with_another_guard_do_so_too(program in programs()) {
        let program = in_order(&program);
        let expected = without_places(came_and_seen(&Run::new(), &program));
        for dress in [Dress::Boxed, Dress::ViewAs] {
            let run = Run::like(Manner { dress, ..Manner::default() });
            prop_assert_eq!(&expected, &without_places(came_and_seen(&run, &program)), "{:?}", dress);
        }
    }
}
