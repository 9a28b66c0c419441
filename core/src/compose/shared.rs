//! A scope that is shared by many: the first one enters it, the last one exits it.

mod attempt;
mod guard;
mod turn;

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::Arc;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Peek, type_name};
use crate::exiting::Exiting;
use crate::frame;
use crate::outcome::Outcome;
use crate::owner::{Owner, ScopeName};
use crate::report::Entry;
use crate::slot::Slot;
use crate::verdict::Verdict;

use attempt::enter;
use guard::Generation;
use turn::{Admitted, Hub, Turn, Waiting};

pub use guard::SharedGuard;

/// A handle to a scope that is shared: see [`shared`].
#[must_use = "a scope does nothing unless it is run"]
pub struct Shared<S: Member> {
    make: Arc<dyn Fn() -> S + Send + Sync>,
    hub: Arc<Hub<S::Part>>,
}

/// Makes a scope that any number of blocks share: the first one enters it, those that come meanwhile use the same guard, and the last one exits it.
///
/// For a connection, a server or a temporary directory that is to be there as long as anybody uses it, and no longer.
/// What it gives is a handle: clone it for each use, and run the clone as any other scope, by [`with`](crate::ScopeExt::with), in a tuple, on a stack, from any thread.
/// The body sees a [`SharedGuard`], which derefs to the guard; it is shared, so that what is to be changed in it is behind a lock.
///
/// From one enter to the end of its exit is a *generation*. `make` makes the scope of each.
///
/// * There is one generation at a time. Who comes while one enters or exits waits until that has ended, with all that it has opened.
/// * When an enter fails, panics or is cut, that is the matter of the one who enters: one of those who wait tries in its stead, with a scope that is made anew.
/// * The exit is part of the last block: it is told how that one has ended, its error is returned there, and if it may suppress it suppresses that one's error.
///   Dropped, it is finished like every other exit, and who waits goes on when it has ended, or was dropped as overdue.
/// * There is nothing to close. A handle that is left over holds nothing, and one that could be closed would have to refuse users, for which the errors of most scopes have no word.
///   To have it entered throughout, keep one user: a block around the others, or an [`Open`](crate::Open).
///
/// A scope that is used inside of its own enter or exit waits for itself, for ever.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use withal::{ScopeExt, acquire, join, shared};
///
/// # withal_testing::block_on(async {
/// let database = shared(|| acquire(async || io::Result::Ok("rows")).release(async |_, _| Ok(())));
/// assert!(!database.is_entered());
/// let length = database.clone().with(async |rows| {
///     // This one enters nothing any more.
///     let both = join(database.clone(), database.clone());
///     both.with(async |_| io::Result::Ok(assert_eq!(database.users(), 3))).await?;
///     io::Result::Ok(rows.len())
/// });
/// assert_eq!(length.await?, 4);
/// assert!(!database.is_entered());
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Errors
///
/// That of the enter, for the one who enters, and that of the exit, for the last one.
///
/// # Cancel safety
///
/// Dropped while it enters or waits, it is no user, and the others do not notice.
/// Dropped while it enters, what its enter has left behind is finished before the next one tries.
/// One that has begun to enter or to exit, and is neither polled nor dropped, holds up those who wait.
pub fn shared<S>(make: impl Fn() -> S + Send + Sync + 'static) -> Shared<S>
where
    S: Member<Part: Sync>,
{
    Shared {
        make: Arc::new(make),
        hub: Arc::default(),
    }
}

impl<S: Member> Shared<S> {
    /// Whether there is a guard to share. Not so while the scope is entering or exiting.
    pub fn is_entered(&self) -> bool {
        self.users() > 0
    }

    /// How many share the guard at the moment. One that was dropped counts until its exit has run.
    pub fn users(&self) -> usize {
        self.hub.users()
    }
}

/// What a block holds that runs a [`Shared`].
#[doc(hidden)]
pub struct Held<S: Member> {
    guard: SharedGuard<S::Part>,
    rest: Rest<S>,
}

/// What is held beside the guard: how to get from it what was entered, if it is the last one.
#[doc(hidden)]
pub struct Rest<S: Member>(fn(SharedGuard<S::Part>) -> Option<Claimed<S>>);

/// What was entered, and the turn to be given back in the end.
type Claimed<S> = (<S as Bracket>::Held, Turn<<S as Member>::Part>);

/// What a generation holds beside its part, with the type of its scope: parts of another scope may be of the same type.
struct Beside<S: Member>(S::Rest, PhantomData<fn() -> S>);

fn generation<S>(held: S::Held, turn: Turn<S::Part>) -> Generation<S::Part>
where
    S: Member + 'static,
    S::Part: Sync,
{
    let (part, rest) = S::part(held);
    let rest = Beside::<S>(rest, PhantomData);
    Generation::new(part, Box::new(rest), turn, rescue::<S>)
}

/// Gets what was entered, if this is the last guard of it.
fn claim<S: Member + 'static>(guard: SharedGuard<S::Part>) -> Option<Claimed<S>> {
    let (part, rest, turn) = guard.leave::<Beside<S>>()?;
    Some((S::whole(part, rest.0), turn))
}

/// Makes an orphan of the exit.
fn rescue<S>(guard: SharedGuard<S::Part>)
where
    S: Member + 'static,
    S::Part: Sync,
{
    let owner = Owner::new(ScopeName::<Shared<S>>(()), guard.location());
    let rest = Rest(claim::<S>);
    drop(Slot::<Shared<S>, Infallible>::new(
        Held { guard, rest },
        owner,
    ));
}

#[diagnostic::do_not_recommend]
impl<S: Member> Bracket for Shared<S>
where
    S::Part: Sync,
{
    type Held = Held<S>;
    type View = SharedGuard<S::Part>;
    type Error = S::Error;
    type Verdict = S::Verdict;
    type Tag = ();

    fn tag(&self) {}

    fn name((): &()) -> Cow<'static, str> {
        Cow::Borrowed(type_name::<S>())
    }

    async fn begin(self, armed: Armed<Self::Held>) -> Result<Self::Held, S::Error> {
        let generation = match Waiting::new(&self.hub).await {
            Admitted::Shares(generation) => generation,
            Admitted::Enters(turn) => enter(turn, self.make, armed).await?,
        };
        Ok(Held {
            guard: SharedGuard::new(generation, armed.location()),
            rest: Rest(claim::<S>),
        })
    }

    fn view(held: &mut Self::Held) -> &mut Self::View {
        &mut held.guard
    }

    fn entries(error: S::Error) -> Vec<Entry> {
        S::entries(error)
    }

    async fn end(held: Self::Held, outcome: Outcome<'_>) -> Result<S::Verdict, S::Error> {
        let Held {
            guard,
            rest: Rest(claim),
        } = held;
        let Some((held, turn)) = claim(guard) else {
            return Ok(S::Verdict::PROPAGATE);
        };
        // In a frame of its own: the turn is given back when all that the exit has opened has ended, and also if it panics.
        let exited = Exiting::new(S::end(held, outcome), frame::next_id()).await;
        drop(turn);
        match exited {
            Ok(exited) => exited,
            Err(panic) => resume_unwind(*panic),
        }
    }
}

impl<S: Member> Peek for Shared<S>
where
    S::Part: Sync,
{
    fn peek(held: &Self::Held) -> &Self::View {
        &held.guard
    }
}

impl<S: Member> Member for Shared<S>
where
    S::Part: Sync,
{
    type Part = SharedGuard<S::Part>;
    type Rest = Rest<S>;

    fn part(held: Self::Held) -> (Self::Part, Self::Rest) {
        (held.guard, held.rest)
    }

    fn whole(guard: Self::Part, rest: Self::Rest) -> Self::Held {
        Held { guard, rest }
    }
}

impl<S: Member> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self {
            make: self.make.clone(),
            hub: self.hub.clone(),
        }
    }
}

impl<S: Member> fmt::Debug for Shared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("scope", &type_name::<S>())
            .field("users", &self.users())
            .finish()
    }
}

impl<S: Member> fmt::Debug for Held<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

impl<S: Member> fmt::Debug for Rest<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest")
    }
}
