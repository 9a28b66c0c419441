//! Which stacks there are, and who may do what with them: the rules of programs.
//!
//! A *room* is where code runs: 0 is the program, and the exit of each entry is one of its own, named by the entry.
//! Each stack belongs to the room that made it. There it may be taken, closed and moved;
//! from other rooms entries may be added to it, unless it is nested in another stack, for then it may have been exited unseen.
//! `interpreter.py` has the same rules.

use std::collections::BTreeMap;

use crate::program::{Id, Target};

#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    seats: BTreeMap<Id, Seat>,
    /// The stack in which each entry is.
    homes: BTreeMap<Id, Id>,
}

#[derive(Clone, Copy, Debug)]
struct Seat {
    room: Id,
    place: Place,
}

/// Where a stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A block runs with it.
    Block,
    /// Nowhere yet.
    Free,
    /// An entry of another.
    In(Id),
}

impl Book {
    pub(crate) fn seat(&mut self, room: Id, stack: Id, place: Place) {
        self.seats.insert(stack, Seat { room, place });
    }

    pub(crate) fn house(&mut self, entry: Id, stack: Id) {
        self.homes.insert(entry, stack);
    }

    /// Whether code in `room` may do everything with the stack.
    pub(crate) fn is_own(&self, room: Id, stack: Id) -> bool {
        match self.seats.get(&stack) {
            Some(seat) if seat.room == room => match seat.place {
                Place::In(parent) => self.is_own(room, parent),
                _ => true,
            },
            _ => false,
        }
    }

    /// Whether it is also nowhere yet.
    pub(crate) fn is_free(&self, room: Id, stack: Id) -> bool {
        self.is_own(room, stack) && self.seats[&stack].place == Place::Free
    }

    pub(crate) fn parent(&self, stack: Id) -> Option<Id> {
        match self.seats.get(&stack)?.place {
            Place::In(parent) => Some(parent),
            _ => None,
        }
    }

    /// The stack to which code in `room` may add.
    pub(crate) fn target(&self, room: Id, to: Target) -> Option<Id> {
        match to {
            Target::Own => self.homes.get(&room).copied(),
            Target::Stack(id) => {
                let seat = self.seats.get(&id)?;
                let nested = matches!(seat.place, Place::In(_));
                (!nested || self.is_own(room, id)).then_some(id)
            }
        }
    }

    /// As [`target`](Self::target), where the stack `moved` is to be added.
    pub(crate) fn target_for(&self, room: Id, to: Target, moved: Id) -> Option<Id> {
        let target = self.target(room, to)?;
        let mut around = Some(target);
        while let Some(id) = around {
            if id == moved {
                return None;
            }
            around = self.parent(id);
        }
        self.is_free(room, moved).then_some(target)
    }

    /// All entries go from one stack to a new one.
    pub(crate) fn take(&mut self, room: Id, from: Id, into: Id) {
        for home in self.homes.values_mut().filter(|home| **home == from) {
            *home = into;
        }
        for seat in self.seats.values_mut() {
            if seat.place == Place::In(from) {
                seat.place = Place::In(into);
            }
        }
        self.seat(room, into, Place::Free);
    }

    /// The stack has been unwound: what was nested in it is gone.
    pub(crate) fn emptied(&mut self, stack: Id) {
        let inside: Vec<Id> = self
            .seats
            .iter()
            .filter(|(_, seat)| seat.place == Place::In(stack))
            .map(|(id, _)| *id)
            .collect();
        inside.into_iter().for_each(|id| self.gone(id));
    }

    /// The stack is gone.
    pub(crate) fn gone(&mut self, stack: Id) {
        self.emptied(stack);
        self.seats.remove(&stack);
    }

    /// The stacks that a room has not put anywhere.
    pub(crate) fn left_over(&self, room: Id) -> Vec<Id> {
        let mine = self.seats.iter().filter(|(_, seat)| seat.room == room);
        mine.filter(|(_, seat)| seat.place == Place::Free)
            .map(|(id, _)| *id)
            .collect()
    }
}
