//! The enter of one who has the turn.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;

use crate::armed::Armed;
use crate::bracket::Member;
use crate::compose::entering::entering;
use crate::frame::{self, Dropping};
use crate::framed::{Heir, Stop};
use crate::lost;
use crate::orphan::Work;
use crate::owner::{Owner, ScopeName};
use crate::report::{Entry, Phase, What};

use super::guard::Generation;
use super::turn::Turn;
use super::{Held, Shared, generation};

/// One who has the turn, and enters.
///
/// Dropped, it gives the turn back when all that it has left behind has ended.
struct Attempt<S: Member>
where
    S::Part: Sync,
{
    turn: Option<Turn<S::Part>>,
    owner: Owner<ScopeName<Shared<S>>>,
    // A pointer, made where the part is known to be `'static`.
    give_back: fn(Turn<S::Part>) -> Work,
}

impl<S: Member> Drop for Attempt<S>
where
    S::Part: Sync,
{
    fn drop(&mut self) {
        if self.owner.has_jobs()
            && let Some(turn) = self.turn.take()
        {
            if frame::dropping() == Dropping::MovedOn {
                lost::tell(Entry::new(What::Overdue).at(Phase::Enter, &self.owner.label()));
            }
            let left = self.owner.take_jobs();
            self.owner.orphan(left, (self.give_back)(turn));
        }
    }
}

/// Enters the scope that `make` makes, and shares what was entered.
pub(super) async fn enter<S>(
    turn: Turn<S::Part>,
    make: Arc<dyn Fn() -> S + Send + Sync>,
    armed: Armed<Held<S>>,
) -> Result<Arc<Generation<S::Part>>, S::Error>
where
    S: Member,
    S::Part: Sync,
{
    let location = armed.location();
    let mut attempt = Attempt {
        turn: Some(turn),
        owner: Owner::new(ScopeName::<Shared<S>>(()), location),
        give_back: |turn| Box::pin(async move { drop(turn) }),
    };
    let enter = || make().begin(Armed::new(location));
    match entering(enter, &mut attempt.owner).await {
        Ok(Ok(held)) => {
            let turn = attempt.turn.take().expect("it is given back at the end");
            Ok(turn.share(|turn| generation::<S>(held, turn)))
        }
        Ok(Err(error)) => Err(error),
        Err(Stop::Panicked(panic)) => resume_unwind(*panic),
        Err(Stop::Cut) => {
            drop(attempt);
            pending().await
        }
    }
}
