//! Feature `tracing`: each scope has a span, lost errors are events, and an exit that runs elsewhere keeps its span.

use std::fmt::{Debug, Write};
use std::future::pending;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::{Event, Instrument, Level, Subscriber, info, info_span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use withal::{Outcome, ScopeExt, acquire, with};
use withal_testing::{block_on, cut_after, yield_now};

/// Writes down each event, with its level, its spans and its fields.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl<S> Layer<S> for Recorder
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        if event.metadata().level() > &Level::INFO {
            return; // the phases of the scopes
        }
        let mut line = event.metadata().level().to_string();
        for span in cx.event_scope(event).into_iter().flatten() {
            write!(line, " in {}", span.name()).unwrap();
        }
        event.record(&mut Fields(&mut line));
        self.0.lock().unwrap().push(line);
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Recorder {
    /// Runs `main` on this thread, and records its events.
    fn listen(&self, main: impl Future<Output = ()>) {
        let subscriber = tracing_subscriber::registry().with(self.clone());
        tracing::subscriber::with_default(subscriber, || block_on(main));
    }

    fn events(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[test]
fn a_lost_error_is_an_event_with_scope_and_line() {
    let fails = acquire(async || Ok::<_, String>(()))
        .release(async |(), _| Err::<(), _>("no goodbye".to_owned()))
        .named("db");
    let line = line!() + 1;
    let failing = with(fails, async |()| Err::<(), _>("no body".to_owned()));
    let recorder = Recorder::default();
    recorder.listen(async { assert_eq!(failing.await.unwrap_err(), "no body") });
    let events = recorder.events();
    let [event] = &events[..] else {
        panic!("one event: {events:?}");
    };
    let place = format!("{}:{line}:", file!());
    for part in [
        "ERROR ",
        "message=lost error: exit of `db` (",
        "): no goodbye",
        "scope=\"db\"",
        &format!("location={place}"),
    ] {
        assert!(event.contains(part), "{part} in {event}");
    }
}

#[test]
fn an_orphaned_exit_runs_in_the_span_of_its_enter() {
    let recorder = Recorder::default();
    recorder.listen(async {
        let scope =
            acquire(async || Ok::<_, String>(())).release(async |(), outcome: Outcome<'_>| {
                info!("released after {outcome}");
                yield_now().await;
                info!("gone");
                Ok(())
            });
        let request = scope.with(async |()| pending::<Result<(), String>>().await);
        let dropped = cut_after(1, request.instrument(info_span!("request"))).await;
        assert!(dropped.is_none());
        info!("elsewhere");
        // The home is this executor: it goes on with the exit while this waits.
        while recorder.events().len() < 3 {
            yield_now().await;
        }
    });
    let expected = [
        "INFO message=elsewhere",
        "INFO in scope in request message=released after cancelled: the future was dropped",
        "INFO in scope in request message=gone",
    ];
    assert_eq!(recorder.events(), expected);
}
