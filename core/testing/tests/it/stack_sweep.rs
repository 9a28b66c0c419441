//! Programs with exit stacks, dropped and cancelled at every poll and with faults at every point: each entered scope exits exactly once, inside out, and knows why.

mod programs;

use std::future::pending;
use std::time::Duration;

use futures::future::{Either, select};
use withal_core::{Launch, Reason, Report, timeout, until};
use withal_testing::{Ledger, Manual, drop_sweep_and, fault_sweep, yield_times};

const DROPPED: &str = "cancelled: the future was dropped";
const ENOUGH: &str = "cancelled: enough";
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// Checks that each exit has seen `Success` if its end had been decided, which `x.` in the trace says, and else one of the reasons.
fn check(ledger: &Ledger, reasons: &[&str]) {
    let trace = ledger.trace();
    let marks: Vec<&str> = trace.split(' ').collect();
    for name in marks.iter().filter_map(|mark| mark.strip_prefix('+')) {
        let outcome = ledger.outcome(name).expect("the ledger has been checked");
        if marks.contains(&&*format!("{name}.")) {
            assert_eq!(outcome, "success", "outcome of {name} in: {trace}");
        } else {
            let is_known = reasons.contains(&&*outcome);
            assert!(is_known, "outcome of {name} is {outcome} in: {trace}");
        }
    }
}

async fn after(polls: usize) -> Reason {
    yield_times(polls).await;
    Reason::Requested("enough")
}

/// Everything that can be done to `program` from outside.
fn sweep<F: Future<Output = Result<(), Report>>>(program: impl Fn(Ledger) -> F) {
    let rt = Manual::new();
    let polls = rt.block_on(drop_sweep_and(
        |ledger| program(ledger.clone()),
        |ledger, _| check(ledger, &[DROPPED]),
    ));
    assert!(polls >= 10, "it suspends in every phase: {polls}");
    // Without a runtime around, the fallback thread finishes what is dropped.
    futures::executor::block_on(drop_sweep_and(
        |ledger| program(ledger.clone()),
        |ledger, _| check(ledger, &[DROPPED]),
    ));
    rt.block_on(drop_sweep_and(
        |ledger| timeout(&rt, FOREVER, program(ledger.clone())),
        |ledger, _| check(ledger, &[DROPPED]),
    ));
    rt.block_on(drop_sweep_and(
        |ledger| until(pending(), program(ledger.clone())),
        |ledger, _| check(ledger, &[DROPPED]),
    ));
    for steps in 0..polls {
        rt.block_on(cancelled(&program, steps));
        rt.block_on(drop_sweep_and(
            |ledger| until(after(steps), program(ledger.clone())),
            |ledger, _| check(ledger, &[ENOUGH, DROPPED]),
        ));
        rt.block_on(drop_sweep_and(
            |ledger| losing(ledger.clone(), program(ledger.clone()), steps),
            |ledger, _| check(ledger, &[DROPPED]),
        ));
    }
    let runs = rt.block_on(fault_sweep(|ledger| program(ledger.clone())));
    assert!(runs > 20, "there are many points: {runs}");
}

/// When the canceller returns, everything has been released.
async fn cancelled<F: Future>(program: impl Fn(Ledger) -> F, steps: usize) {
    let ledger = Ledger::new();
    let _ = until(after(steps), program(ledger.clone())).await;
    ledger.check();
    check(&ledger, &[ENOUGH]);
}

/// The losing branch of a `select!` in a scope is finished before that scope exits.
async fn losing(ledger: Ledger, program: impl Future, steps: usize) -> Result<(), Report> {
    let outer = ledger.scope("outer").yields(1);
    let body = async |_: &mut _| {
        let loser = Box::pin(program);
        match select(loser, Box::pin(yield_times(steps))).await {
            Either::Left(_) => {}
            Either::Right(((), loser)) => drop(loser),
        }
        yield_times(1).await;
        ledger.say("outer.");
        Ok::<_, Report>(())
    };
    withal_core::with(outer, body).await?;
    let trace = ledger.trace();
    assert!(trace.ends_with("-outer"), "I2: {trace}");
    Ok(())
}

macro_rules! sweeps {
    ($($program:ident)*) => {
        $(#[test] fn $program() { sweep(programs::$program); })*
    };
}

sweeps! {
    entered
    pushed
    deferred
    called
    by_hand
    closed_by_lease
    closed_in_the_body
    taken
    transferred
    leased_again
    late
    forked
    forked_and_closed
    grouped
    concurrent
    nested
    nested_by_hand
    added_while_unwinding
    closing_inside_of_an_exit
    opened
    protected
}
