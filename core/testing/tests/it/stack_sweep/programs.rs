//! The programs of the sweep. `x.` in the trace says that from now on the exit of `x` sees a success.

use withal_core::{Entered, Entry, ExitStack, Kind, Outcome, Report, Scope, ScopeExt};
use withal_testing::{Ledger, Traced, TracedGuard, yield_times};

type Ended = Result<(), Report>;

fn scope(ledger: &Ledger, name: &str) -> Traced {
    ledger.scope(name).yields(2)
}

/// The end of a body: from now on all of `names` are released after a success.
async fn end(ledger: &Ledger, names: &str) -> Ended {
    yield_times(1).await;
    ledger.point("body")?;
    decided(ledger, names);
    Ok(())
}

fn decided(ledger: &Ledger, names: &str) {
    for name in names.chars() {
        ledger.say(format!("{name}."));
    }
}

/// What was entered already, with the exit of its scope.
fn push(stack: &ExitStack, guard: TracedGuard) -> Entered<'_, TracedGuard> {
    stack.push(guard, async |guard, outcome: Outcome<'_>| {
        Traced::exit(guard, outcome).await
    })
}

pub(super) async fn entered(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?;
        let b = stack.enter(scope(&ledger, "b").inside(&a)).await?;
        stack.enter(scope(&ledger, "c").inside(&b)).await?;
        end(&ledger, "abc").await
    };
    ExitStack::with(body).await
}

pub(super) async fn pushed(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = push(stack, scope(&ledger, "a").enter().await?);
        let b = push(stack, scope(&ledger, "b").inside(&a).enter().await?);
        drop(a);
        yield_times(1).await;
        push(stack, scope(&ledger, "c").inside(&b).enter().await?);
        end(&ledger, "abc").await
    };
    ExitStack::with(body).await
}

pub(super) async fn deferred(ledger: Ledger) -> Ended {
    decided(&ledger, "abc");
    let body = async |stack: &mut ExitStack| {
        for name in ["a", "b", "c"] {
            let guard = scope(&ledger, name).enter().await?;
            stack.defer(async || Traced::exit(guard, Outcome::Success).await);
        }
        end(&ledger, "").await
    };
    ExitStack::with(body).await
}

pub(super) async fn called(ledger: Ledger) -> Ended {
    decided(&ledger, "ac");
    let body = async |stack: &mut ExitStack| {
        for name in ["a", "b", "c"] {
            if name == "b" {
                stack.enter(scope(&ledger, name)).await?;
                continue;
            }
            let guard = ledger.scope(name).enter_yields(2).enter().await?;
            stack.callback(|| {
                let exited =
                    futures::FutureExt::now_or_never(Traced::exit(guard, Outcome::Success));
                exited.expect("it does not suspend")
            });
        }
        end(&ledger, "b").await
    };
    ExitStack::with(body).await
}

pub(super) async fn by_hand(ledger: Ledger) -> Ended {
    let stack = ExitStack::new();
    let a = stack.enter(scope(&ledger, "a")).await?;
    stack.enter(scope(&ledger, "b").inside(&a)).await?;
    drop(a);
    end(&ledger, "ab").await?;
    stack.close(Outcome::Success).await.map(|_| ())
}

pub(super) async fn closed_by_lease(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?;
        let b = stack.enter(scope(&ledger, "b").inside(&a)).await?;
        stack.enter(scope(&ledger, "c").inside(&a)).await?;
        decided(&ledger, "b");
        b.close().await?;
        let d = stack.enter(scope(&ledger, "d").inside(&a)).await?;
        let guard = d.dismiss();
        let d = push(stack, guard);
        drop(d);
        end(&ledger, "acd").await
    };
    ExitStack::with(body).await
}

pub(super) async fn closed_in_the_body(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?;
        stack.enter(scope(&ledger, "b").inside(&a)).await?;
        drop(a);
        decided(&ledger, "ab");
        stack.close(Outcome::Success).await?;
        // What comes too late is released as soon as its lease ends.
        let c = stack.enter(scope(&ledger, "c")).await?;
        decided(&ledger, "c");
        yield_times(1).await;
        drop(c);
        end(&ledger, "").await
    };
    ExitStack::with(body).await
}

pub(super) async fn taken(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?;
        let b = stack.enter(scope(&ledger, "b").inside(&a)).await?;
        let taken = stack.take();
        stack.enter(scope(&ledger, "c")).await?;
        taken.enter(scope(&ledger, "d").inside(&b)).await?;
        drop((a, b));
        yield_times(1).await;
        decided(&ledger, "abd");
        taken.close(Outcome::Success).await?;
        end(&ledger, "c").await
    };
    ExitStack::with(body).await
}

pub(super) async fn transferred(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let outlives = ExitStack::new();
        let a = stack.enter(scope(&ledger, "a")).await?;
        let b = stack.enter(scope(&ledger, "b")).await?;
        stack.enter(scope(&ledger, "c")).await?;
        yield_times(1).await;
        let a = a.transfer(&outlives);
        let b = b.transfer(&outlives);
        outlives.enter(scope(&ledger, "d").inside(&b)).await?;
        drop((a, b));
        stack.enter(scope(&ledger, "e")).await?;
        yield_times(1).await;
        decided(&ledger, "abd");
        outlives.close(Outcome::Success).await?;
        end(&ledger, "ce").await
    };
    ExitStack::with(body).await
}

pub(super) async fn leased_again(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?.key();
        yield_times(1).await;
        let lease = stack.lease(&a).expect("it is here");
        stack.enter(scope(&ledger, "b").inside(&lease)).await?;
        assert!(stack.lease(&a).is_none(), "it is lent out");
        drop(lease);
        let taken = stack.take();
        assert!(stack.lease(&a).is_none(), "it is elsewhere");
        let lease = taken.lease(&a).expect("it is there");
        taken.enter(scope(&ledger, "c").inside(&lease)).await?;
        drop(lease);
        decided(&ledger, "abc");
        taken.close(Outcome::Success).await?;
        end(&ledger, "").await
    };
    ExitStack::with(body).await
}

/// Leases that outlive the stack: what they have lent out leaves when it comes back.
pub(super) async fn late(ledger: Ledger) -> Ended {
    let stack = ExitStack::new();
    let a = stack.enter(scope(&ledger, "a")).await?;
    let b = stack.enter(scope(&ledger, "b")).await?;
    stack.enter(scope(&ledger, "c")).await?;
    end(&ledger, "abc").await?;
    let closed = stack.close(Outcome::Success).await;
    yield_times(1).await;
    drop(a);
    yield_times(1).await;
    let report = closed.expect_err("leases were out");
    let is_skipped = |entry: &&Entry| entry.kind() == Kind::Skipped;
    assert_eq!(report.entries().filter(is_skipped).count(), 2);
    if report.len() > 2 {
        return Err(report);
    }
    b.close().await
}

pub(super) async fn forked(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?;
        let child = stack.fork();
        stack.enter(scope(&ledger, "b").inside(&a)).await?;
        let c = child.enter(scope(&ledger, "c").inside(&a)).await?;
        child.enter(scope(&ledger, "d").inside(&c)).await?;
        end(&ledger, "abcd").await
    };
    ExitStack::with(body).await
}

pub(super) async fn forked_and_closed(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?;
        let child = stack.fork();
        let c = child.enter(scope(&ledger, "c").inside(&a)).await?;
        child.enter(scope(&ledger, "d").inside(&c)).await?;
        stack.enter(scope(&ledger, "b").inside(&a)).await?;
        drop(c);
        decided(&ledger, "cd");
        child.close(Outcome::Success).await?;
        end(&ledger, "ab").await
    };
    ExitStack::with(body).await
}

pub(super) async fn grouped(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?;
        let group = stack.group(2);
        for name in ["b", "c", "d"] {
            group.enter(scope(&ledger, name).inside(&a)).await?;
        }
        let later = stack.group(usize::MAX);
        for name in ["e", "f"] {
            later.enter(scope(&ledger, name).inside(&a)).await?;
        }
        end(&ledger, "abcdef").await
    };
    ExitStack::with(body).await
}

pub(super) async fn concurrent(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        for (yields, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let scope = scope(&ledger, name).exit_yields(yields);
            stack.enter(scope).await?;
        }
        end(&ledger, "abcd").await
    };
    ExitStack::new().concurrent(3).with(body).await
}

pub(super) async fn nested(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?;
        let inner = stack.enter(ExitStack::new()).await?;
        let b = inner.enter(scope(&ledger, "b").inside(&a)).await?;
        inner.enter(scope(&ledger, "c").inside(&b)).await?;
        drop(b);
        drop(inner);
        stack.enter(scope(&ledger, "d").inside(&a)).await?;
        end(&ledger, "abcd").await
    };
    ExitStack::with(body).await
}

/// One block in the other, with a scope between them.
pub(super) async fn nested_by_hand(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?;
        let middle = async |middle: &mut TracedGuard| {
            let inner = async |inner: &mut ExitStack| {
                inner.enter(scope(&ledger, "c").inside(middle)).await?;
                stack.enter(scope(&ledger, "d").inside(&a)).await?;
                end(&ledger, "c").await
            };
            ExitStack::with(inner).await?;
            end(&ledger, "b").await
        };
        scope(&ledger, "b").inside(&a).with(middle).await?;
        end(&ledger, "ad").await
    };
    ExitStack::with(body).await
}

pub(super) async fn added_while_unwinding(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        let a = stack.enter(scope(&ledger, "a")).await?;
        let b = scope(&ledger, "b").inside(&a);
        let (handle, more) = (stack.handle(), ledger.clone());
        stack.defer(async move || {
            let stack = handle.stack().expect("it unwinds");
            stack.enter(b).await?;
            let c = stack.fork().enter(scope(&more, "c")).await?.dismiss();
            push(&stack, c);
            Ok::<_, Report>(())
        });
        end(&ledger, "abc").await
    };
    ExitStack::with(body).await
}

pub(super) async fn closing_inside_of_an_exit(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        stack.enter(scope(&ledger, "a")).await?;
        let other = ExitStack::new();
        other.enter(scope(&ledger, "b")).await?;
        let handle = stack.handle();
        // The order of the two: the other stack is closed inside of an exit of this one.
        stack.push(
            other,
            async move |other: ExitStack, outcome: Outcome<'_>| {
                let own = handle.stack().expect("it unwinds");
                own.close(Outcome::Success).await?;
                other.close(outcome).await
            },
        );
        end(&ledger, "ab").await
    };
    ExitStack::with(body).await
}

/// An open stack in a place of its own, as a field of a struct.
pub(super) async fn opened(ledger: Ledger) -> Ended {
    let stack = ExitStack::new().open().await?;
    let a = stack.enter(scope(&ledger, "a")).await?;
    stack.enter(scope(&ledger, "b").inside(&a)).await?;
    drop(a);
    end(&ledger, "ab").await?;
    stack.close(Outcome::Success).await.map(|_| ())
}

pub(super) async fn protected(ledger: Ledger) -> Ended {
    let body = async |stack: &mut ExitStack| {
        stack.enter(scope(&ledger, "a").protected()).await?;
        stack.enter(scope(&ledger, "b").boxed()).await?;
        stack
            .enter(scope(&ledger, "c").named("c").protected())
            .await?;
        end(&ledger, "abc").await
    };
    ExitStack::with(body).await
}
