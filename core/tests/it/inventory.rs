//! What the inventory says of scopes that are open.

use std::convert::Infallible;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join;
use withal_core::inspect::{OpenScope, inventory};
use withal_core::{Never, Outcome, Phase, ScopeExt, acquire, null, sync, timeout, with_local};
use withal_testing::{Injected, Manual, block_on, poll_once, yield_now};

use crate::sample::Sample;

/// What is open under the name `root`, and what is inside: `root(one two(three))`; nothing if it is not there.
pub(crate) fn outline(root: &str) -> String {
    fn names(scope: OpenScope<'_>) -> String {
        let inside: Vec<_> = scope.children().map(names).collect();
        match &inside[..] {
            [] => scope.name().to_owned(),
            _ => format!("{}({})", scope.name(), inside.join(" ")),
        }
    }
    let open = inventory();
    let mut found = open.scopes().filter(|scope| scope.name() == root);
    found.next().map(names).unwrap_or_default()
}

/// The phase of the only scope with this name; `None` if there is none.
pub(crate) fn phase(name: &str) -> Option<Phase> {
    let open = inventory();
    let mut found = open.scopes().filter(|scope| scope.name() == name);
    let phase = found.next().map(OpenScope::phase);
    assert!(found.next().is_none(), "{open}");
    phase
}

#[test]
fn what_is_entered_in_a_body_is_inside() {
    let rt = Manual::new();
    block_on(async {
        let Ok(()) = null(())
            .named("nest")
            .using(async |()| {
                let two = null(()).named("two").using(async |()| {
                    let limit = Duration::from_secs(1);
                    let three = null(()).named("three").using(async |()| outline("nest"));
                    let Ok(Ok(seen)) = timeout(&rt, limit, three).await else {
                        panic!("nobody waited");
                    };
                    seen
                });
                assert_eq!(two.await, Ok("nest(two(three))".to_owned()));
                assert_eq!(outline("nest"), "nest");
            })
            .await;
    });
    assert_eq!(outline("nest"), "");
}

#[test]
fn what_runs_side_by_side_is_side_by_side() {
    block_on(async {
        let inner = |name| {
            null(()).named(name).using(async |()| {
                yield_now().await;
                yield_now().await;
            })
        };
        let Ok(()) = null(())
            .named("beside")
            .using(async |()| {
                let mut both = pin!(join(inner("left"), inner("right")));
                assert!(poll_once(&mut both).await.is_pending());
                assert_eq!(outline("beside"), "beside(left right)");
                let (Ok(()), Ok(())) = both.await;
            })
            .await;
    });
}

#[test]
fn a_composite_is_one_scope_that_names_its_members() {
    block_on(async {
        let pair = (null(1).named("left"), null(2).named("right"));
        let inside = pair.using(async |_| {
            let Ok(seen) = null(())
                .named("in both")
                .using(async |()| outline("(left, right)"))
                .await;
            seen
        });
        assert_eq!(inside.await, Ok("(left, right)(in both)".to_owned()));
        struct One;
        struct Other;
        let unnamed = (sync(One), sync(Other)).using(async |_| phase("(One, Other)"));
        assert_eq!(unnamed.await, Ok(Some(Phase::Body)));
    });
    assert_eq!(outline("(left, right)"), "");
}

#[test]
fn it_names_the_line_and_knows_the_age() {
    block_on(async {
        let line = line!() + 1;
        let named = null(()).named(format!("aged {}", 7)).using(async |()| {
            let open = inventory();
            let scope = open
                .scopes()
                .find(|scope| scope.name() == "aged 7")
                .unwrap();
            let at: &Location<'_> = scope.location();
            assert_eq!((at.file(), at.line()), (file!(), line));
            assert!(scope.age() <= scope.since().elapsed());
            assert!(open.older_than(Duration::MAX).next().is_none());
            assert!(
                open.older_than(Duration::ZERO)
                    .all(|old| !old.age().is_zero())
            );
            let (text, place) = (scope.to_string(), format!("({}:{line}:", file!()));
            assert!(text.starts_with(&format!("`aged 7` {place}")), "{text}");
            assert!(text.contains("): body, "), "{text}");
            assert!(
                open.to_string()
                    .lines()
                    .any(|line| line.trim_start() == text)
            );
        });
        let Ok(()) = named.await;
        struct Unnamed;
        let unnamed = sync(Unnamed).using(async |_| phase("Unnamed"));
        assert_eq!(unnamed.await, Ok(Some(Phase::Body)));
    });
}

#[test]
fn it_follows_the_phases() {
    block_on(async {
        let mut run = Box::pin(Sample::<Injected>::new(1).named("phases").with(async |_| {
            yield_now().await;
            Ok::<_, Injected>(())
        }));
        assert_eq!(phase("phases"), None);
        for expected in [Phase::Enter, Phase::Body, Phase::Exit] {
            assert!(poll_once(&mut run).await.is_pending());
            assert_eq!(phase("phases"), Some(expected));
        }
        assert!(poll_once(&mut run).await.is_ready());
        assert_eq!(phase("phases"), None);
    });
}

#[test]
fn an_exit_sees_itself_and_what_it_opens() {
    block_on(async {
        let scope = acquire(async || Ok::<_, Never>(())).release(async |(), _| {
            let Ok(()) = null(())
                .named("in it")
                .using(async |()| {
                    assert_eq!(outline("exits"), "exits(in it)");
                })
                .await;
            assert_eq!(phase("exits"), Some(Phase::Exit));
            Ok(())
        });
        let Ok(()) = scope.named("exits").using(async |()| ()).await;

        /// Looks when it is released.
        struct Looks;
        impl Drop for Looks {
            fn drop(&mut self) {
                assert_eq!(phase("drops"), Some(Phase::Exit));
            }
        }
        let Ok(()) = sync(Looks).named("drops").using(async |_| ()).await;
        assert_eq!(phase("drops"), None);
    });
}

#[test]
fn a_local_scope_has_an_entry() {
    block_on(async {
        let local = with_local(Sample::<Never>::new(1), async |_| {
            let Ok(seen) = null(())
                .named("in local")
                .using(async |()| {
                    let open = inventory();
                    let inner = open.scopes().find(|scope| scope.name() == "in local");
                    let parent = inner.and_then(OpenScope::parent).unwrap();
                    (parent.name().to_owned(), parent.phase())
                })
                .await;
            Ok::<_, Infallible>(seen)
        });
        assert_eq!(local.await, Ok(("Sample".to_owned(), Phase::Body)));
    });
}

#[test]
fn an_open_is_where_it_was_opened_and_then_where_it_is_closed() {
    block_on(async {
        let Ok(open) = null(())
            .named("holder")
            .using(async |()| {
                let Ok(open) = sync(1).named("held").open().await;
                assert_eq!(outline("holder"), "holder(held)");
                open
            })
            .await;
        assert_eq!(phase("held"), Some(Phase::Body));
        let Ok(()) = null(())
            .named("closer")
            .using(async |()| {
                let Ok(_) = open.close(Outcome::Success).await;
            })
            .await;
        assert_eq!(phase("held"), None);
    });
}

#[test]
fn scopes_of_all_threads_are_there() {
    const TASKS: usize = 8;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let inside = Arc::new(tokio::sync::Barrier::new(TASKS + 1));
        let seen = Arc::new(tokio::sync::Barrier::new(TASKS + 1));
        let tasks: Vec<_> = (0..TASKS)
            .map(|n| {
                let (inside, seen) = (inside.clone(), seen.clone());
                tokio::spawn(async move {
                    let outer = null(()).named(format!("task {n}"));
                    let Ok(()) = outer
                        .using(async |()| {
                            let Ok(()) = null(())
                                .named("its own")
                                .using(async |()| {
                                    inside.wait().await;
                                    seen.wait().await;
                                })
                                .await;
                        })
                        .await;
                })
            })
            .collect();
        inside.wait().await;
        for n in 0..TASKS {
            assert_eq!(outline(&format!("task {n}")), format!("task {n}(its own)"));
        }
        seen.wait().await;
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(outline("task 0"), "");
}
