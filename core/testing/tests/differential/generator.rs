//! Random programs.

use fastrand::Rng;

use crate::program::{
    Action, Answer, Block, Entry, How, Id, Moving, Nesting, Oops, Step, Steps, Target,
};

/// How deep blocks and exits nest.
const DEPTH: usize = 4;

pub(crate) struct Generator {
    rng: Rng,
    last: Id,
    /// How many steps may still come.
    left: usize,
    depth: usize,
    room: Room,
    /// The rooms around it.
    outer: Vec<Room>,
}

/// The stacks that are likely to be there.
#[derive(Default)]
struct Room {
    stacks: Vec<Id>,
    /// Those that nothing has been done with yet.
    free: Vec<Id>,
}

impl Generator {
    /// The program of a seed.
    pub(crate) fn program(seed: u64) -> Steps {
        let mut rng = Rng::with_seed(seed);
        let left = rng.usize(3..50);
        let mut generator = Self {
            rng,
            last: 0,
            left,
            depth: 0,
            room: Room::default(),
            outer: Vec::new(),
        };
        let mut steps = Steps::new();
        while generator.left > 0 {
            let action = Action::With(generator.block(None));
            let tried = generator.chance(85);
            steps.push(Step { action, tried });
            steps.extend(generator.steps(2));
        }
        steps
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    /// Whether it happens, and if so, how often.
    fn times(&mut self, percent: u32, most: u32) -> u32 {
        match self.chance(percent) {
            true => self.rng.u32(1..=most),
            false => 0,
        }
    }

    fn choice<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.usize(0..of.len())]
    }

    fn number(&mut self) -> Id {
        self.last += 1;
        self.last
    }

    fn new_stack(&mut self) -> Id {
        let stack = self.number();
        self.room.stacks.push(stack);
        stack
    }

    fn new_free(&mut self) -> Id {
        let stack = self.new_stack();
        self.room.free.push(stack);
        stack
    }

    /// One of the stacks of this room, the last ones more often.
    fn stack(&mut self) -> Option<Id> {
        let stacks = &self.room.stacks;
        let likely = stacks.iter().rev().find(|_| self.rng.bool());
        likely.or(stacks.first()).copied()
    }

    fn free(&mut self) -> Option<Id> {
        let free = &mut self.room.free;
        (!free.is_empty()).then(|| free.remove(self.rng.usize(0..free.len())))
    }

    fn target(&mut self) -> Target {
        if self.outer.is_empty() || self.chance(35) {
            if let Some(stack) = self.stack() {
                return Target::Stack(stack);
            }
            let outer = self.outer.iter().rev().flat_map(|room| room.stacks.last());
            if let Some(stack) = outer.copied().find(|_| self.rng.bool()) {
                return Target::Stack(stack);
            }
        }
        Target::Own
    }

    fn oops(&mut self) -> Oops {
        Oops {
            kind: self.rng.u32(1..=4),
            id: self.number(),
        }
    }

    fn steps(&mut self, most: usize) -> Steps {
        let mut steps = Steps::new();
        for _ in 0..self.rng.usize(1..=most) {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let action = self.action();
            let tried = self.chance(55);
            steps.push(Step { action, tried });
        }
        steps
    }

    fn action(&mut self) -> Action {
        self.other().unwrap_or_else(|| {
            let to = self.target();
            let how = self.how();
            let entry = self.entry(how);
            Action::Add { to, how, entry }
        })
    }

    /// Anything but an entry, if there is a stack for it.
    fn other(&mut self) -> Option<Action> {
        Some(match self.rng.u32(0..100) {
            0..10 if self.depth < DEPTH => Action::With(self.block(None)),
            10..14 => Action::Make {
                stack: self.new_free(),
            },
            14..22 => Action::Nest {
                to: self.target(),
                how: self.choice(&[Nesting::Enter, Nesting::Push, Nesting::Fork]),
                stack: self.new_stack(),
            },
            22..27 => Action::Take {
                from: self.stack()?,
                into: self.new_free(),
            },
            27..33 => Action::Move {
                stack: self.free()?,
                how: self.choice(&[Moving::Enter, Moving::Push]),
                to: self.target(),
            },
            33..37 if self.depth < DEPTH => {
                let stack = self.free()?;
                Action::Reuse(self.block(Some(stack)))
            }
            37..41 => Action::Close {
                stack: self.stack()?,
            },
            41..44 => Action::Finish {
                stack: self.free().or_else(|| self.stack())?,
            },
            _ => return None,
        })
    }

    fn block(&mut self, stack: Option<Id>) -> Block {
        let stack = stack.unwrap_or_else(|| self.new_stack());
        self.depth += 1;
        let steps = self.steps(8);
        self.depth -= 1;
        self.room.stacks.retain(|other| *other != stack);
        Block {
            stack,
            steps,
            end: self.chance(45).then(|| self.oops()),
        }
    }

    fn how(&mut self) -> How {
        match self.rng.u32(0..100) {
            0..30 => How::Enter,
            30..42 => How::EnterSync,
            42..62 => How::Push,
            62..72 => How::PushSync,
            72..90 => How::Defer,
            _ => How::Callback,
        }
    }

    /// An entry that does only what one of its sort can do.
    fn entry(&mut self, how: How) -> Entry {
        let id = self.number();
        let entered = matches!(how, How::Enter | How::EnterSync);
        let suspends = matches!(how, How::Enter | How::Push | How::Defer);
        Entry {
            id,
            enter_pauses: if how == How::Enter {
                self.times(20, 2)
            } else {
                0
            },
            enter_fails: (entered && self.chance(6)).then(|| self.oops()),
            exit_pauses: if suspends { self.times(25, 3) } else { 0 },
            exit_steps: match suspends && self.depth < DEPTH && self.chance(25) {
                true => self.exit_steps(),
                false => Steps::new(),
            },
            answer: match self.rng.u32(0..100) {
                0..25 => Answer::Fail(self.oops()),
                25..33 if how.sees() => Answer::Replace(self.oops()),
                33..41 if how.sees() => Answer::Suppress(None),
                41..55 if how.sees() => Answer::Suppress(Some(self.rng.u32(1..=4))),
                _ => Answer::Pass,
            },
        }
    }

    fn exit_steps(&mut self) -> Steps {
        self.depth += 1;
        self.outer.push(std::mem::take(&mut self.room));
        let steps = self.steps(3);
        self.room = self.outer.pop().expect("it was put there");
        self.depth -= 1;
        steps
    }
}
