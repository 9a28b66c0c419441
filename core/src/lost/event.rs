//! The default hook with the feature `tracing`: an event.

use crate::report::Entry;

pub(super) fn default_hook(entry: &Entry) {
    if !tracing::dispatcher::has_been_set() {
        // Nobody would see the event.
        return super::stderr::default_hook(entry);
    }
    tracing::error!(
        target: "withal",
        scope = entry.scope(),
        location = entry.location().map(tracing::field::display),
        "lost error: {entry}"
    );
}
