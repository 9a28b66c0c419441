//! Groups in tasks of groups, very deep, whose runtime goes away.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use withal_core::{ScopeExt, Spawn, Task, acquire, task_group};
use withal_testing::Manual;

const DEPTH: usize = 20_000;

#[derive(Clone, Default)]
struct Counts {
    entered: Arc<AtomicUsize>,
    exited: Arc<AtomicUsize>,
}

type Nest = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

fn nest(rt: Manual, depth: usize, counts: Counts) -> Nest {
    Box::pin(async move {
        counts.entered.fetch_add(1, Ordering::SeqCst);
        let exited = counts.exited.clone();
        let scope = acquire(async || Ok::<_, String>(())).release(async move |(), _| {
            // Inside out: each waits for the group in its body.
            assert_eq!(exited.fetch_add(1, Ordering::SeqCst), depth);
            Ok::<_, String>(())
        });
        let group = async |(): &mut ()| {
            let inner = rt.clone();
            let group = task_group(&rt, async |group| {
                if depth > 0 {
                    group.spawn(nest(inner, depth - 1, counts));
                }
                pending::<Result<(), String>>().await
            });
            group.await.map_err(|error| error.to_string())
        };
        scope.with(group).await
    })
}

/// Each task is an orphan of its own at the fallback, so that no stack grows with the depth.
#[test]
fn a_runtime_that_is_dropped() {
    let (rt, counts) = (Manual::new(), Counts::default());
    let deepest = nest(rt.clone(), DEPTH, counts.clone());
    rt.spawn(Task::new(async move { drop(deepest.await) }));
    rt.settle();
    assert_eq!(counts.entered.load(Ordering::SeqCst), DEPTH + 1);
    drop(rt);
    while counts.exited.load(Ordering::SeqCst) <= DEPTH {
        std::thread::yield_now();
    }
}
