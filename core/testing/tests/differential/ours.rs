//! Our interpreter of programs.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use withal_core::{ExitStack, Fault, Key, Outcome, Recover, Report, ScopeExt, StackHandle};
use withal_testing::{block_on, caught};

use crate::book::{Book, Place};
use crate::managed::Managed;
use crate::oops::{joined, last, oops};
use crate::program::{
    Action, Block, Entry, How, Id, Moving, Nesting, Oops, Run, Step, Steps, Target,
};

type Stack = ExitStack<Recover>;
/// A lease or a key, whatever it is on.
type Leased<'s> = Box<dyn Whatever + 's>;
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs a program.
pub(crate) fn run(program: &Steps) -> Run {
    let world = World::default();
    let done = block_on(caught(world.room(0, program)));
    match done {
        Ok(Ok(())) => {}
        Ok(Err(report)) => world.catch(&report),
        Err(panic) => world.log("panicked", panic),
    }
    world.state().run.clone()
}

trait Whatever: Send {}
impl<T: Send> Whatever for T {}

/// What all exits share.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    run: Run,
    book: Book,
    handles: BTreeMap<Id, StackHandle<Recover>>,
    /// Of the stacks that are the guard of an entry.
    keys: BTreeMap<Id, Key<Stack>>,
}

/// Where code runs.
struct Room {
    id: Id,
    /// The stacks that are in no block and no other stack, and the forked ones.
    stacks: Mutex<BTreeMap<Id, Stack>>,
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no code of others runs inside")
    }

    pub(crate) fn log(&self, event: &str, what: impl Display) {
        self.state().run.trace.push(format!("{event} {what}"));
    }

    fn skip(&self, what: Id) -> Result<(), Report> {
        self.log("skipped", what);
        Ok(())
    }

    fn catch(&self, report: &Report) {
        self.log("caught", last(report));
        let errors = report.entries().map(|entry| oops(entry).id).collect();
        self.state().run.caught.push(errors);
    }

    fn stack(&self, id: Id) -> Stack {
        let handle = self.state().handles[&id].clone();
        handle.stack().expect("it is in the book, so it is there")
    }

    fn seat(&self, room: &Room, id: Id, place: Place, stack: &Stack) {
        let mut state = self.state();
        state.book.seat(room.id, id, place);
        state.handles.insert(id, stack.handle());
    }

    pub(crate) fn room<'a>(&'a self, id: Id, steps: &'a [Step]) -> Boxed<'a, Result<(), Report>> {
        Box::pin(async move {
            let room = Room {
                id,
                stacks: Mutex::default(),
            };
            let done = self.steps(&room, steps, None).await;
            let left = self.state().book.left_over(id);
            for stack in left {
                if let Err(report) = self.finish(&room, stack).await {
                    self.catch(&report);
                }
            }
            done
        })
    }

    fn steps<'a>(
        &'a self,
        room: &'a Room,
        steps: &'a [Step],
        block: Option<(Id, &'a Stack)>,
    ) -> Boxed<'a, Result<(), Report>> {
        Box::pin(async move {
            // Leases last as long as nothing unwinds: Python has none, so they must not be noticed.
            let mut leases = Vec::new();
            for step in steps {
                if step.action.may_unwind() {
                    leases.clear();
                }
                let done = match (&step.action, block) {
                    (Action::Add { to, how, entry }, Some((id, stack)))
                        if self.state().book.target(room.id, *to) == Some(id) =>
                    {
                        let added = self.add_to(stack, id, *how, entry).await;
                        added.map(|lease| leases.push(lease))
                    }
                    _ => self.step(room, &step.action).await,
                };
                match done {
                    Err(report) if step.tried => self.catch(&report),
                    done => done?,
                }
            }
            Ok(())
        })
    }

    async fn step(&self, room: &Room, action: &Action) -> Result<(), Report> {
        match action {
            Action::Add { to, how, entry } => self.add(room, *to, *how, entry).await,
            Action::With(block) => self.block(room, block, Stack::recovering()).await,
            Action::Reuse(block) => match self.free(room, block.stack) {
                Some(stack) => self.block(room, block, stack).await,
                None => self.skip(block.stack),
            },
            Action::Make { stack } => {
                let made = Stack::recovering();
                self.seat(room, *stack, Place::Free, &made);
                room.put(*stack, made);
                Ok(())
            }
            Action::Nest { to, how, stack } => self.nest(room, *to, *how, *stack).await,
            Action::Move { to, how, stack } => {
                let target = self.state().book.target_for(room.id, *to, *stack);
                let Some(target) = target else {
                    return self.skip(*stack);
                };
                let moved = room.take(*stack).expect("it is free");
                self.put_into(room, target, *how == Moving::Enter, *stack, moved)
                    .await
            }
            Action::Take { from, into } => {
                if !self.state().book.is_own(room.id, *from) {
                    return self.skip(*from);
                }
                let taken = self.stack(*from).take();
                let handle = taken.handle();
                room.put(*into, taken);
                let mut state = self.state();
                state.book.take(room.id, *from, *into);
                state.handles.insert(*into, handle);
                Ok(())
            }
            Action::Close { stack } if self.state().book.is_own(room.id, *stack) => {
                self.close(room, *stack).await
            }
            Action::Finish { stack } if self.state().book.is_own(room.id, *stack) => {
                self.finish(room, *stack).await
            }
            Action::Close { stack } | Action::Finish { stack } => self.skip(*stack),
        }
    }

    fn free(&self, room: &Room, id: Id) -> Option<Stack> {
        let free = self.state().book.is_free(room.id, id);
        free.then(|| room.take(id).expect("it is free"))
    }

    async fn add(&self, room: &Room, to: Target, how: How, entry: &Entry) -> Result<(), Report> {
        let target = self.state().book.target(room.id, to);
        let Some(id) = target else {
            return self.skip(entry.id);
        };
        if let Target::Stack(_) = to
            && let Some((parent, key)) = self.key(id)
        {
            let stack = parent.lease(&key).expect("it is not lent out");
            self.add_to(&stack, id, how, entry).await?;
        } else {
            self.add_to(&self.stack(id), id, how, entry).await?;
        }
        Ok(())
    }

    /// The stack of which this one is an entry, and its key there.
    fn key(&self, id: Id) -> Option<(Stack, Key<Stack>)> {
        let (parent, key) = {
            let state = self.state();
            (state.book.parent(id)?, *state.keys.get(&id)?)
        };
        Some((self.stack(parent), key))
    }

    async fn add_to<'s>(
        &self,
        to: &'s Stack,
        id: Id,
        how: How,
        entry: &Entry,
    ) -> Result<Leased<'s>, Report> {
        let leased = if entry.exit_steps.is_empty() {
            // Its only error is its own.
            let error = |report: Report| report.downcast::<Oops>().expect("it is alone");
            self.managed(to, how, entry, error).await?
        } else {
            self.managed(to, how, entry, |report| report).await?
        };
        self.state().book.house(entry.id, id);
        Ok(leased)
    }

    async fn managed<'s, X: Fault>(
        &self,
        to: &'s Stack,
        how: How,
        entry: &Entry,
        error: fn(Report) -> X,
    ) -> Result<Leased<'s>, X> {
        let managed = Managed::new(self.clone(), entry.clone(), error);
        Ok(match how {
            How::Enter | How::EnterSync => Box::new(to.enter(managed).await?),
            How::Push | How::PushSync => Box::new(to.push(
                managed,
                async |managed: Managed<X>, outcome: Outcome<'_>| managed.exited(outcome).await,
            )),
            How::Defer => Box::new(to.defer(async move || managed.called().await)),
            How::Callback => Box::new(to.callback(move || managed.called_now())),
        })
    }

    async fn block(&self, room: &Room, block: &Block, stack: Stack) -> Result<(), Report> {
        let id = block.stack;
        self.seat(room, id, Place::Block, &stack);
        let body = async |stack: &mut Stack| -> Result<(), Report> {
            self.steps(room, &block.steps, Some((id, stack))).await?;
            self.log("end", id);
            match block.end {
                Some(oops) => Err(oops.into()),
                None => Ok(()),
            }
        };
        // Both forms.
        let done = match id % 2 {
            0 => stack.with(body).await,
            _ => match stack.with_report(body).await {
                Ok(value) => Ok(value),
                Err(error) => Err(joined(error)),
            },
        };
        self.state().book.gone(id);
        match done? {
            Some(()) => self.log("left", id),
            None => self.log("suppressed", id),
        }
        Ok(())
    }

    async fn nest(&self, room: &Room, to: Target, how: Nesting, id: Id) -> Result<(), Report> {
        let target = self.state().book.target(room.id, to);
        let Some(target) = target else {
            return self.skip(id);
        };
        if how == Nesting::Fork {
            let child = self.stack(target).fork();
            self.seat(room, id, Place::In(target), &child);
            room.put(id, child);
            return Ok(());
        }
        self.put_into(room, target, how == Nesting::Enter, id, Stack::recovering())
            .await
    }

    /// Makes the stack `id` an entry of the stack `target`.
    async fn put_into(
        &self,
        room: &Room,
        target: Id,
        entered: bool,
        id: Id,
        stack: Stack,
    ) -> Result<(), Report> {
        self.seat(room, id, Place::In(target), &stack);
        let to = self.stack(target);
        let lease = match entered {
            true => to.enter(stack).await?,
            false => to.push(stack, async |stack: Stack, outcome: Outcome<'_>| {
                stack.close(outcome).await
            }),
        };
        self.state().keys.insert(id, lease.key());
        Ok(())
    }

    /// Exits all entries; the stack may be used again.
    async fn close(&self, room: &Room, id: Id) -> Result<(), Report> {
        let before = self.state().handles[&id].clone();
        let free = self.state().book.is_free(room.id, id);
        let fresh = Stack::recovering();
        // In one of two ways: what is added meanwhile goes to the stack that unwinds.
        let (closing, after) = match free && id.is_multiple_of(2) {
            true => {
                let after = fresh.handle();
                (room.replace(id, fresh), after)
            }
            false => (self.stack(id).take(), before),
        };
        self.state().handles.insert(id, closing.handle());
        let done = closing.close(Outcome::Success).await;
        self.state().handles.insert(id, after);
        self.state().book.emptied(id);
        done?;
        self.log("closed", id);
        Ok(())
    }

    /// Exits all entries, for good.
    async fn finish(&self, room: &Room, id: Id) -> Result<(), Report> {
        let done = match self.key(id) {
            Some((parent, key)) => {
                let lease = parent.lease(&key).expect("it is not lent out");
                lease.close().await
            }
            None => {
                // That of a block is lent to its body.
                let stack = room.take(id).unwrap_or_else(|| self.stack(id));
                stack.close(Outcome::Success).await.map(|_| ())
            }
        };
        self.state().book.gone(id);
        done?;
        self.log("closed", id);
        Ok(())
    }
}

impl Room {
    fn put(&self, id: Id, stack: Stack) {
        self.stacks
            .lock()
            .expect("nothing panics inside")
            .insert(id, stack);
    }

    fn take(&self, id: Id) -> Option<Stack> {
        self.stacks
            .lock()
            .expect("nothing panics inside")
            .remove(&id)
    }

    fn replace(&self, id: Id, stack: Stack) -> Stack {
        let mut stacks = self.stacks.lock().expect("nothing panics inside");
        stacks.insert(id, stack).expect("it is here")
    }
}
