//! A group is itself a scope: it nests, and is a member of everything that takes scopes.

use std::borrow::Cow;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek};
use crate::failure::Fault;
use crate::outcome::{Outcome, Reason};
use crate::report::Entry;
use crate::verdict::Propagate;

use super::TaskGroup;
use super::error::GroupError;

/// Ends a group: after a success it waits for its tasks, else it cancels them before.
async fn end<E: Fault>(group: &TaskGroup<E>, outcome: Outcome<'_>) {
    match outcome {
        Outcome::Success => {}
        Outcome::Cancelled(cancelled) => group.shared.close(cancelled.reason),
        _ => group.shared.close(Reason::SiblingFailed),
    }
    group.shared.ended_for_good().await;
}

impl<E: Fault> Bracket for TaskGroup<E> {
    type Held = Self;
    type View = Self;
    type Error = GroupError<E>;
    type Verdict = Propagate;
    type Tag = ();

    fn tag(&self) {}

    fn name((): &()) -> Cow<'static, str> {
        Cow::Borrowed("TaskGroup")
    }

    async fn begin(self, _: Armed<Self>) -> Result<Self, GroupError<E>> {
        Ok(self)
    }

    fn view(held: &mut Self) -> &mut Self {
        held
    }

    fn entries(error: GroupError<E>) -> Vec<Entry> {
        error.into_entries()
    }

    async fn end(held: Self, outcome: Outcome<'_>) -> Result<Propagate, GroupError<E>> {
        end(&held, outcome).await;
        let (failures, exits) = held.shared.take_failures();
        if failures.is_empty() && exits.is_empty() {
            return Ok(Propagate);
        }
        Err(GroupError::new(failures, None, exits))
    }
}

impl<E: Fault> Peek for TaskGroup<E> {
    fn peek(held: &Self) -> &Self {
        held
    }
}

impl<E: Fault> Member for TaskGroup<E> {
    type Part = Self;
    type Rest = ();

    fn part(held: Self) -> (Self, ()) {
        (held, ())
    }

    fn whole(part: Self, (): ()) -> Self {
        part
    }
}
