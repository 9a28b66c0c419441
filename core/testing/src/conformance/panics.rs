//! Panics at every place and depth: all other exits run, the first panic goes on, none is lost silently.

use std::future::pending;

use withal_core::{Reason, Runtime, ScopeExt, until};

use crate::cut::{caught, cut_after, yield_times};
use crate::faults::hush_injected_panics;
use crate::ledger::{Injected, Ledger, Traced, TracedGuard, ok};
use crate::lost::LostErrors;

/// Where the panic is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Enter,
    Body,
    Exit,
    Drop,
}

struct Bomb(String);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("injected panic: drop {}", self.0);
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn scope(ledger: &Ledger, place: Place, at: usize, depth: usize) -> Traced {
    let scope = ledger.scope(NAMES[depth]).yields(1);
    match place {
        _ if at != depth => scope,
        Place::Enter => scope.enter_panics(),
        Place::Exit => scope.exit_panics(),
        Place::Body | Place::Drop => scope,
    }
}

/// What the body of each scope does: a bomb that is dropped at its end, or a panic.
fn strike(place: Place, at: usize, depth: usize) -> Option<Bomb> {
    let name = NAMES[depth];
    if at == depth && place == Place::Body {
        panic!("injected panic: body {name}");
    }
    (at == depth && place == Place::Drop).then(|| Bomb(name.to_owned()))
}

async fn nested(ledger: &Ledger, place: Place, at: usize, hangs: bool) -> Result<(), Injected> {
    scope(ledger, place, at, 0)
        .with(async |a: &mut TracedGuard| {
            yield_times(1).await;
            let b = scope(ledger, place, at, 1).inside(a);
            b.with(async |b: &mut TracedGuard| {
                yield_times(1).await;
                let c = scope(ledger, place, at, 2).inside(b);
                c.with(async |_| {
                    yield_times(1).await;
                    let _bomb = strike(place, at, 2);
                    if hangs {
                        pending::<()>().await;
                    }
                    ok(())
                })
                .await?;
                let _bomb = strike(place, at, 1);
                ok(())
            })
            .await?;
            let _bomb = strike(place, at, 0);
            ok(())
        })
        .await
}

/// A panic in the body, in enter, in exit and in a `Drop`, at each depth.
pub async fn at_each_place_and_depth<R: Runtime>(_: R) {
    hush_injected_panics();
    for place in [Place::Enter, Place::Body, Place::Exit, Place::Drop] {
        for at in 0..3 {
            let ledger = Ledger::new();
            let message = caught(nested(&ledger, place, at, false)).await.unwrap_err();
            let expected = format!("injected panic: {place:?} {}", NAMES[at]).to_lowercase();
            assert_eq!(message, expected);
            assert_eq!(ledger.live(), 0, "{place:?} {at}: {}", ledger.trace());
            ledger.check();
            // Everything outside of the panic has seen it.
            for outer in &NAMES[..at] {
                assert_eq!(ledger.outcome(outer), Some(format!("panic: {message}")));
            }
        }
    }
}

/// The same when the tree is dropped hard: a bomb in the body stops no exit, and the hook hears of it.
pub async fn in_a_tree_that_is_dropped<R: Runtime>(_: R) {
    hush_injected_panics();
    for polls in 0..20 {
        let lost = LostErrors::listen();
        let ledger = Ledger::new();
        let body = async {
            let _bomb = Bomb(format!("tree.{polls}"));
            let inner = ledger.scope("b").yields(1);
            inner.with(async |_| ok(pending::<()>().await)).await
        };
        let tree = ledger.scope("a").yields(1).with(async |_| body.await);
        drop(cut_after(polls, tree).eagerly().await);
        ledger.settled().await;
        ledger.check();
        let bombs = lost.containing(&format!("drop tree.{polls}")).len();
        // Its body has been polled, so that the bomb was armed, exactly if the scope was entered.
        assert_eq!(
            bombs,
            ledger.trace().matches("+a").count(),
            "{}",
            ledger.trace()
        );
    }
}

/// Two panics: the first goes on, and the second is told to the hook.
pub async fn the_second_is_not_lost<R: Runtime>(_: R) {
    hush_injected_panics();
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let scope = ledger.scope("second.panic").exit_panics();
    let body = scope.with(async |_| -> Result<(), Injected> { panic!("injected panic: first") });
    assert_eq!(caught(body).await.unwrap_err(), "injected panic: first");
    assert_eq!(lost.containing("exit second.panic").len(), 1);
    // A body's error beside a panic of the exit is told, too.
    let scope = ledger.scope("x").exit_panics();
    let body = scope.with(async |_| Err::<(), _>(Injected("beside a panic".to_owned())));
    assert_eq!(caught(body).await.unwrap_err(), "injected panic: exit x");
    assert_eq!(lost.containing("beside a panic").len(), 1);
}

/// A panic in a tree that is being cancelled goes on after everything has been released.
pub async fn while_cancelling<R: Runtime>(_: R) {
    hush_injected_panics();
    let signal = async {
        yield_times(6).await;
        Reason::Shutdown
    };
    let ledger = Ledger::new();
    let tree = nested(&ledger, Place::Exit, 1, true);
    let message = caught(until(signal, tree)).await.unwrap_err();
    assert_eq!(message, "injected panic: exit b");
    assert_eq!(ledger.live(), 0);
    ledger.check();
}

/// An adopted exit that panics reaches neither its adopter's body nor a sibling.
pub async fn of_an_adopted_exit<R: Runtime>(_: R) {
    hush_injected_panics();
    let ledger = Ledger::new();
    let ended = ledger
        .scope("a")
        .with(async |a| {
            let bad = ledger.scope("P").inside(a).exit_yields(1).exit_panics();
            let sibling = ledger.scope("sib").inside(a).exit_yields(2);
            for scope in [bad, sibling] {
                let parked = scope.using(async |_| pending::<()>().await);
                drop(cut_after(1, parked).await);
            }
            yield_times(10).await;
            ledger.say("body-done");
            ok(())
        })
        .await;
    assert_eq!(ended, Ok(()));
    assert_eq!(ledger.trace(), "+a +P +sib ~P ~sib !P -sib body-done ~a -a");
}

/// A closure that panics before there is a future is a panic of the body.
pub async fn before_there_is_a_future<R: Runtime>(_: R) {
    hush_injected_panics();
    fn explode(_: &mut TracedGuard) -> std::future::Ready<Result<(), Injected>> {
        panic!("injected panic: no future")
    }
    let ledger = Ledger::new();
    let scope = ledger.scope("a").exit_yields(2);
    let message = caught(scope.with(explode)).await.unwrap_err();
    assert_eq!(message, "injected panic: no future");
    assert_eq!(ledger.trace(), "+a ~a -a");
    assert_eq!(
        ledger.outcome("a").as_deref(),
        Some("panic: injected panic: no future")
    );
}
