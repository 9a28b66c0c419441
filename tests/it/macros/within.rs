//! `#[within]`: a scope for each call.

use std::fmt::Debug;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use withal::{Never, Recover, Report, scope, suppress, within};
use withal_testing::{Injected, Ledger, block_on, yield_now};

type Log = Arc<Mutex<Vec<String>>>;

/// Says when it begins and ends.
#[scope]
async fn measure(log: Log, name: String) -> Result<(), Never> {
    log.lock().unwrap().push(format!("[{name}] start"));
    let outcome = yield_!();
    log.lock().unwrap().push(format!("[{name}] {outcome}"));
    Ok(())
}

#[within(measure(log.clone(), format!("fetch {id}")))]
async fn fetch(log: &Log, id: u32) -> &'static str {
    yield_now().await;
    log.lock().unwrap().push(id.to_string());
    "data"
}

#[test]
fn each_call_has_a_scope_of_its_own() {
    let log = Log::default();
    assert_eq!(block_on(fetch(&log, 1)), "data");
    assert_eq!(block_on(fetch(&log, 2)), "data");
    let said = log.lock().unwrap().join(", ");
    let one = "[fetch 1] start, 1, [fetch 1] success";
    assert_eq!(said, format!("{one}, {}", one.replace('1', "2")));
}

/// An error of the function is the outcome, and those of the scope are its own.
#[within(ledger.scope("a"))]
async fn parse(ledger: &Ledger, text: &str) -> Result<u32, Report> {
    Ok(text.parse::<u32>()?)
}

#[test]
fn errors_pass_in_both_directions() {
    let ledger = Ledger::new();
    assert_eq!(block_on(parse(&ledger, "7")).unwrap(), 7);
    assert!(block_on(parse(&ledger, "x")).is_err());
    assert_eq!(ledger.entered(), 2);
    ledger.check();
}

struct Service {
    ledger: Ledger,
    calls: AtomicU32,
}

impl Service {
    /// A generic method that takes its arguments by value, by reference, and by pattern.
    #[within(self.ledger.scope(name.clone()))]
    async fn call<'a, T>(&self, name: String, (list, mut last): (Vec<T>, T)) -> Result<T, Injected>
    where
        T: Debug + Clone + Send + 'a,
    {
        assert_eq!(self.ledger.live(), 1);
        self.calls.fetch_add(1, Ordering::Relaxed);
        for item in list {
            last = item;
        }
        Ok(last)
    }

    #[within(self.ledger.scope("mutable"))]
    async fn change(&mut self) -> Result<&mut AtomicU32, Injected> {
        *self.calls.get_mut() += 1;
        Ok(&mut self.calls)
    }
}

#[test]
fn methods_and_generic_functions() {
    let mut service = Service {
        ledger: Ledger::new(),
        calls: AtomicU32::new(0),
    };
    let last = service.call("a".to_owned(), (vec!["x", "y"], "z"));
    assert_eq!(block_on(last), Ok("y"));
    assert_eq!(
        block_on(service.call("b".to_owned(), (Vec::new(), 1))),
        Ok(1)
    );
    *block_on(service.change()).unwrap().get_mut() += 1;
    assert_eq!(service.calls.into_inner(), 4);
    assert_eq!(
        service.ledger.trace(),
        "+a ~a -a +b ~b -b +mutable ~mutable -mutable"
    );
}

/// Calls itself: each call is inside of the one before.
#[within(ledger.scope(depth.to_string()).yields(1))]
async fn recurse(ledger: &Ledger, depth: u32) -> Result<u32, Injected> {
    match depth {
        10 => Ok(0),
        _ => Ok(Box::pin(recurse(ledger, depth + 1)).await? + 1),
    }
}

#[test]
fn recursive_functions() {
    let ledger = Ledger::new();
    assert_eq!(block_on(recurse(&ledger, 1)), Ok(9));
    assert_eq!(ledger.entered(), 10);
    let trace = ledger.trace();
    assert!(
        trace.starts_with("+1 +2 +3") && trace.ends_with("-3 ~2 -2 ~1 -1"),
        "{trace}"
    );
}

/// In a scope that may suppress, the function returns an `Option`.
#[within(suppress::<io::Error>())]
async fn first(lines: io::Result<&str>) -> io::Result<Option<String>> {
    let line = lines?.lines().next();
    Ok(line.map(str::to_owned))
}

#[scope]
async fn swallow() -> Result<Recover, Never> {
    let outcome = yield_!();
    Ok(match outcome.is::<Injected>() {
        true => Recover::Suppress,
        false => Recover::Propagate,
    })
}

#[within(swallow())]
async fn bare(text: Option<u8>) -> Option<u8> {
    text
}

#[test]
fn a_suppressed_error_is_none() {
    assert_eq!(block_on(first(Ok("a\nb"))).unwrap(), Some("a".to_owned()));
    assert_eq!(
        block_on(first(Err(io::Error::other("no luck")))).unwrap(),
        None
    );
    assert_eq!(block_on(bare(Some(1))), Some(1));
}

/// Of several the first is the outermost.
#[within(ledger.scope("outer"))]
#[within(ledger.scope("inner"))]
async fn both(ledger: &Ledger) -> Result<(), Injected> {
    Ok(ledger.say("body"))
}

#[test]
fn several_scopes_are_nested_in_their_order() {
    let ledger = Ledger::new();
    assert_eq!(block_on(both(&ledger)), Ok(()));
    assert_eq!(
        ledger.trace(),
        "+outer +inner body ~inner -inner ~outer -outer"
    );
}

#[test]
fn its_future_can_be_spawned() {
    fn spawn<T: Send>(future: impl Future<Output = T> + Send + 'static) -> T {
        block_on(future)
    }
    let log = Log::default();
    assert_eq!(spawn(async move { fetch(&log, 1).await.len() }), 4);
    let ledger = Ledger::new();
    assert_eq!(spawn(async move { recurse(&ledger, 9).await }), Ok(1));
}

/// What is `Send` without the attribute is so with it, whatever its arguments are.
#[test]
fn arguments_need_not_be_shared() {
    #[withal::within(withal::null(()))]
    async fn counts(count: std::cell::Cell<u8>) -> u8 {
        withal_testing::yield_now().await;
        count.set(count.get() + 1);
        withal_testing::yield_now().await;
        count.get()
    }
    fn send<F: Future + Send>(future: F) -> F {
        future
    }
    assert_eq!(block_on(send(counts(1.into()))), 2);
}
