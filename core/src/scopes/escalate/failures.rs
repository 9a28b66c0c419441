//! What has failed so far in a release.

use std::panic::resume_unwind;
use std::time::Duration;

use crate::frame::Panic;
use crate::lost;
use crate::report::{Entry, Label, Phase, Report, What};
use crate::verdict::Propagate;

/// The attempts that have failed. Dropped, it tells of them.
#[derive(Default)]
pub(super) struct Failures {
    entries: Vec<Entry>,
    /// The first panic, and the place of its entry.
    panic: Option<(usize, Panic)>,
}

impl Failures {
    /// Adds what came of an attempt, or of the drop of the value.
    pub(super) fn add(
        &mut self,
        ended: Option<Result<Result<(), Report>, Panic>>,
        label: &Label,
        took: Option<Duration>,
    ) {
        let place = self.entries.len();
        let what = match ended {
            Some(Ok(Ok(()))) => return,
            Some(Ok(Err(report))) => {
                let all = Entry::all_at(Entry::split(report), Phase::Exit, label);
                self.entries.extend(all);
                None
            }
            Some(Err(panic)) => {
                let message = lost::message(&**panic).to_owned();
                if self.panic.is_none() {
                    self.panic = Some((place, panic));
                } else {
                    lost::discard(panic);
                }
                Some(What::Panic(message))
            }
            None => Some(What::Overdue),
        };
        let entry = what.map(|what| Entry::new(what).at(Phase::Exit, label));
        self.entries.extend(entry);
        if let Some(took) = took {
            let added = &mut self.entries[place..];
            added.iter_mut().for_each(|entry| entry.set_took(took));
        }
    }

    /// What the exit gives.
    pub(super) fn conclude(mut self, released: bool) -> Result<Propagate, Report> {
        if let Some((place, panic)) = self.panic.take() {
            // I7: it goes on, and everything else has nowhere to go.
            self.entries.remove(place);
            drop(self);
            resume_unwind(*panic);
        }
        if released {
            return Ok(Propagate);
        }
        match Report::of(std::mem::take(&mut self.entries)) {
            Some(report) => Err(report),
            None => unreachable!("there is a step, and its attempt has failed"),
        }
    }
}

impl Drop for Failures {
    fn drop(&mut self) {
        self.entries.drain(..).for_each(lost::tell);
        if let Some((_, panic)) = self.panic.take() {
            lost::discard(panic);
        }
    }
}
