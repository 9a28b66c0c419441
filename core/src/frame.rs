//! Frames: what this thread is running, who adopts an orphan, and whether a canceller is closing things.
//!
//! Whatever may make orphans (a scope's body, an exit, a cancellable body) is wrapped in [`Framed`](crate::framed::Framed), and is polled *and dropped* only inside a frame.
//! A frame is a depth, an id, and a mark in this thread's basket of orphans; when it closes, what lies above the mark belongs to its owner.
//!
//! # Invariants
//!
//! The invariants of the whole algorithm, cited by number elsewhere:
//!
//! * **I1 Exactly once.** For every successful enter, exit starts exactly once and, the process and the runtime that it uses living on, runs to its end or its deadline.
//!   For a failed enter, never. A failed composite enter exits what it had entered.
//! * **I2 Inside out.** A scope's exit starts only after the exits of everything entered *and still owned* inside its body have ended.
//! * **I3 A started exit is not stopped** by dropping the future that awaits it; only its own deadline stops it, and that is reported.
//! * **I4 Adopters drive.** A live adopter polls its jobs inside its own poll, body and jobs taking turns to be first; a job adopted during a poll is polled before that poll returns;
//!   each job has its own waker; siblings run concurrently.
//! * **I5 One job per tree.** A hard-dropped parent becomes one job in which each node waits for its children.
//! * **I6 Exits are shielded** and are frames of their own: what an exit opens ends before that exit ends.
//! * **I7 Panics.** Body and own exit: caught, everything is released, the first is resumed at the end.
//!   A panic in an adopted job, or in the drop of a body, goes to the lost-error hook; it stops no other exit and never reaches the adopter's body.
//! * **I8 Never in Drop:** no blocking, no panic of ours, no thread-local that may be gone, no thread that cannot be started taken for granted.
//! * **I9 Iterative.** Groups of orphans of any size unwind without recursion; a nested body costs at most 0.5 KB of stack per level in release (the benches measure it); an orphaned tree needs no more stack than polling it did.
//!
//! # How cancelling works
//!
//! A canceller sets *closing* and polls its body once more.
//! While closing, no scope is entered; an exit in progress goes on; a scope whose body is pending with no exit in progress inside drops that body,
//! runs its exit in place, and stays pending. `exiting` counts the exits that were polled and are pending, so that each frame sees by the difference whether there was one inside.
//! A canceller inside of another one that is closing does the same, and stays pending, too: the outermost tells its caller.
//! Exits, shields and jobs clear *closing* for what they open.
//!
//! Nothing here may `.await` between reading a thread-local and using what was read.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Poll, Waker};

use crate::budget;
use crate::framed::Heir;
use crate::orphan::{Jobs, Parcel};
use crate::outcome::Reason;

/// The payload of a panic, boxed once more to one word: results that are larger than 16 bytes are slow to move.
pub(crate) type Panic = Box<Box<dyn Any + Send>>;

/// How many frames have their ids in the array; deeper ones go to [`DEEP`].
const SHALLOW: usize = 64;

/// The state of one thread: cells without a destructor, so that they are still there while the thread exits (I8).
struct Thread {
    /// The depth below which frames are hidden by [`isolated`].
    base: Cell<u32>,
    depth: Cell<u32>,
    /// How many parcels the basket holds.
    orphans: Cell<u32>,
    exiting: Cell<u32>,
    /// The depth of the innermost exit or job: no canceller further out cuts what is above.
    shield: Cell<u32>,
    closing: Cell<bool>,
    /// The depth of the frame of the canceller; only read while `closing`.
    closer: Cell<u32>,
    /// Why; only read while `closing`.
    reason: Cell<Reason>,
    /// The id of the innermost scope's body.
    scope: Cell<u32>,
    /// Whether a canceller on the stack takes notes of what its exits tell.
    listening: Cell<bool>,
    /// What happens to the scopes that are dropped now.
    dropping: Cell<Dropping>,
    /// The job of a home that is being driven, for its account of what is still running.
    errand: Cell<u32>,
    next_id: Cell<u32>,
    last_id: Cell<u32>,
    ids: [Cell<u32>; SHALLOW],
}

thread_local! {
    static THREAD: Thread = const {
        Thread {
            base: Cell::new(0),
            depth: Cell::new(0),
            orphans: Cell::new(0),
            exiting: Cell::new(0),
            shield: Cell::new(0),
            closing: Cell::new(false),
            closer: Cell::new(0),
            reason: Cell::new(Reason::Dropped),
            scope: Cell::new(0),
            listening: Cell::new(false),
            dropping: Cell::new(Dropping::Orphaned),
            errand: Cell::new(0),
            next_id: Cell::new(0),
            last_id: Cell::new(0),
            ids: [const { Cell::new(0) }; SHALLOW],
        }
    };
    /// Who was not let in while a canceller was closing.
    static HELD_OFF: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
    /// Orphans on their way to the frame that adopts them.
    static BASKET: RefCell<Vec<Parcel>> = const { RefCell::new(Vec::new()) };
    /// The ids of the frames beyond the array.
    static DEEP: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Looks at this thread's state. (By `try_with`, for `with` is not inlined everywhere.)
#[inline(always)]
fn on_thread<R>(look: impl FnOnce(&Thread) -> R) -> R {
    match THREAD.try_with(look) {
        Ok(seen) => seen,
        Err(_) => unreachable!("it has no destructor"),
    }
}

/// What a frame is for.
pub(crate) trait Kind {
    /// A scope's body: the scope that is named in the lineage of what is entered inside, and that cuts itself while closing.
    const BODY: bool = false;
    /// An exit: shielded (I6).
    const EXIT: bool = false;
    /// The body of a canceller: there is nothing to wait for as long as nothing was entered inside.
    const CUTTABLE: bool = false;
}

/// The frame of a scope's body.
pub(crate) struct Body;
/// The frame of a body that a canceller may cut.
pub(crate) struct Cuttable;
/// The frame of an exit.
pub(crate) struct Exit;

impl Kind for Body {
    const BODY: bool = true;
}
impl Kind for Cuttable {
    const CUTTABLE: bool = true;
}
impl Kind for Exit {
    const EXIT: bool = true;
}

/// Under which frame, and under which scope's body, something was entered: two ids in one word,
/// for a struct of two words costs a store-forwarding stall at each move.
///
/// Ids wrap after four thousand million frames.
/// A collision then could change *who* finishes an orphan, never *whether* it is finished.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth(pub(crate) u64);

impl Birth {
    pub(crate) const NOWHERE: Self = Self(0);
}

/// The lineage of what is entered now.
#[inline(always)]
pub(crate) fn birth() -> Birth {
    on_thread(|t| {
        let depth = t.depth.get();
        let frame = if depth == t.base.get() {
            0
        } else if depth as usize <= SHALLOW {
            t.ids[(depth - 1) as usize & (SHALLOW - 1)].get()
        } else {
            deep(depth as usize - 1)
        };
        Birth((u64::from(t.scope.get()) << 32) | u64::from(frame))
    })
}

/// A new frame id; each thread takes them from a block of its own.
#[inline(always)]
pub(crate) fn next_id() -> u32 {
    on_thread(|t| {
        let id = t.next_id.get();
        if id == t.last_id.get() {
            return new_block(t);
        }
        t.next_id.set(id + 1);
        id
    })
}

/// Changes when this thread takes a frame id.
#[inline(always)]
pub(crate) fn ids_taken() -> u32 {
    on_thread(|t| t.next_id.get())
}

#[cold]
#[inline(never)]
fn new_block(t: &Thread) -> u32 {
    const BLOCK: u32 = 1 << 12;
    // Block 0 is left out: id 0 is "none", id 1 is `SYNC_EXIT`.
    static BLOCKS: AtomicU32 = AtomicU32::new(1);
    let mut block = BLOCKS.fetch_add(1, Ordering::Relaxed);
    while block.is_multiple_of(u32::MAX / BLOCK + 1) {
        block = BLOCKS.fetch_add(1, Ordering::Relaxed);
    }
    let first = block.wrapping_mul(BLOCK);
    t.next_id.set(first + 1);
    t.last_id.set(first + (BLOCK - 1));
    first
}

/// The id of the frame at a place beyond the array.
#[cold]
fn deep(place: usize) -> u32 {
    DEEP.try_with(|deep| deep.borrow().get(place - SHALLOW).copied())
        .ok()
        .flatten()
        .unwrap_or(0)
}

#[cold]
fn enter_deep(depth: usize, id: u32) {
    let _ = DEEP.try_with(|deep| {
        let mut deep = deep.borrow_mut();
        deep.resize(depth - SHALLOW, 0);
        deep.push(id);
    });
}

/// Runs `f` inside a frame, and gives to `heir` what was orphaned in it. Never unwinds.
#[inline(always)]
pub(crate) fn in_frame<K: Kind, R>(
    id: u32,
    heir: &mut impl Heir,
    f: impl FnOnce() -> R,
) -> Result<R, Panic> {
    let (depth, mark, scope, closing, exiting, shield) = on_thread(|t| {
        let depth = t.depth.get();
        t.depth.set(depth + 1);
        if (depth as usize) < SHALLOW {
            t.ids[depth as usize].set(id);
        } else {
            enter_deep(depth as usize, id);
        }
        (
            depth,
            t.orphans.get(),
            if K::BODY { t.scope.replace(id) } else { 0 },
            if K::EXIT {
                t.closing.replace(false)
            } else {
                false
            },
            if K::EXIT { t.exiting.get() } else { 0 },
            if K::EXIT { t.shield.replace(depth) } else { 0 },
        )
    });
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _inside = heir.inside();
        f()
    }));
    let orphans = on_thread(|t| {
        t.depth.set(depth);
        if K::BODY {
            t.scope.set(scope);
        }
        if K::EXIT {
            t.closing.set(closing);
            t.exiting.set(exiting);
            t.shield.set(shield);
        }
        t.orphans.get()
    });
    if orphans != mark {
        collect(mark, heir.jobs());
    }
    match result {
        Ok(value) => Ok(value),
        Err(payload) => Err(thin(payload)),
    }
}

#[cold]
#[inline(never)]
fn thin(payload: Box<dyn Any + Send>) -> Panic {
    Box::new(payload)
}

#[cold]
#[inline(never)]
fn collect(mark: u32, into: &mut Jobs) {
    on_thread(|t| t.orphans.set(mark));
    let adopted = BASKET.try_with(|basket| basket.borrow_mut().split_off(mark as usize));
    for parcel in adopted.into_iter().flatten() {
        into.push(parcel);
    }
}

/// Hands an orphan to the top frame of this thread, if what it was entered under is still on this thread's stack; else gives it back.
#[cold]
pub(crate) fn adopt(parcel: Parcel, birth: Birth) -> Result<(), Parcel> {
    if !is_on_stack(birth) && dropping() != Dropping::Cut {
        return Err(parcel);
    }
    let mut parcel = Some(parcel);
    // The basket is gone while the thread exits (I8).
    let _ = BASKET.try_with(|basket| basket.borrow_mut().extend(parcel.take()));
    match parcel {
        Some(parcel) => Err(parcel),
        None => {
            on_thread(|t| t.orphans.set(t.orphans.get() + 1));
            Ok(())
        }
    }
}

fn is_on_stack(Birth(word): Birth) -> bool {
    let (frame, scope) = (word as u32, (word >> 32) as u32);
    is_frame_on_stack(frame) || is_frame_on_stack(scope)
}

/// Whether the frame with this id is among the visible ones of this thread.
pub(crate) fn is_frame_on_stack(id: u32) -> bool {
    on_thread(|t| is_frame_above(t, t.base.get(), id))
}

/// Whether the frame with this id is open, and a canceller there could cut the caller: no exit is in between.
pub(crate) fn is_cuttable_under(id: u32) -> bool {
    on_thread(|t| is_frame_above(t, t.base.get().max(t.shield.get()), id))
}

/// Whether the frame with this id is open at `bottom` or above.
fn is_frame_above(t: &Thread, bottom: u32, id: u32) -> bool {
    if id == 0 {
        return false;
    }
    let (bottom, depth) = (bottom as usize, t.depth.get() as usize);
    let shallow = &t.ids[bottom.min(SHALLOW)..depth.min(SHALLOW)];
    if shallow.iter().any(|other| other.get() == id) {
        return true;
    }
    if depth <= SHALLOW {
        return false;
    }
    let hidden = bottom.saturating_sub(SHALLOW);
    DEEP.try_with(|deep| {
        let deep = deep.borrow();
        let end = deep.len().min(depth - SHALLOW);
        deep.get(hidden..end).is_some_and(|ids| ids.contains(&id))
    })
    .unwrap_or(false)
}

/// Whether what was entered there is none of the canceller's business that is closing now:
/// it is only polled by something inside of the body, such as the executor of other tasks, and may outlive the canceller.
#[cold]
pub(crate) fn is_foreign(Birth(word): Birth) -> bool {
    let (frame, scope) = (word as u32, (word >> 32) as u32);
    on_thread(|t| {
        let closer = t.closer.get();
        // The canceller's own frame is the first that is opened.
        t.depth.get() > closer
            && !is_frame_above(t, closer, frame)
            && !is_frame_above(t, closer, scope)
    })
}

/// Waits while a canceller is closing, for then nothing is entered.
///
/// What belongs to the canceller is dropped meanwhile. What does not goes on when it has returned.
pub(crate) async fn held_off() {
    std::future::poll_fn(|cx| {
        if !is_closing() {
            return Poll::Ready(());
        }
        let _ = HELD_OFF.try_with(|held| held.borrow_mut().push(cx.waker().clone()));
        Poll::Pending
    })
    .await;
}

/// Whether no frame is open: what is entered now is a root.
#[inline]
pub(crate) fn is_root() -> bool {
    on_thread(|t| t.depth.get() == t.base.get())
}

/// Whether a canceller on this thread's stack is closing what is polled now.
#[inline(always)]
pub(crate) fn is_closing() -> bool {
    on_thread(|t| t.closing.get())
}

/// Why what is dropped or cut now ends.
#[cold]
pub(crate) fn reason() -> Reason {
    on_thread(|t| {
        if t.closing.get() {
            t.reason.get()
        } else {
            Reason::Dropped
        }
    })
}

/// How many exits were polled and are pending, up to now.
#[inline(always)]
pub(crate) fn exiting() -> u32 {
    on_thread(|t| t.exiting.get())
}

/// Counts an exit of something entered there, that was polled and is pending.
#[inline(always)]
pub(crate) fn count_exiting(birth: Birth) {
    on_thread(|t| {
        if t.closing.get() && !is_foreign(birth) {
            t.exiting.set(t.exiting.get().wrapping_add(1));
        }
    });
}

/// Runs `f` while closing, and says whether an exit was left in progress; who is not let in is added to `held_off`. `f` does not unwind.
pub(crate) fn closing<R>(
    reason: Reason,
    held_off: &mut Vec<Waker>,
    f: impl FnOnce() -> R,
) -> (R, bool) {
    let mark = HELD_OFF.try_with(|held| held.borrow().len()).unwrap_or(0);
    let (closing, closer, old_reason, exiting) = on_thread(|t| {
        (
            t.closing.replace(true),
            t.closer.replace(t.depth.get()),
            t.reason.replace(reason),
            t.exiting.get(),
        )
    });
    let result = budget::closing(closing, f);
    let exits = on_thread(|t| {
        t.closing.set(closing);
        t.closer.set(closer);
        t.reason.set(old_reason);
        t.exiting.get() != exiting
    });
    if !closing {
        // Else an outer canceller closes on, and lets them in at its end.
        let _ = HELD_OFF.try_with(|held| held_off.extend(held.borrow_mut().drain(mark..)));
    }
    (result, exits)
}

/// Runs `f`, the poll of jobs, out of sight of a canceller: jobs are exits (I6). `f` does not unwind.
pub(crate) fn shielded<R>(f: impl FnOnce() -> R) -> R {
    let (closing, exiting, shield) = on_thread(|t| {
        (
            t.closing.replace(false),
            t.exiting.get(),
            t.shield.replace(t.depth.get()),
        )
    });
    let result = f();
    on_thread(|t| {
        t.closing.set(closing);
        t.exiting.set(exiting);
        t.shield.set(shield);
    });
    result
}

/// What a drop means for the scopes inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropping {
    /// A hard drop: somebody adopts them.
    Orphaned,
    /// A canceller drops a body: all that is owned inside is its to finish, also what was entered elsewhere and moved in.
    Cut,
    /// The grace of a canceller is over: they move on, and each is named as overdue.
    MovedOn,
    /// The deadline of an exit is over: exits that were started inside of it are dropped with it (I3).
    Abandoned,
}

/// What happens to a scope that is dropped now.
pub(crate) fn dropping() -> Dropping {
    on_thread(|t| t.dropping.get())
}

/// Runs `f` with drops meaning `dropping`. `f` does not unwind.
#[cold]
pub(crate) fn while_dropping<R>(dropping: Dropping, f: impl FnOnce() -> R) -> R {
    let before = on_thread(|t| t.dropping.replace(dropping));
    let result = f();
    on_thread(|t| t.dropping.set(before));
    result
}

/// Whether a canceller on the stack takes notes.
pub(crate) fn is_listening() -> bool {
    on_thread(|t| t.listening.get())
}

/// Runs `f` while a canceller takes notes. `f` does not unwind.
pub(crate) fn listening<R>(f: impl FnOnce() -> R) -> R {
    let before = on_thread(|t| t.listening.replace(true));
    let result = f();
    on_thread(|t| t.listening.set(before));
    result
}

/// The job of a home that is being driven on this thread; 0 if none.
pub(crate) fn errand() -> u32 {
    on_thread(|t| t.errand.get())
}

/// Runs `f` as the job `errand` of a home. `f` does not unwind.
pub(crate) fn on_errand<R>(errand: u32, f: impl FnOnce() -> R) -> R {
    let before = on_thread(|t| t.errand.replace(errand));
    let result = f();
    on_thread(|t| t.errand.set(before));
    result
}

/// Runs `f` with this thread's frames hidden: what is entered inside is a root.
pub(crate) fn hidden<R>(f: impl FnOnce() -> R) -> R {
    /// Restores the frames also when `f` unwinds.
    struct Hidden {
        base: u32,
        scope: u32,
        closing: bool,
        exiting: u32,
        listening: bool,
        dropping: Dropping,
        errand: u32,
    }
    impl Drop for Hidden {
        fn drop(&mut self) {
            on_thread(|t| {
                t.base.set(self.base);
                t.scope.set(self.scope);
                t.closing.set(self.closing);
                t.exiting.set(self.exiting);
                t.listening.set(self.listening);
                t.dropping.set(self.dropping);
                t.errand.set(self.errand);
            });
        }
    }
    let _bounds = budget::aside();
    let _hidden = on_thread(|t| Hidden {
        base: t.base.replace(t.depth.get()),
        scope: t.scope.replace(0),
        closing: t.closing.replace(false),
        exiting: t.exiting.get(),
        listening: t.listening.replace(false),
        dropping: t.dropping.replace(Dropping::Orphaned),
        errand: t.errand.replace(0),
    });
    f()
}

/// The frame id of exits that never suspend: nothing that is entered in one outlives it.
const SYNC_EXIT: u32 = 1;

/// Runs `f`, an exit that never suspends, in its frame. Never unwinds.
#[inline(always)]
pub(crate) fn in_sync_exit<R>(heir: &mut impl Heir, f: impl FnOnce() -> R) -> Result<R, Panic> {
    in_frame::<Exit, _>(SYNC_EXIT, heir, f)
}
