//! Law 9: closing is idempotent, also by several at once; what is added after the end runs once; moving leaves the source empty and releases nothing.

use futures::future::join3;
use proptest::prelude::*;
use withal_core::{ExitStack, Launch, Outcome, Propagate, Report, Scope};
use withal_testing::caught;

use crate::config;
use crate::program::{Add, End, How, Steps, programs, without_faults};
use crate::run::{Run, push};
use crate::told::check_told_once;

fn told(closed: &Result<Propagate, Report>) -> String {
    format!("{closed:?}")
}

/// Runs the steps in a stack of its own that stays open; their error is none of the law's business.
async fn opened(run: &Run, steps: &Steps) -> ExitStack {
    let stack = ExitStack::new();
    let _ = caught(run.body(&stack, None, steps)).await;
    stack
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_second_close_does_nothing(program in programs()) {
        // A panic goes on in the first who closes; the others see it in the report.
        let program = without_faults(&program, |end| end == End::Fails);
        let run = Run::new();
        run.rt.block_on(async {
            let stack = opened(&run, &program).await;
            let first = stack.close(Outcome::Success).await;
            let trace = run.ledger.trace();
            let second = stack.close(Outcome::Success).await;
            assert_eq!(told(&first), told(&second));
            assert_eq!(trace, run.ledger.trace());
            assert!(stack.is_closed() && stack.is_empty());
        });
        run.ledger.check();
    }

    #[test]
    fn several_close_as_one(program in programs()) {
        let program = without_faults(&program, |end| end == End::Fails);
        let alone = Run::new();
        let expected = alone.rt.block_on(async {
            let stack = opened(&alone, &program).await;
            alone.told(&told(&stack.close(Outcome::Success).await))
        });
        let several = Run::new();
        several.rt.block_on(async {
            let stack = opened(&several, &program).await;
            let close = || stack.close(Outcome::Success);
            let (a, b, c) = join3(close(), close(), close()).await;
            for closed in [a, b, c] {
                assert_eq!(several.told(&told(&closed)), expected);
            }
        });
        let trace = |run: &Run| run.came(Ok(Ok(()))).trace;
        prop_assert_eq!(trace(&several), trace(&alone));
    }

    #[test]
    fn what_is_added_after_the_end_runs_once(
        program in programs(),
        late in prop::collection::vec((0..4_usize, any::<bool>()), 1..6),
    ) {
        let program = without_faults(&program, |_| false);
        let run = Run::new();
        run.rt.block_on(async {
            let stack = opened(&run, &program).await;
            assert!(stack.close(Outcome::Success).await.is_ok());
            for (number, (how, fails)) in late.into_iter().enumerate() {
                let how = [How::Enter, How::Push, How::Defer, How::Callback][how];
                let end = if fails { End::Fails } else { End::Well };
                let add = Add { how, yields: number % 3, end, held: false };
                let before = run.ledger.entered();
                drop(run.add(&stack, add).await);
                run.ledger.settled().await;
                assert_eq!((run.ledger.entered(), run.ledger.live()), (before + 1, 0));
                assert!(stack.is_empty());
            }
        });
        check_told_once(&run.came(Ok(Ok(()))));
    }

    #[test]
    fn taking_leaves_nothing_and_releases_nothing(program in programs()) {
        let program = without_faults(&program, |_| false);
        let run = Run::new();
        run.rt.block_on(async {
            let stack = opened(&run, &program).await;
            let (trace, len) = (run.ledger.trace(), stack.len());
            let taken = stack.take();
            assert!(stack.is_empty() && !stack.is_closed());
            assert_eq!(taken.len(), len);
            stack.close(Outcome::Success).await.map(drop)?;
            assert_eq!(trace, run.ledger.trace());
            taken.close(Outcome::Success).await.map(drop)
        }).expect("nothing fails");
        run.ledger.check();
    }

    #[test]
    fn transferring_releases_nothing(program in programs(), yields in 0..3_usize) {
        let run = Run::new();
        run.rt.block_on(async {
            let (from, to) = (ExitStack::new(), opened(&run, &program).await);
            let guard = run.ledger.scope("moved").yields(yields).enter().await.expect("it never fails");
            let lease = push(&from, guard);
            let (trace, len) = (run.ledger.trace(), to.len());
            let lease = lease.transfer(&to);
            assert_eq!(lease.name(), "moved");
            drop(lease);
            assert!(from.is_empty());
            assert_eq!((to.len(), trace), (len + 1, run.ledger.trace()));
            from.close(Outcome::Success).await.map(drop).expect("there is nothing");
            let _ = caught(to.close(Outcome::Success)).await;
            run.ledger.settled().await;
        });
        run.ledger.check();
    }
}
