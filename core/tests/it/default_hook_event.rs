//! Without a hook and with the feature `tracing`, a lost error is an event.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::child::{is_child, lose_an_error, stderr_of};

/// Writes each event as a line of `field=value` to stderr.
struct ToStderr;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl Subscriber for ToStderr {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {}", metadata.target(), metadata.level()));
        event.record(&mut line);
        eprintln!("{}", line.0);
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn it_names_the_scope_and_the_source_line() {
    let place = tracing::subscriber::with_default(ToStderr, lose_an_error);
    if is_child() {
        return;
    }
    let stderr = stderr_of("default_hook_event::it_names_the_scope_and_the_source_line");
    let told: Vec<_> = stderr
        .lines()
        .filter(|line| line.contains("withal ERROR"))
        .collect();
    let [line] = told[..] else {
        panic!("{stderr}");
    };
    assert!(line.contains(" scope=\"database\""), "{line}");
    assert!(line.contains(&format!(" location={place}")), "{line}");
    assert!(line.contains("injected error: exit x"), "{line}");
}
