//! The two halves of the protocol, called from outside of core: every scope can be entered so, also one that is composed of scopes.

use std::time::Duration;

use withal_core::{
    Armed, Bracket, Outcome, ScopeExt, join, join_all, lazy, null, race, suppress_nothing, sync,
};
use withal_testing::{Ledger, LostErrors, Manual, block_on, cut_after};

/// Enters, shows, and exits after a success.
#[track_caller]
fn through<S>(scope: S) -> impl Future<Output = Result<S::Verdict, S::Error>>
where
    S: Bracket<Held: 'static>,
{
    let armed = Armed::here();
    async move {
        let mut held = scope.begin(armed).await?;
        let _ = S::view(&mut held);
        S::end(held, Outcome::Success).await
    }
}

#[test]
fn every_scope_is_entered_and_exited() {
    let rt = Manual::new();
    let ledger = Ledger::new();
    let scope = |name: &str| ledger.scope(name).yields(1);
    let three = || [scope("a"), scope("b"), scope("c")];
    block_on(async {
        assert!(through(scope("a").named("a scope")).await.is_ok());
        assert!(through(scope("a").view_as(|guard| guard)).await.is_ok());
        assert!(
            through(scope("a").exit_within(&rt, Duration::from_secs(1)))
                .await
                .is_ok()
        );
        assert!(through((scope("a"), scope("b"), scope("c"))).await.is_ok());
        assert!(through(three()).await.is_ok());
        assert!(through(Vec::from(three())).await.is_ok());
        assert!(through(Some(scope("a"))).await.is_ok());
        assert!(through(join(scope("a"), scope("b"))).await.is_ok());
        assert!(through(join_all(three())).await.is_ok());
        assert!(through(scope("a").then_enter(|_| null(1))).await.is_ok());
        assert!(through(scope("a").or_enter(scope("b"))).await.is_ok());
        assert!(through(race(scope("a"), scope("b"))).await.is_ok());
        assert!(
            through((scope("a"), sync(1)).named("pair").protected().boxed())
                .await
                .is_ok()
        );
        assert!(through(suppress_nothing()).await.is_ok());
        assert!(through(lazy(|| sync(1))).await.is_ok());
    });
    assert_eq!(ledger.entered(), 3 + 3 + 3 + 3 + 1 + 2 + 3 + 4);
    ledger.check();
}

#[test]
fn a_composite_that_is_cut_is_exited_by_who_is_around() {
    for polls in 0..4 {
        let ledger = Ledger::new();
        let scope = |name: &str| ledger.scope(name).yields(1);
        let inner = (scope("a"), [scope("b")], Some(scope("c")));
        let outer = scope("outer").using(async |_| {
            assert!(cut_after(polls, inner.begin(Armed::here())).await.is_none());
        });
        block_on(outer).unwrap();
        assert_eq!(ledger.entered(), polls.max(1), "{}", ledger.trace());
        ledger.check();
    }
}

#[test]
fn its_source_line_is_that_of_here() {
    let lost = LostErrors::listen();
    let ledger = Ledger::new();
    let failing = |name| ledger.scope(name).exit_fails().named(name);
    let ended = block_on(through((failing("by hand 1"), failing("by hand 2"))));
    let line = line!() - 1;
    assert!(ended.is_err());
    let heard = lost.containing("exit of `by hand 1`");
    assert_eq!(heard.len(), 1);
    assert!(
        heard[0].contains(&format!("{}:{line}:", file!())),
        "{heard:?}"
    );
}
