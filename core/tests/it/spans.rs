//! With the feature `tracing` each scope has a span, in which its enter, its body and its exit run.

use std::convert::Infallible;
use std::fmt::{Debug, Write};
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Instrument, Level, Metadata, Subscriber, info, info_span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use withal_core::{
    ExitStack, Never, Outcome, Reason, Report, ScopeExt, acquire, suppress, sync, until, with_local,
};
use withal_testing::{Injected, Ledger, block_on, caught, cut_after, yield_now};

use crate::sample::Sample;

/// Writes down spans and events, each with the spans around it and its fields.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl<S> Layer<S> for Recorder
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let mut line = format!("new {}", attributes.metadata().name());
        attributes.record(&mut Fields(&mut line));
        let parents = cx.span_scope(id).into_iter().flatten().skip(1);
        parents.for_each(|span| write!(line, " in {}", span.name()).unwrap());
        self.0.lock().unwrap().push(line);
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let mut line = String::new();
        event.record(&mut Fields(&mut line));
        for span in cx.event_scope(event).into_iter().flatten() {
            write!(line, " in {}", span.name()).unwrap();
        }
        self.0.lock().unwrap().push(line.trim_start().to_owned());
    }
}

/// Durations are left out: that they are there is enough.
struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => write!(self.0, " {value:?}"),
            "took" => write!(self.0, " took"),
            "location" => {
                assert!(format!("{value:?}").starts_with(file!()), "{value:?}");
                Ok(())
            }
            _ => write!(self.0, " {field}={value:?}"),
        }
        .unwrap();
    }
}

/// Runs `main`, and gives what was recorded.
fn recorded(main: impl Future<Output = ()>) -> Vec<String> {
    recorded_at(LevelFilter::TRACE, main)
}

fn recorded_at(level: LevelFilter, main: impl Future<Output = ()>) -> Vec<String> {
    let recorder = Recorder::default();
    let subscriber = tracing_subscriber::registry()
        .with(level)
        .with(recorder.clone());
    tracing::subscriber::with_default(subscriber, || block_on(main));
    let lines = recorder.0.lock().unwrap();
    lines.clone()
}

#[test]
fn enter_body_and_exit_run_in_the_span() {
    let lines = recorded(async {
        let scope = acquire(async || {
            info!("connects");
            yield_now().await;
            Ok::<_, Never>(())
        })
        .release(async |(), _| {
            yield_now().await;
            info!("says goodbye");
            Ok(())
        });
        let Ok(()) = scope
            .named("db")
            .using(async |()| {
                yield_now().await;
                info!("works");
                let Ok(()) = sync(()).using(async |()| info!("inner")).await;
            })
            .await;
        info!("outside");
    });
    let expected = [
        "new scope name=\"db\"",
        "connects in scope",
        "entered took in scope",
        "works in scope",
        "new scope name=\"()\" in scope",
        "entered took in scope in scope",
        "inner in scope in scope",
        "body ended outcome=\"success\" took in scope in scope",
        "exited result=\"ok\" took in scope in scope",
        "body ended outcome=\"success\" took in scope",
        "says goodbye in scope",
        "exited result=\"ok\" took in scope",
        "outside",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn outcomes_are_told_by_their_kinds_and_errors_by_nothing_more() {
    const SECRET: &str = "password: 1234";
    let secret = || Injected(SECRET.to_owned());
    let lines = recorded(async {
        let refuses = Sample::new(1).enter_fails(secret());
        assert!(refuses.using(async |_| ()).await.is_err());
        let fails = Sample::new(1)
            .exit_fails(secret())
            .with(async |_| Err::<(), _>(secret()));
        assert!(fails.await.is_err());
        let panics = Sample::<Never>::new(1).using(async |_| panic!("{SECRET}"));
        assert!(caught(panics).await.is_err());
        let suppresses = suppress::<io::Error>();
        let none = suppresses.with(async |()| Err::<(), _>(io::Error::other(SECRET)));
        assert!(matches!(none.await, Ok(None)));
    });
    // The hook is another test's business.
    let told: Vec<_> = lines
        .iter()
        .filter(|line| !line.contains("lost error"))
        .collect();
    assert!(told.iter().all(|line| !line.contains("1234")), "{told:?}");
    let ends: Vec<_> = told
        .iter()
        .filter(|line| !line.starts_with("new"))
        .collect();
    let expected = [
        "not entered took in scope",
        "entered took in scope",
        "body ended outcome=\"failure\" took in scope",
        "exited result=\"error\" took in scope",
        "entered took in scope",
        "body ended outcome=\"panicked\" took in scope",
        "exited result=\"ok\" took in scope",
        "entered took in scope",
        "body ended outcome=\"failure\" took in scope",
        "exited result=\"suppressed\" took in scope",
    ];
    assert_eq!(ends[..], expected.each_ref());
}

#[test]
fn a_body_that_is_cut_names_the_reason() {
    let lines = recorded(async {
        let stop = async {
            yield_now().await;
            Reason::Timeout
        };
        let cut = until(stop, sync(()).using(async |()| pending::<()>().await));
        assert!(cut.await.is_err());
    });
    let expected = "body ended outcome=\"cancelled\" reason=the time was up took in scope";
    assert!(lines.contains(&expected.to_owned()), "{lines:?}");
}

#[test]
fn an_exit_that_runs_elsewhere_runs_in_the_span() {
    let lines = recorded(async {
        let scope = acquire(async || Ok::<_, Never>(())).release(async |(), _| {
            info!("says goodbye");
            yield_now().await;
            info!("gone");
            Ok(())
        });
        let Ok(()) = sync(())
            .using(async |()| {
                let lost = scope.using(async |()| pending::<()>().await);
                let lost = lost.instrument(info_span!("request"));
                assert!(cut_after(1, lost).await.is_none());
                info!("elsewhere");
            })
            .await;
    });
    let from = lines.iter().position(|line| line.starts_with("elsewhere"));
    let expected = [
        "elsewhere in scope",
        "body ended outcome=\"success\" took in scope",
        "says goodbye in scope in request in scope",
        "gone in scope in request in scope",
        "exited result=\"ok\" took in scope in request in scope",
        "exited result=\"ok\" took in scope",
    ];
    assert_eq!(lines[from.unwrap()..], expected);
    let dropped = "body ended outcome=\"cancelled\" reason=the future was dropped took in scope in request in scope";
    assert!(lines.contains(&dropped.to_owned()), "{lines:?}");
}

#[test]
fn local_and_open_scopes_have_one_too() {
    let lines = recorded(async {
        let local = with_local(Sample::<Never>::new(1), async |_| {
            info!("local");
            Ok::<_, Infallible>(())
        });
        local.await.unwrap();
        let Ok(open) = sync(()).named("open").open().await;
        info!("between");
        let Ok(_) = open.close(Outcome::Success).await;
    });
    let expected = [
        "new scope name=\"Sample\"",
        "entered took in scope",
        "local in scope",
        "body ended outcome=\"success\" took in scope",
        "exited result=\"ok\" took in scope",
        "new scope name=\"open\"",
        "entered took in scope",
        "between",
        "body ended outcome=\"success\" took in scope",
        "exited result=\"ok\" took in scope",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn where_nobody_listens_the_span_around_is_kept() {
    let lines = recorded_at(LevelFilter::INFO, async {
        let scope = acquire(async || Ok::<_, Never>(())).release(async |(), _| {
            info!("says goodbye");
            Ok(())
        });
        let Ok(()) = sync(())
            .using(async |()| {
                let lost = scope.using(async |()| pending::<()>().await);
                let lost = lost.instrument(info_span!("request"));
                assert!(cut_after(1, lost).await.is_none());
            })
            .await;
    });
    assert_eq!(lines, ["new request", "says goodbye in request"]);
}

/// A subscriber that is no help.
struct Panics;

impl Subscriber for Panics {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "withal" && *metadata.level() == Level::DEBUG
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        panic!("injected: event");
    }
    fn enter(&self, _: &Id) {
        panic!("injected: enter");
    }
    fn exit(&self, _: &Id) {
        panic!("injected: exit");
    }
}

#[test]
fn a_subscriber_that_panics_costs_no_exit() {
    let ledger = Ledger::new();
    tracing::subscriber::with_default(Panics, || {
        block_on(async {
            let done = ledger.scope("a").yields(1).using(async |_| {
                let lost = ledger.scope("b").yields(1);
                let lost = lost.using(async |_| pending::<()>().await);
                assert!(cut_after(2, lost).await.is_none());
                sync(()).using(async |()| ()).await
            });
            assert_eq!(done.await, Ok(Ok(())));
        });
    });
    assert_eq!(ledger.entered(), 2);
    ledger.check();
}

#[test]
fn an_entry_of_a_stack_has_a_span() {
    let lines = recorded(async {
        let closed = ExitStack::with(async |stack| {
            let slow = acquire(async || Ok::<_, Never>(())).release(async |(), _| {
                yield_now().await;
                info!("says goodbye");
                Ok(())
            });
            let Ok(_) = stack.enter(slow.named("slow")).await;
            let Ok(_) = stack.enter(sync(())).await;
            Ok::<_, Report>(())
        });
        closed.await.unwrap();
    });
    let expected = [
        "new scope name=\"ExitStack\"",
        "entered took in scope",
        "new scope name=\"slow\" in scope",
        "entered took in scope in scope",
        "new scope name=\"()\" in scope",
        "entered took in scope in scope",
        "body ended outcome=\"success\" took in scope",
        "body ended outcome=\"success\" took in scope in scope",
        "exited result=\"ok\" took in scope in scope",
        "body ended outcome=\"success\" took in scope in scope",
        "says goodbye in scope in scope",
        "exited result=\"ok\" took in scope in scope",
        "exited result=\"ok\" took in scope",
    ];
    assert_eq!(lines, expected);
}
