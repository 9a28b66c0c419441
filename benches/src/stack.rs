//! How much stack does a nested scope need: to be polled, to be dropped, and to be finished as an orphan?

use std::future::{pending, poll_fn};
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use withal_core::{Outcome, Propagate, Scope, with};

use crate::permit::{Refused, drive};

/// Stack per level, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    /// A boxed async block in another, polled.
    pub by_hand: usize,
    /// The same with a scope around each, polled.
    pub polled: usize,
    /// Dropped.
    pub dropped: usize,
    /// Driven by its adopter.
    pub driven: usize,
}

impl Stack {
    /// What a level may need, in a release build.
    pub const BUDGET: usize = 512;

    /// Whether a level keeps to that, and an orphaned tree needs no more than polling it did.
    pub fn is_within(&self) -> bool {
        self.polled <= Self::BUDGET && self.driven <= self.polled
    }

    /// Measures.
    pub fn measure() -> Self {
        const FEW: u32 = 50;
        const MANY: u32 = 250;
        let by_hand = [FEW, MANY].map(|levels| {
            let reached = Reached::default();
            drive(cut(nest_by_hand(levels, reached.clone())));
            reached
        });
        let scoped = [FEW, MANY].map(|levels| {
            let reached = Reached::default();
            let adopter = with(Level(Reached::default()), async |_| {
                cut(nest(levels, reached.clone())).await;
                Ok::<_, Refused>(())
            });
            let _ = black_box(drive(adopter));
            reached
        });
        // Stacks grow downwards.
        let per_level = |[few, many]: &[Reached; 2], part: fn(&Marks) -> &AtomicUsize| {
            let at = |reached: &Reached| part(&reached.0).load(Ordering::Relaxed);
            at(few).saturating_sub(at(many)) / (MANY - FEW) as usize
        };
        Self {
            by_hand: per_level(&by_hand, |marks| &marks.polled),
            polled: per_level(&scoped, |marks| &marks.polled),
            dropped: per_level(&scoped, |marks| &marks.dropped),
            driven: per_level(&scoped, |marks| &marks.driven),
        }
    }
}

/// Where on the stack the innermost level was.
#[derive(Clone, Debug, Default)]
struct Reached(Arc<Marks>);

#[derive(Debug, Default)]
struct Marks {
    polled: AtomicUsize,
    dropped: AtomicUsize,
    driven: AtomicUsize,
}

#[inline(never)]
fn mark(place: &AtomicUsize) {
    let here = 0_u8;
    let address = std::ptr::from_ref(black_box(&here)).addr();
    // The first is the innermost.
    let _ = place.compare_exchange(0, address, Ordering::Relaxed, Ordering::Relaxed);
}

impl Drop for Reached {
    fn drop(&mut self) {
        // The measuring function and the scopes have copies, too, which go later.
        mark(&self.0.dropped);
    }
}

/// A scope whose exit marks where it runs.
struct Level(Reached);

impl Scope for Level {
    type Guard = Reached;
    type Error = Refused;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Reached, Refused> {
        Ok(self.0)
    }

    async fn exit(reached: Reached, _: Outcome<'_>) -> Result<Propagate, Refused> {
        mark(&reached.0.driven);
        Ok(Propagate)
    }
}

type Nest = Pin<Box<dyn Future<Output = Result<(), Refused>> + Send>>;

fn nest_by_hand(levels: u32, reached: Reached) -> Nest {
    Box::pin(async move {
        if levels > 0 {
            return nest_by_hand(levels - 1, reached).await;
        }
        mark(&reached.0.polled);
        pending().await
    })
}

fn nest(levels: u32, reached: Reached) -> Nest {
    Box::pin(async move {
        let level = Level(reached.clone());
        with(level, async |_| {
            if levels > 0 {
                return nest(levels - 1, reached.clone()).await;
            }
            mark(&reached.0.polled);
            pending().await
        })
        .await
    })
}

/// Polls once, and drops.
async fn cut(mut nest: Nest) {
    poll_fn(|cx| {
        assert!(nest.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}
