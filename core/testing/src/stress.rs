//! The stress driver: random trees of scopes, joined, raced, timed out, dropped, panicking, on all workers at once.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::{Either, join_all, select};
use withal_core::{Runtime, ScopeExt, Task, timeout};

use crate::cut::{caught, cut_after, yield_times};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, Ledger, TracedGuard, TracedHandle};

/// How much stress.
#[derive(Clone, Copy, Debug)]
pub struct Stress {
    /// What the random trees grow from.
    pub seed: u64,
    /// How many scopes are entered, at least.
    pub enters: usize,
    /// How many trees grow at the same time.
    pub tasks: usize,
    /// How many of a hundred exits panic, and as many bodies.
    pub panics: u32,
}

/// Enters scopes in random trees until there were enough, and waits for all exits. The ledger that it gives has the counts and the violations.
///
/// # Cancel safety
///
/// Dropping it leaves the trees that were spawned running.
pub async fn stress<R: Runtime>(rt: &R, stress: Stress) -> Ledger {
    hush_injected_panics();
    let ledger = Ledger::quiet();
    let running = Arc::new(AtomicUsize::new(stress.tasks));
    let (done, all_done) = futures::channel::oneshot::channel();
    let done = Arc::new(std::sync::Mutex::new(Some(done)));
    for task in 0..stress.tasks {
        let grower = Grower {
            rt: rt.clone(),
            ledger: ledger.clone(),
            panics: stress.panics,
        };
        let (running, done) = (running.clone(), done.clone());
        let mut rng = fastrand::Rng::with_seed(stress.seed ^ ((task as u64) << 32));
        rt.spawn(Task::new(async move {
            while grower.ledger.entered() < stress.enters {
                let tree = grower.clone().grow(rng.fork(), 5, None);
                let _ = caught(cut_after(rng.usize(1..200), tree)).await;
            }
            if running.fetch_sub(1, Ordering::SeqCst) == 1 {
                let done = done.lock().ok().and_then(|mut done| done.take());
                done.map(|done| done.send(()));
            }
        }));
    }
    let _ = all_done.await;
    ledger.settled().await;
    ledger
}

#[derive(Clone)]
struct Grower<R> {
    rt: R,
    ledger: Ledger,
    panics: u32,
}

type Tree = Pin<Box<dyn Future<Output = Result<(), Injected>> + Send>>;

impl<R: Runtime> Grower<R> {
    fn grow(self, mut rng: fastrand::Rng, depth: u32, outer: Option<TracedHandle>) -> Tree {
        Box::pin(async move {
            let fork = |rng: &mut fastrand::Rng| {
                self.clone()
                    .grow(rng.fork(), depth.saturating_sub(1), outer.clone())
            };
            match rng.u32(0..if depth == 0 { 2 } else { 12 }) {
                0 => yield_times(rng.usize(0..4)).await,
                1 if rng.u32(0..100) < self.panics => panic!("injected panic: body"),
                1 => yield_times(1).await,
                2..=6 => {
                    let mut scope = self.ledger.scope("");
                    if let Some(outer) = &outer {
                        scope = outer.inside(scope);
                    }
                    scope = scope
                        .enter_yields(rng.usize(0..3))
                        .exit_yields(rng.usize(0..3));
                    if rng.u32(0..100) < self.panics {
                        scope = scope.exit_panics();
                    }
                    let (grower, rng) = (self.clone(), rng.fork());
                    let protected = rng.clone().bool();
                    let body = async move |guard: &mut TracedGuard| {
                        let inner = Some(TracedHandle::of(guard));
                        grower.grow(rng, depth.saturating_sub(1), inner).await
                    };
                    if protected {
                        scope.protected().with(body).await?;
                    } else {
                        scope.with(body).await?;
                    }
                }
                7 => {
                    let trees: Vec<_> = (0..rng.usize(2..4)).map(|_| fork(&mut rng)).collect();
                    for ended in join_all(trees).await {
                        ended?;
                    }
                }
                8 => match select(fork(&mut rng), fork(&mut rng)).await {
                    Either::Left((ended, _)) | Either::Right((ended, _)) => ended?,
                },
                9 | 10 => {
                    let limit = Duration::from_micros(rng.u64(0..200));
                    if let Ok(ended) = timeout(&self.rt, limit, fork(&mut rng)).await {
                        ended?;
                    }
                }
                _ => {
                    if let Some(ended) = cut_after(rng.usize(0..8), fork(&mut rng)).await {
                        ended?;
                    }
                }
            }
            Ok(())
        })
    }
}
