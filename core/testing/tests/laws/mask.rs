//! Law 12, mask: inside of an exit no cancellation from outside is seen; exits nest; a canceller inside of an exit cuts only its own body.

use std::future::pending;
use std::pin::Pin;

use proptest::prelude::*;
use withal_core::{ExitStack, Launch, Outcome, Reason, Report, ScopeExt, until};
use withal_testing::{Ledger, Manual, yield_times};

use crate::config;

/// No program takes so many.
const MOST_POLLS: usize = 1000;
const OWN: &str = "cancelled: own";

/// An exit that opens scopes, is cancelled in itself, and unwinds a stack whose exit does the same.
#[derive(Clone, Debug)]
struct Exit {
    yields: usize,
    inner_yields: usize,
    cut_after: usize,
    inside: Option<Box<Exit>>,
}

fn exits() -> impl Strategy<Value = Exit> {
    let counts = (0..3_usize, 0..3_usize, 0..3_usize);
    let exit = |(yields, inner_yields, cut_after), inside| Exit {
        yields,
        inner_yields,
        cut_after,
        inside,
    };
    let leaf = counts.clone().prop_map(move |counts| exit(counts, None));
    leaf.prop_recursive(3, 3, 1, move |inner| {
        let both = (counts.clone(), inner);
        both.prop_map(move |(counts, inside)| exit(counts, Some(Box::new(inside))))
    })
}

type Running = Pin<Box<dyn Future<Output = Result<(), Report>> + Send>>;

async fn after(polls: usize, why: &'static str) -> Reason {
    yield_times(polls).await;
    Reason::Requested(why)
}

impl Exit {
    /// Runs as the exit `name`: `m` in the trace is the mark of its end.
    fn run(self, ledger: Ledger, name: String) -> Running {
        Box::pin(async move {
            yield_times(self.yields).await;
            // Nothing is entered while a canceller closes, except in exits.
            let inner = ledger.scope(format!("{name}i")).yields(self.inner_yields);
            inner.using(async |_| yield_times(1).await).await?;
            let cut = ledger
                .scope(format!("{name}c"))
                .exit_yields(self.inner_yields);
            let body = cut.using(async |_| pending::<()>().await);
            let cut = until(after(self.cut_after, "own"), body).await;
            assert_eq!(
                cut.expect_err("it waits for ever").cancelled().reason,
                Reason::Requested("own")
            );
            assert_eq!(
                ledger.outcome(&format!("{name}i")).as_deref(),
                Some("success")
            );
            assert_eq!(ledger.outcome(&format!("{name}c")).as_deref(), Some(OWN));
            if let Some(inside) = self.inside {
                let stack = ExitStack::new();
                inside.add(&stack, &ledger, format!("{name}s"));
                yield_times(1).await;
                stack.close(Outcome::Success).await?;
            }
            ledger.say(format!("{name}m"));
            Ok(())
        })
    }

    fn add(self, stack: &ExitStack, ledger: &Ledger, name: String) {
        let ledger = ledger.clone();
        stack.defer(async move || {
            ledger.say(format!("{name}b"));
            self.run(ledger, name).await
        });
    }
}

/// Every exit that has begun has gone to its end.
fn check(ledger: &Ledger) {
    ledger.check();
    let trace = ledger.trace();
    let marks: Vec<&str> = trace.split_whitespace().collect();
    for name in marks.iter().filter_map(|mark| mark.strip_suffix('b')) {
        assert!(
            marks.contains(&&*format!("{name}m")),
            "{name} was cut: {trace}"
        );
    }
}

async fn program(exits: &[Exit], ledger: &Ledger) -> Result<(), Report> {
    let body = async |stack: &mut ExitStack| {
        for (number, exit) in exits.iter().enumerate() {
            exit.clone().add(stack, ledger, format!("e{number}"));
            yield_times(1).await;
        }
        Ok(())
    };
    ExitStack::with(body).await
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn exits_see_no_cancellation(exits in prop::collection::vec(exits(), 1..4)) {
        let rt = Manual::new();
        for polls in 0..=MOST_POLLS {
            prop_assert!(polls < MOST_POLLS, "it completes");
            let ledger = Ledger::new();
            let cancelled = until(after(polls, "outer"), program(&exits, &ledger));
            let ended = rt.block_on(cancelled);
            // In place: nothing is left when the canceller returns.
            check(&ledger);
            if let Ok(ended) = ended {
                prop_assert!(ended.is_ok());
                break;
            }
        }
    }

    #[test]
    fn nested_cancellers_do_not_reach_further(exits in prop::collection::vec(exits(), 1..3), polls in 0..12_usize, more in 0..6_usize) {
        let rt = Manual::new();
        let ledger = Ledger::new();
        let inner = until(after(polls, "inner"), program(&exits, &ledger));
        let _ = rt.block_on(until(after(polls + more, "outer"), inner));
        check(&ledger);
    }

    #[test]
    fn exits_go_on_when_they_are_dropped(exits in prop::collection::vec(exits(), 1..3)) {
        let swept = withal_testing::drop_sweep_and(
            |ledger| {
                let (exits, ledger) = (&exits, ledger.clone());
                async move { program(exits, &ledger).await }
            },
            |_, _| {},
        );
        withal_testing::block_on(swept);
    }
}
