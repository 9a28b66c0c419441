//! One entry of a stack: a guard that is here or lent out, and how it leaves.

use std::any::Any;
use std::borrow::Cow;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::bracket::{Bracket, Member};
use crate::clock::Limit;
use crate::exiting::Exiting;
use crate::frame::{self, Birth, Exit, Panic};
use crate::framed::Heir;
use crate::lost;
use crate::orphan::Jobs;
use crate::outcome::Outcome;
use crate::report::{Entries, Entry as Told, Label, What};
use crate::send_fn::SendFn;
use crate::slot::{Exited, Fate, Trouble};
use crate::verdict::Verdict;
use crate::watch::{Trace, Watch};

use super::into_exit::IntoExit;

/// What came of an exit.
pub(super) type Ended<V> = Exited<V, Raw>;

/// An exit that runs.
pub(super) type Running<V> = Pin<Box<dyn Future<Output = Ended<V>> + Send>>;

/// A started exit.
pub(super) enum Started<V> {
    /// It never suspends, and has ended.
    Ended(Ended<V>),
    Running(Running<V>),
    /// It is a stack, which keeps to the limit by itself.
    Stack(Running<V>),
    /// There is nothing to do.
    Gone,
}

/// What there is to tell of the error of an exit; the name of its entry is not in it yet.
pub(super) type Raw = Vec<Told>;

/// One entry, as its list sees it.
pub(super) trait Entry<V>: Send {
    /// Starts the exit.
    fn leave(&mut self, fate: &Fate, room: &mut Room) -> Started<V>;

    /// The place of the guard: an `Option` of it.
    fn guard(&mut self) -> &mut dyn Any;

    /// Whether a lease has the guard.
    fn is_lent(&self) -> bool;

    /// Whether it has left by itself.
    fn is_gone(&self) -> bool;

    fn label(&self) -> Label;
}

/// The entry of a scope, a value or a callback: the guard, the rest of what it holds, and how it leaves.
///
/// Not generic over the scope, which may borrow from anywhere; only what it holds is `'static`.
pub(super) struct Cell<G: 'static, R: 'static, T: 'static, V: 'static> {
    guard: Option<G>,
    rest: Option<R>,
    tag: T,
    kind: &'static Kind<G, R, T, V>,
    location: &'static Location<'static>,
    watch: Watch,
}

/// What entries of one kind do.
struct Kind<G, R, T, V> {
    start: fn(G, R, Trace, &Fate, &mut Room) -> Started<V>,
    name: fn(&T) -> Cow<'static, str>,
}

impl<G, R, T, V> Entry<V> for Cell<G, R, T, V>
where
    G: Send + 'static,
    R: Send + 'static,
    T: Send + 'static,
    V: 'static,
{
    fn leave(&mut self, fate: &Fate, room: &mut Room) -> Started<V> {
        match (self.guard.take(), self.rest.take()) {
            (Some(guard), Some(rest)) => {
                let trace = self.watch.leave(fate);
                (self.kind.start)(guard, rest, trace, fate, room)
            }
            _ => Started::Gone,
        }
    }

    fn guard(&mut self) -> &mut dyn Any {
        &mut self.guard
    }

    fn is_lent(&self) -> bool {
        self.guard.is_none()
    }

    fn is_gone(&self) -> bool {
        false
    }

    fn label(&self) -> Label {
        Label {
            name: (self.kind.name)(&self.tag),
            location: self.location,
        }
    }
}

/// The entry of a scope, and its guard, which is lent out.
pub(super) fn entered<S, V>(
    held: S::Held,
    tag: S::Tag,
    location: &'static Location<'static>,
    mut watch: Watch,
) -> (Box<dyn Entry<V>>, S::Part)
where
    S: Member,
    S::Held: 'static,
    S::Part: 'static,
    S::Rest: 'static,
    V: Verdict + From<S::Verdict>,
{
    watch.entered();
    let (part, rest) = S::part(held);
    let cell = Cell {
        guard: None,
        rest: Some(rest),
        tag,
        kind: &Kind {
            start: start::<S, V>,
            name: S::name,
        },
        location,
        watch,
    };
    (Box::new(cell), part)
}

/// The entry of a value with an exit; the value is lent out.
pub(super) fn pushed<G, R, Y, V>(exit: R, location: &'static Location<'static>) -> Box<dyn Entry<V>>
where
    G: Send + 'static,
    R: for<'a> SendFn<(G, Outcome<'a>), Y> + 'static,
    Y: IntoExit,
    V: Verdict + From<Y::Verdict>,
{
    let mut watch = Watch::enter_called(|| Cow::Borrowed("push"), location);
    watch.entered();
    Box::new(Cell {
        guard: None,
        rest: Some(exit),
        tag: (),
        kind: &Kind {
            start: |value: G, exit: R, trace, fate, room| {
                let (fate, frame) = (fate.clone(), room.frame);
                let place = Box::new_uninit();
                let exit = async move {
                    let exit = async { exit.call_send((value, fate.outcome())).await.into_exit() };
                    ended(Exiting::new(exit, frame).await, Told::split)
                };
                running(Box::write(place, trace.exit(exit)))
            },
            name: |&()| Cow::Borrowed("push"),
        },
        location,
        watch,
    })
}

/// The entry of an async callback.
pub(super) fn deferred<R, Y, V>(exit: R, location: &'static Location<'static>) -> Box<dyn Entry<V>>
where
    R: SendFn<(), Y> + 'static,
    Y: IntoExit,
    V: Verdict + From<Y::Verdict>,
{
    Box::new(Cell {
        guard: Some(()),
        rest: Some(exit),
        tag: (),
        kind: &Kind {
            start: |(), exit: R, _, _, room| {
                let frame = room.frame;
                let place = Box::new_uninit();
                let exit = async move {
                    let exit = async { exit.call_send(()).await.into_exit() };
                    ended(Exiting::new(exit, frame).await, Told::split)
                };
                running(Box::write(place, exit))
            },
            name: |()| Cow::Borrowed("defer"),
        },
        location,
        watch: Watch::NONE,
    })
}

/// The entry of a sync callback.
pub(super) fn called<F, Y, V>(exit: F, location: &'static Location<'static>) -> Box<dyn Entry<V>>
where
    F: FnOnce() -> Y + Send + 'static,
    Y: IntoExit,
    V: Verdict + From<Y::Verdict>,
{
    Box::new(Cell {
        guard: Some(()),
        rest: Some(exit),
        tag: (),
        kind: &Kind {
            start: |(), exit: F, _, _, room| {
                let frame = room.frame;
                let exited = frame::in_frame::<Exit, _>(frame, room, || exit().into_exit());
                room.ended(ended(exited, Told::split))
            },
            name: |()| Cow::Borrowed("callback"),
        },
        location,
        watch: Watch::NONE,
    })
}

/// Starts the exit of a scope.
fn start<S, V>(
    part: S::Part,
    rest: S::Rest,
    trace: Trace,
    fate: &Fate,
    room: &mut Room,
) -> Started<V>
where
    S: Member,
    S::Held: 'static,
    V: Verdict + From<S::Verdict>,
{
    let held = S::whole(part, rest);
    let frame = room.frame;
    if !S::SUSPENDS {
        let exited = frame::in_frame::<Exit, _>(frame, room, || {
            let _inside = trace.inside();
            let exit = pin!(S::end(held, fate.outcome()));
            match exit.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(exited) => exited,
                Poll::Pending => unreachable!("only exits that never suspend are run so"),
            }
        });
        let ended = ended(exited, S::entries);
        trace.exited(&ended);
        return room.ended(ended);
    }
    let fate = fate.clone();
    // The box first, so that the exit is made in place.
    let place = Box::new_uninit();
    let exit = async move {
        let exited = Exiting::new(<S as Bracket>::end(held, fate.outcome()), frame).await;
        ended(exited, S::entries)
    };
    running(Box::write(place, trace.exit(exit)))
}

#[inline(always)]
fn running<V>(exit: Box<impl Future<Output = Ended<V>> + Send + 'static>) -> Started<V> {
    Started::Running(Box::into_pin(exit))
}

fn ended<V: From<W>, W, X>(exited: Result<Result<W, X>, Panic>, entries: Entries<X>) -> Ended<V> {
    match exited {
        Ok(Ok(verdict)) => Ok(verdict.into()),
        Ok(Err(error)) => Err(failed(entries(error))),
        Err(panic) => Err(Box::new(Trouble::Panic(panic))),
    }
}

#[cold]
pub(super) fn failed(entries: Raw) -> Box<Trouble<Raw>> {
    Box::new(Trouble::Error(entries, |entries| entries))
}

/// The frame of the exits of one stack, and what those that never suspend have left behind.
pub(super) struct Room {
    pub(super) frame: u32,
    pub(super) jobs: Jobs,
    /// When all of them are to have ended.
    pub(super) limit: Option<Limit>,
}

impl Room {
    /// An exit that never suspends has ended; what it has opened is still to end (I6).
    fn ended<V: Verdict>(&mut self, ended: Ended<V>) -> Started<V> {
        if !self.jobs.any() {
            return Started::Ended(ended);
        }
        let jobs = self.jobs.take();
        Started::Running(Box::pin(async move {
            jobs.drain().await;
            ended
        }))
    }
}

impl Heir for Room {
    fn frame(&self) -> u32 {
        self.frame
    }

    fn birth(&self) -> Birth {
        Birth::NOWHERE
    }

    fn jobs(&mut self) -> &mut Jobs {
        &mut self.jobs
    }

    fn has_jobs(&self) -> bool {
        self.jobs.any()
    }

    fn settle(&mut self) {}

    #[cold]
    fn lose(&self, panic: Panic) {
        let payload: &(dyn Any + Send) = &**panic;
        lost::tell(Told::new(What::Panic(lost::message(payload).to_owned())));
        lost::discard(panic);
    }
}
