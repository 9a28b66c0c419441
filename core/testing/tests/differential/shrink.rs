//! Making a program that fails smaller, as long as it fails.

use crate::program::{Action, Answer, Entry, Step, Steps};

/// A program that fails, and none of the programs that have one thing less does.
pub(crate) fn shrink(mut program: Steps, mut fails: impl FnMut(&Steps) -> bool) -> Steps {
    let mut edit = 0;
    // Round and round, until every edit was tried in vain.
    let mut in_vain = 0;
    loop {
        let mut smaller = program.clone();
        if !Edit(edit).steps(&mut smaller) {
            if in_vain >= edit {
                return program;
            }
            edit = 0;
        } else if fails(&smaller) {
            program = smaller;
            in_vain = 0;
        } else {
            edit += 1;
            in_vain += 1;
        }
    }
}

/// How many steps there are, at all depths.
pub(crate) fn size(steps: &[Step]) -> usize {
    let inner = |step: &Step| match &step.action {
        Action::Add { entry, .. } => size(&entry.exit_steps),
        Action::With(block) | Action::Reuse(block) => size(&block.steps),
        _ => 0,
    };
    steps.iter().map(|step| 1 + inner(step)).sum()
}

/// Counts down to the thing that is taken away.
struct Edit(usize);

impl Edit {
    fn is_here(&mut self) -> bool {
        let here = self.0 == 0;
        self.0 = self.0.wrapping_sub(1);
        here
    }

    /// Whether it was among these.
    fn steps(&mut self, steps: &mut Steps) -> bool {
        for index in 0..steps.len() {
            if self.is_here() {
                steps.remove(index);
                return true;
            }
            let step = &mut steps[index];
            let done = match &mut step.action {
                Action::Add { entry, .. } => self.entry(entry),
                Action::With(block) | Action::Reuse(block) => {
                    if self.is_here() {
                        // The block goes, and its steps stay.
                        let inner = std::mem::take(&mut block.steps);
                        steps.splice(index..=index, inner);
                        return true;
                    }
                    self.steps(&mut block.steps) || self.value(&mut block.end, None)
                }
                _ => false,
            };
            let done = done || self.value(&mut step.tried, false);
            if done {
                return true;
            }
        }
        false
    }

    fn entry(&mut self, entry: &mut Entry) -> bool {
        self.steps(&mut entry.exit_steps)
            || self.value(&mut entry.enter_fails, None)
            || self.value(&mut entry.enter_pauses, 0)
            || self.value(&mut entry.exit_pauses, 0)
            || self.value(&mut entry.answer, Answer::Pass)
    }

    fn value<T: PartialEq>(&mut self, value: &mut T, simple: T) -> bool {
        if *value == simple || !self.is_here() {
            return false;
        }
        *value = simple;
        true
    }
}
