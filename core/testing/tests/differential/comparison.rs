//! What must be the same in Python and in an interpreter of ours.

use crate::model::Model;
use crate::program::{Id, Run, Step};

/// Compares what was seen of a program.
///
/// The traces are equal.
/// The surviving errors are all those that the model says; Python has these or, of each list, some in the same order:
/// at least those that the model says it keeps. (A later Python may lose fewer.)
pub(crate) fn compare(program: &[Step], cpython: &Run, ours: &Run) -> Result<Model, String> {
    let model = Model::of(program, None);
    if ours.trace != cpython.trace {
        let same = ours.trace.iter().zip(&cpython.trace);
        let same = same.take_while(|(ours, cpython)| ours == cpython).count();
        return Err(format!(
            "CPython's trace and ours part after {same} events:\n  CPython {:?}\n  ours    {:?}",
            &cpython.trace[same..],
            &ours.trace[same..],
        ));
    }
    let survivors = [&cpython.caught, &ours.caught, &model.run.caught];
    let same = ours.caught == model.run.caught
        && cpython.caught.len() == ours.caught.len()
        && std::iter::zip(&model.kept, &cpython.caught).all(is_within)
        && std::iter::zip(&cpython.caught, &ours.caught).all(is_within);
    match same {
        true => Ok(model),
        false => Err(format!(
            "other errors survive:\n  CPython {:?}\n  ours    {:?}\n  all     {:?}\n  CPython keeps at least {:?}",
            survivors[0], survivors[1], survivors[2], model.kept,
        )),
    }
}

/// Whether the first is what is left of the second when some are taken out.
fn is_within((some, all): (&Vec<Id>, &Vec<Id>)) -> bool {
    let mut all = all.iter();
    some.iter().all(|id| all.any(|other| other == id))
}
