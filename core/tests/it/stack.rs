//! The exit stack by hand: leases, keys, children, closing from everywhere.

use std::io;
use std::sync::{Arc, Mutex};

use withal_core::{
    ExitStack, Kind, Outcome, Recover, Report, ScopeExt, Verdict, acquire, null, sync,
};
use withal_testing::{Manual, Traced, block_on};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn say(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// An entry that says what it sees.
    fn push<V: Verdict + From<withal_core::Propagate>>(&self, stack: &ExitStack<V>, name: &'static str) {
        let log = self.clone();
        stack.push((), async move |(), outcome: Outcome<'_>| {
            log.say(format!("{name} after {outcome}"));
        });
    }
}

#[test]
fn exits_see_what_is_current() {
    let log = Log::default();
    let result = block_on(ExitStack::recovering().with(async |stack| {
        log.push(stack, "a");
        stack.push((), async |(), _: Outcome<'_>| Err::<(), _>(io::Error::other("late")));
        log.push(stack, "b");
        stack.push((), async |(), _: Outcome<'_>| Recover::Suppress);
        log.push(stack, "c");
        stack.push((), async |(), _: Outcome<'_>| Err::<(), _>(io::Error::other("early")));
        log.push(stack, "d");
        Err::<(), io::Error>(io::Error::other("body"))
    }));
    assert_eq!(result.unwrap_err().to_string(), "late");
    assert_eq!(
        log.take(),
        ["d after failure: body", "c after failure: early", "b after success", "a after failure: late"]
    );
}

#[test]
fn a_million_entries() {
    let stack = ExitStack::new();
    for _ in 0..1_000_000 {
        stack.defer(async || {});
    }
    assert!(block_on(stack.close(Outcome::Success)).is_ok());
}
