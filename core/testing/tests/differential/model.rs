//! What an exit stack does, in the plainest way: without futures, and with a list of the errors.
//!
//! It says which errors must survive, and which of them Python keeps.
//! Python has no list: an error names the one before it as its context, and the stack mends that chain, so far as it can see.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::book::{Book, Place};
use crate::program::{Action, Answer, Block, Entry, How, Id, Oops, Run, Step};

/// What an interpreter may do wrong: for the test of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// First in, first out.
    Queue,
    /// Nothing is suppressed.
    Deaf,
    /// Every exit sees the error of the body.
    Stale,
    /// An exit that fails is the last one.
    GivesUp,
    /// What is added while unwinding is not run.
    Closed,
    /// What is taken stays.
    Keeps,
    /// Only the last error is kept.
    Forgets,
}

impl Flaw {
    pub(crate) const ALL: [Self; 7] = [
        Self::Queue,
        Self::Deaf,
        Self::Stale,
        Self::GivesUp,
        Self::Closed,
        Self::Keeps,
        Self::Forgets,
    ];
}

/// The errors so far, in order of time: the last is the current one.
type Errors = Vec<Oops>;

/// What a stack holds.
#[derive(Clone)]
enum Held {
    Entry(How, Entry),
    Stack(Id),
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) run: Run,
    /// For each error that was caught, what Python has kept.
    pub(crate) kept: Vec<Vec<Id>>,
    /// How many exits ran.
    pub(crate) exits: usize,
    flaw: Option<Flaw>,
    book: Book,
    stacks: BTreeMap<Id, Vec<Held>>,
    /// Python's `__context__` of each error.
    contexts: BTreeMap<Id, Id>,
}

impl Model {
    /// Runs a program.
    pub(crate) fn of(program: &[Step], flaw: Option<Flaw>) -> Self {
        let mut model = Self {
            flaw,
            ..Self::default()
        };
        if let Err(errors) = model.room(0, program, None) {
            model.catch(&errors, None);
        }
        model
    }

    fn log(&mut self, event: &str, what: impl Display) {
        self.run.trace.push(format!("{event} {what}"));
    }

    /// Runs code; `around` is the error that is being handled meanwhile.
    fn room(&mut self, room: Id, steps: &[Step], around: Option<Id>) -> Result<(), Errors> {
        let done = self.steps(room, steps, around);
        let failed = done.as_ref().err().map(|errors| last(errors).id);
        for stack in self.book.left_over(room) {
            if let Err(errors) = self.close(stack, failed.or(around)) {
                self.catch(&errors, failed.or(around));
            }
            self.book.gone(stack);
        }
        done
    }

    fn steps(&mut self, room: Id, steps: &[Step], around: Option<Id>) -> Result<(), Errors> {
        for step in steps {
            match self.step(room, &step.action, around) {
                Err(errors) if step.tried => self.catch(&errors, around),
                done => done?,
            }
        }
        Ok(())
    }

    fn step(&mut self, room: Id, action: &Action, around: Option<Id>) -> Result<(), Errors> {
        match action {
            Action::Add { to, how, entry } => {
                let Some(stack) = self.book.target(room, *to) else {
                    return self.skip(entry.id);
                };
                if matches!(how, How::Enter | How::EnterSync) {
                    self.log("enter", entry.id);
                    if let Some(oops) = entry.enter_fails {
                        return self.raise(oops, around);
                    }
                }
                self.book.house(entry.id, stack);
                self.add(stack, Held::Entry(*how, entry.clone()));
            }
            Action::With(block) => return self.block(room, block, around),
            Action::Reuse(block) if self.book.is_free(room, block.stack) => {
                return self.block(room, block, around);
            }
            Action::Make { stack } => self.book.seat(room, *stack, Place::Free),
            Action::Nest { to, stack, .. } => {
                let Some(target) = self.book.target(room, *to) else {
                    return self.skip(*stack);
                };
                self.book.seat(room, *stack, Place::In(target));
                self.add(target, Held::Stack(*stack));
            }
            Action::Move { to, stack, .. } => {
                let Some(target) = self.book.target_for(room, *to, *stack) else {
                    return self.skip(*stack);
                };
                self.book.seat(room, *stack, Place::In(target));
                self.add(target, Held::Stack(*stack));
            }
            Action::Take { from, into } if self.book.is_own(room, *from) => {
                if self.flaw != Some(Flaw::Keeps) {
                    let taken = self.stacks.remove(from).unwrap_or_default();
                    self.stacks.insert(*into, taken);
                }
                self.book.take(room, *from, *into);
            }
            Action::Close { stack } if self.book.is_own(room, *stack) => {
                return self.close(*stack, around);
            }
            Action::Finish { stack } if self.book.is_own(room, *stack) => {
                let done = self.close(*stack, around);
                self.book.gone(*stack);
                return done;
            }
            Action::Take { from: stack, .. }
            | Action::Reuse(Block { stack, .. })
            | Action::Close { stack }
            | Action::Finish { stack } => return self.skip(*stack),
        }
        Ok(())
    }

    fn skip(&mut self, what: Id) -> Result<(), Errors> {
        self.log("skipped", what);
        Ok(())
    }

    fn add(&mut self, stack: Id, held: Held) {
        self.stacks.entry(stack).or_default().push(held);
    }

    fn block(&mut self, room: Id, block: &Block, around: Option<Id>) -> Result<(), Errors> {
        let id = block.stack;
        self.book.seat(room, id, Place::Block);
        let body = self.steps(room, &block.steps, around).and_then(|()| {
            self.log("end", id);
            block.end.map_or(Ok(()), |oops| self.raise(oops, around))
        });
        let errors = body.err().unwrap_or_default();
        let ended = errors.is_empty();
        let handled = errors.last().map(|oops| oops.id).or(around);
        let errors = self.unwind(id, errors, handled);
        self.book.gone(id);
        if !errors.is_empty() {
            return Err(errors);
        }
        self.log(if ended { "left" } else { "suppressed" }, id);
        Ok(())
    }

    fn close(&mut self, stack: Id, around: Option<Id>) -> Result<(), Errors> {
        let errors = self.unwind(stack, Vec::new(), around);
        self.book.emptied(stack);
        if !errors.is_empty() {
            return Err(errors);
        }
        self.log("closed", stack);
        Ok(())
    }

    /// Exits all entries; what is left of `errors`, and what has come.
    fn unwind(&mut self, stack: Id, mut errors: Errors, around: Option<Id>) -> Errors {
        let of_body = errors.last().copied();
        let mut at_first = self.stacks.get(&stack).map_or(0, Vec::len);
        while let Some(held) = self.pop(stack) {
            let before = errors.last().copied();
            let seen = if self.flaw == Some(Flaw::Stale) {
                of_body
            } else {
                before
            };
            match held {
                Held::Entry(how, entry) => match self.exit(how, &entry, seen, around) {
                    Ok(true) if self.flaw != Some(Flaw::Deaf) => errors.clear(),
                    Ok(_) => {}
                    Err(new) if self.flaw == Some(Flaw::Forgets) => errors = new,
                    Err(new) => errors.extend(new),
                },
                Held::Stack(inner) => errors = self.unwind(inner, errors, around),
            }
            if let Some(new) = errors.last()
                && Some(*new) != before
            {
                self.splice(new.id, before.map(|oops| oops.id), around);
                if self.flaw == Some(Flaw::GivesUp) {
                    break;
                }
            }
            at_first = at_first.saturating_sub(1);
            if self.flaw == Some(Flaw::Closed) && at_first == 0 {
                break;
            }
        }
        errors
    }

    fn pop(&mut self, stack: Id) -> Option<Held> {
        let held = self.stacks.get_mut(&stack)?;
        if self.flaw == Some(Flaw::Queue) && !held.is_empty() {
            return Some(held.remove(0));
        }
        held.pop()
    }

    /// Whether the exit suppresses what it sees.
    fn exit(
        &mut self,
        how: How,
        entry: &Entry,
        current: Option<Oops>,
        around: Option<Id>,
    ) -> Result<bool, Errors> {
        self.exits += 1;
        let current = current.filter(|_| how.sees());
        let seen = current.map_or("nothing".to_owned(), |oops| oops.to_string());
        self.log("exit", format!("{} sees {seen}", entry.id));
        if entry.exit_pauses > 0 {
            self.log("exit", format!("{} goes on", entry.id));
        }
        self.room(entry.id, &entry.exit_steps, around)?;
        match entry.answer {
            Answer::Fail(oops) => self.raise(oops, around)?,
            Answer::Replace(oops) if current.is_some() => self.raise(oops, around)?,
            Answer::Suppress(kind) if how.sees() => {
                return Ok(kind.is_none_or(|kind| current.is_some_and(|oops| oops.kind == kind)));
            }
            _ => {}
        }
        Ok(false)
    }

    /// An error is made while another one is being handled.
    fn raise(&mut self, oops: Oops, around: Option<Id>) -> Result<(), Errors> {
        if let Some(around) = around {
            self.contexts.insert(oops.id, around);
        }
        Err(vec![oops])
    }

    /// What Python does so that an exit's error is followed by the one before it.
    ///
    /// It looks for the end of the chain, and knows it by the error that is being handled:
    /// where none is, or where the chain was cut by a suppression further in, the errors before are lost.
    fn splice(&mut self, new: Id, old: Option<Id>, around: Option<Id>) {
        let mut end = new;
        while let Some(&context) = self.contexts.get(&end) {
            if Some(context) == old {
                return;
            }
            if Some(context) == around {
                match old {
                    Some(old) => self.contexts.insert(end, old),
                    None => self.contexts.remove(&end),
                };
                return;
            }
            end = context;
        }
    }

    fn catch(&mut self, errors: &Errors, around: Option<Id>) {
        self.log("caught", last(errors));
        self.run
            .caught
            .push(errors.iter().map(|oops| oops.id).collect());
        let mut kept = Vec::new();
        let mut next = Some(last(errors).id);
        while let Some(id) = next.filter(|id| Some(*id) != around) {
            kept.insert(0, id);
            next = self.contexts.get(&id).copied();
        }
        self.kept.push(kept);
    }
}

fn last(errors: &Errors) -> Oops {
    *errors.last().expect("a failure has an error")
}
