//! Scopes that are composed of scopes: armed from the first enter to the last exit, wherever they are cut.

mod kinds;
mod sides;

use std::future::pending;
use std::time::Duration;

use futures::channel::oneshot;
use withal_core::{
    Kind as What, Or, Outcome, Reason, Runtime, ScopeError, ScopeExt, acquire, join_all, timeout,
    until,
};

use crate::cut::{cut_after, poll_once, spawn_abortable, yield_times};
use crate::drop_sweep::drop_sweep_and;
use crate::faults::fault_sweep;
use crate::ledger::{Injected, Ledger, ok};
use crate::lost::LostErrors;

use kinds::{KINDS, Kind};

pub use sides::{a_side_that_fails, side_by_side, the_loser_of_a_race};

const SOON: Duration = Duration::from_millis(1);
const FOREVER: Duration = Duration::from_secs(1 << 30);
const DROPPED: &str = "cancelled: the future was dropped";
const REQUESTED: &str = "cancelled: enough";

async fn after(polls: usize) -> Reason {
    yield_times(polls).await;
    Reason::Requested("enough")
}

/// Checks I1, the order of the exits, and that each has seen a success if the body had ended, and else `reason`.
fn check(kind: &Kind, ledger: &Ledger, reason: &str) {
    ledger.check();
    let trace = ledger.trace();
    let mut open = Vec::new();
    for mark in trace
        .split(' ')
        .filter(|mark| kind.in_order && !mark.is_empty())
    {
        let (sign, name) = mark.split_at(1);
        match sign {
            "+" => open.push(name),
            "~" => assert_eq!(open.last(), Some(&name), "{}: {trace}", kind.name),
            "-" | "!" => assert_eq!(open.pop(), Some(name), "{}: {trace}", kind.name),
            _ => {}
        }
    }
    let expected = if trace.contains("body.") {
        "success"
    } else {
        reason
    };
    for name in ["a", "b", "c", "d"] {
        let outcome = ledger.outcome(name);
        if kind.plain
            && outcome
                .as_deref()
                .is_some_and(|outcome| outcome != expected)
        {
            panic!("{}: {name} has seen {outcome:?} in: {trace}", kind.name);
        }
    }
}

/// Dropped at every poll: of the enters, of the body, of the exits.
pub async fn dropped_at_every_poll<R: Runtime>(_: R) {
    for kind in KINDS {
        let check = |ledger: &Ledger, _| check(kind, ledger, DROPPED);
        let polls = drop_sweep_and(kind.program, check).await;
        assert!(polls >= 5, "{}: every phase suspends: {polls}", kind.name);
    }
}

/// The same inside of cancellers that do not strike.
pub async fn dropped_in_a_canceller<R: Runtime>(rt: R) {
    for kind in KINDS {
        let check = |ledger: &Ledger, _| check(kind, ledger, DROPPED);
        let program = |ledger: &Ledger| timeout(&rt, FOREVER, (kind.program)(ledger));
        drop_sweep_and(program, check).await;
        let program = |ledger: &Ledger| until(pending(), (kind.program)(ledger));
        drop_sweep_and(program, check).await;
    }
}

/// Dropped inside of a scope, which waits for all of it before it exits itself.
pub async fn dropped_inside_of_a_scope<R: Runtime>(_: R) {
    for kind in KINDS {
        for polls in 0..20 {
            let ledger = Ledger::new();
            let outer = ledger.scope("o");
            let ended = outer.using(async |_| {
                let _ = cut_after(polls, (kind.program)(&ledger)).eagerly().await;
            });
            assert_eq!(ended.await, Ok(()));
            assert_eq!(ledger.live(), 0, "{}", kind.name);
            assert!(
                ledger.trace().ends_with("~o -o"),
                "{}: {}",
                kind.name,
                ledger.trace()
            );
        }
    }
}

/// In a task that is aborted at every poll, on a runtime that moves it about.
pub async fn aborted<R: Runtime>(rt: R) {
    for kind in KINDS {
        for polls in 0..16 {
            let ledger = Ledger::new();
            let program = (kind.program)(&ledger);
            let task = spawn_abortable(&rt, async move {
                let _ = cut_after(polls, program).await;
            });
            yield_times(polls).await;
            task.abort();
            ledger.settled().await;
            check(kind, &ledger, DROPPED);
        }
    }
}

/// Cancelled at every poll: everything is released in place when the canceller returns, and knows the reason.
pub async fn cancelled_at_every_poll<R: Runtime>(_: R) {
    for kind in KINDS {
        for polls in 0.. {
            let ledger = Ledger::new();
            let ended = until(after(polls), (kind.program)(&ledger)).await;
            if kind.name.contains("race") {
                ledger.settled().await;
            }
            assert_eq!(ledger.live(), 0, "{}: {}", kind.name, ledger.trace());
            check(kind, &ledger, REQUESTED);
            if ended.is_ok() {
                break;
            }
            assert!(polls < 40, "{} comes to its end", kind.name);
        }
    }
}

/// Cancelled at every poll, and while it is closing dropped at every poll.
pub async fn dropped_while_closing<R: Runtime>(_: R) {
    for kind in KINDS {
        for polls in 0..10 {
            let program = |ledger: &Ledger| until(after(polls), (kind.program)(ledger));
            drop_sweep_and(program, |ledger, _| ledger.check()).await;
        }
    }
}

/// Errors and panics at each enter, body and exit, and at each pair of them: everything is released, and each fault is found.
pub async fn every_fault<R: Runtime>(_: R) {
    for kind in KINDS.iter().filter(|kind| kind.plain) {
        let runs = fault_sweep(kind.program).await;
        assert!(runs > 10, "{}: {runs}", kind.name);
    }
}

/// A tuple enters from left to right and exits from right to left.
pub async fn in_order<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let scope = |name| ledger.scope(name).yields(1);
    let names = (scope("a"), scope("b"), scope("c"))
        .with(async |(a, b, c)| ok([a.name(), b.name(), c.name()].concat()));
    assert_eq!(names.await, Ok("abc".to_owned()));
    assert_eq!(ledger.trace(), "+a +b +c ~c -c ~b -b ~a -a");
}

/// A member that cannot be entered: those before it exit and see its error, those after it are never touched.
pub async fn a_refused_enter<R: Runtime>(_: R) {
    for refused in 0..4 {
        let ledger = Ledger::new();
        let scopes = ["a", "b", "c", "d"].map(|name| ledger.scope(name).yields(1));
        let mut scopes = Vec::from(scopes);
        scopes[refused] = scopes[refused].clone().enter_fails();
        let name = ["a", "b", "c", "d"][refused];
        let failed = scopes.with_report(async |_| ok(())).await;
        let error = Injected(format!("enter {name}"));
        assert_eq!(failed, Err(ScopeError::Enter(error)));
        let trace = [
            "",
            "+a ~a -a",
            "+a +b ~b -b ~a -a",
            "+a +b +c ~c -c ~b -b ~a -a",
        ];
        assert_eq!(ledger.trace(), trace[refused]);
        for entered in &["a", "b", "c", "d"][..refused] {
            let seen = ledger.outcome(entered).unwrap();
            assert_eq!(seen, format!("failure: injected error: enter {name}"));
        }
    }
}

/// The second is not touched before what the first had opened is released.
pub async fn the_first_is_released_first<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let scope = |name| ledger.scope(name).yields(1);
    let first = (scope("a"), (scope("b"), scope("c").enter_fails()));
    let second = (scope("d"), (scope("e"), scope("f")));
    assert_eq!(first.or_enter(second).with(async |_| ok(7)).await, Ok(7));
    assert_eq!(
        ledger.trace(),
        "+a +b ~b -b ~a -a +d +e +f ~f -f ~e -e ~d -d"
    );
}

/// The deadline of a whole composite strikes: the exit in progress is overdue, and those behind it still run.
pub async fn a_deadline_over_a_composite<R: Runtime>(rt: R) {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let all = (
        ledger.scope("a").yields(1),
        ledger.scope("b").exit_hangs(),
        ledger.scope("composite.c").exit_fails(),
    );
    let failed = all
        .exit_within(&rt, SOON)
        .with_report(async |_| ok(()))
        .await;
    let Err(ScopeError::Exit(Or::B(overdue))) = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(overdue.limit, SOON);
    ledger.settled().await;
    assert!(ledger.trace().ends_with("~a -a"), "{}", ledger.trace());
    // What had failed by then is not lost with it.
    assert_eq!(lost.containing("exit composite.c").len(), 1);
    ledger.check();
}

/// A cancelled composite tells its canceller of each exit that went wrong.
pub async fn a_canceller_hears_of_it<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let all = ["a", "b"].map(|name| ledger.scope(name).yields(1).exit_fails());
    let body = all.with(async |_| ok(pending::<()>().await));
    let stopped = until(after(5), body).await.unwrap_err();
    let failed = stopped
        .exits()
        .iter()
        .filter(|exit| exit.kind() == What::Failed);
    let mut failed: Vec<_> = failed
        .filter_map(|exit| exit.downcast_ref::<Injected>())
        .collect();
    failed.sort_by_key(|Injected(text)| text);
    assert_eq!(
        failed,
        [
            &Injected("exit a".to_owned()),
            &Injected("exit b".to_owned())
        ]
    );
}

/// What the exit of one member opens has ended before the exit of the next starts.
pub async fn an_exit_that_leaves_something_behind<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let messy = |name: &'static str| {
        let left = ledger.scope(name).exit_yields(3);
        acquire(async || ok(())).release(async move |(), _: Outcome<'_>| {
            let _ = cut_after(1, left.using(async |_| pending::<()>().await)).await;
            ok(())
        })
    };
    let all = (messy("a"), messy("b"), messy("c"));
    assert_eq!(all.with(async |_| ok(())).await, Ok(()));
    assert_eq!(ledger.trace(), "+c ~c -c +b ~b -b +a ~a -a");
}

/// While a canceller is closing, an enter in progress may end, but nobody is let in after it.
pub async fn nobody_is_let_in_while_closing<R: Runtime>(_: R) {
    for polls in 1..6 {
        let ledger = Ledger::new();
        let signal = async {
            let reason = after(polls).await;
            ledger.say("closing");
            reason
        };
        let all = (
            ledger.scope("a").enter_yields(polls),
            ledger.scope("b"),
            ledger.scope("c"),
        );
        let stopped = until(signal, all.using(async |_| pending::<()>().await));
        assert!(stopped.await.is_err());
        assert!(
            !ledger.trace().contains("closing +a +b"),
            "{}",
            ledger.trace()
        );
        ledger.check();
    }
}

/// A composite that is cut while it enters releases what it has at once: the exit of another scope may be waiting for it.
pub async fn an_exit_that_needs_what_an_enter_holds<R: Runtime>(_: R) {
    let (permit, is_free) = oneshot::channel();
    let holds = acquire(async || ok(permit)).release(async |permit: oneshot::Sender<()>, _| {
        let _ = permit.send(());
        ok(())
    });
    let stuck = acquire(async || ok(pending::<()>().await)).release(async |(), _| ok(()));
    let needs = acquire(async || ok(is_free)).release(async |is_free, _| {
        assert!(is_free.await.is_ok());
        ok(())
    });
    let body = futures::future::join(
        needs.using(async |_| pending::<()>().await),
        (holds, stuck).using(async |_| ()),
    );
    assert!(until(after(3), body).await.is_err());
}

/// A long row of scopes needs no stack for its length.
pub async fn many_members<R: Runtime>(_: R) {
    const MANY: usize = 100_000;
    let ledger = Ledger::quiet();
    let scopes = || (0..MANY).map(|_| ledger.scope("")).collect::<Vec<_>>();
    assert_eq!(scopes().with(async |all| ok(all.len())).await, Ok(MANY));
    assert_eq!(
        join_all(scopes()).with(async |all| ok(all.len())).await,
        Ok(MANY)
    );
    let mut row = Box::pin(scopes().using(async |_| pending::<()>().await));
    assert!(poll_once(&mut row).await.is_pending());
    drop(row);
    ledger.settled().await;
    assert_eq!((ledger.entered(), ledger.live()), (3 * MANY, 0));
}
