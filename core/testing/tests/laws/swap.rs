//! Law 10, replaceable values: whatever fails in a swap, there is one value, two while it is swapped, and never one that was released.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proptest::prelude::*;
use withal_core::{ExitStack, Member, Propagate, Report, acquire, drained};
use withal_testing::{Injected, block_on, cut_after, yield_times};

use crate::config;

/// One value to be swapped in, and what becomes of it.
#[derive(Clone, Debug)]
struct Value {
    refuses: bool,
    fails: bool,
    yields: usize,
    /// After so many polls the swap is dropped.
    cut: Option<usize>,
}

fn values() -> impl Strategy<Value = Vec<Value>> {
    let value = (
        any::<bool>(),
        any::<bool>(),
        0..3_usize,
        proptest::option::of(1..6_usize),
    );
    let value = value.prop_map(|(refuses, fails, yields, cut)| Value {
        refuses,
        fails,
        yields,
        cut,
    });
    proptest::collection::vec(value, 0..8)
}

#[derive(Default)]
struct Counts {
    live: AtomicUsize,
    most: AtomicUsize,
    entered: AtomicUsize,
    exited: AtomicUsize,
}

struct Guard(Arc<AtomicBool>);

impl Value {
    fn scope(
        &self,
        counts: &Arc<Counts>,
    ) -> impl Member<Part = Guard, Rest: 'static, Error = Report, Verdict = Propagate, Held: 'static>
    + use<> {
        let (value, counts) = (self.clone(), counts.clone());
        let (fails, ends) = (value.fails, counts.clone());
        acquire(async move || {
            yield_times(value.yields).await;
            if value.refuses {
                return Err(Report::from(Injected("enter".to_owned())));
            }
            let live = counts.live.fetch_add(1, Ordering::Relaxed) + 1;
            counts.most.fetch_max(live, Ordering::Relaxed);
            counts.entered.fetch_add(1, Ordering::Relaxed);
            Ok(Guard(Arc::new(AtomicBool::new(true))))
        })
        .release(async move |Guard(alive), _| {
            assert!(alive.swap(false, Ordering::Relaxed), "released once");
            yield_times(1).await;
            ends.live.fetch_sub(1, Ordering::Relaxed);
            ends.exited.fetch_add(1, Ordering::Relaxed);
            match fails {
                true => Err(Report::from(Injected("exit".to_owned()))),
                false => Ok(()),
            }
        })
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn there_is_always_one_that_is_not_released(values in values()) {
        let counts = Arc::new(Counts::default());
        let first = Value { refuses: false, fails: false, yields: 0, cut: None };
        let is_cut = values.iter().any(|value| value.cut.is_some());
        block_on(async {
            let ended = ExitStack::with(async |stack| {
                let mut lease = stack.enter(first.scope(&counts)).await?;
                let mut current = first.clone();
                for value in &values {
                    let before = Arc::as_ptr(&lease.0);
                    let swapped = cut_after(value.cut.unwrap_or(usize::MAX), lease.swap(value.scope(&counts))).await;
                    assert!(lease.0.load(Ordering::Relaxed), "it is not released");
                    let is_new = before != Arc::as_ptr(&lease.0);
                    match swapped {
                        Some(Err(_)) => assert!(value.refuses && !is_new),
                        Some(Ok(released)) => assert_eq!((is_new, released.is_err()), (true, current.fails)),
                        // Nothing is lost, whichever of them is there now.
                        None => assert!(!is_new || !value.refuses),
                    }
                    if is_new {
                        current = value.clone();
                    }
                }
                Ok::<_, Report>(current.fails)
            })
            .await;
            if let Ok(fails) = ended {
                assert!(!fails, "the last one's exit is told");
            }
            drained().await;
        });
        let get = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        prop_assert_eq!(get(&counts.live), 0);
        prop_assert_eq!(get(&counts.entered), get(&counts.exited));
        if !is_cut {
            prop_assert!(get(&counts.most) <= 2);
        }
    }
}
