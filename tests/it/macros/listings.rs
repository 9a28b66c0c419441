//! What Python writes with `@asynccontextmanager`, by `#[scope]`.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use withal::{Kept, Never, Reason, Recover, Report, ScopeExt, scope, timeout, until};
use withal_testing::{Manual, block_on, caught, hush_injected_panics};

type Log = Arc<Mutex<Vec<String>>>;

fn say(log: &Log, text: impl fmt::Display) {
    log.lock().unwrap().push(text.to_string());
}

fn said(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[derive(Debug, PartialEq)]
struct ValueError(&'static str);

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for ValueError {}

/// Commits or rolls back, by the outcome; and always closes.
#[scope(yields = Vec<u32>)]
async fn session(log: Log) -> Result<(), ValueError> {
    let rows = Vec::new();
    match yield_!(rows) {
        Kept::Success => say(&log, format_args!("commit {rows:?}")),
        outcome => say(&log, format_args!("rollback after {outcome}")),
    }
    say(&log, "close");
    Ok(())
}

#[test]
fn commit_or_roll_back() {
    let log = Log::default();
    let run = session(log.clone()).with(async |rows| Ok::<_, ValueError>(rows.push(1)));
    assert_eq!(block_on(run), Ok(()));
    assert_eq!(said(&log), ["commit [1]", "close"]);
    let run = session(log.clone()).with(async |rows| {
        rows.push(1);
        Err::<(), _>(ValueError("bad"))
    });
    assert_eq!(block_on(run), Err(ValueError("bad")));
    assert_eq!(said(&log), ["rollback after failure: bad", "close"]);
}

#[test]
fn a_panic_and_a_cancellation_are_outcomes() {
    hush_injected_panics();
    let log = Log::default();
    let body = async |_: &mut Vec<u32>| -> Result<(), ValueError> { panic!("injected panic") };
    let ended = block_on(caught(session(log.clone()).with(body)));
    assert_eq!(ended, Err("injected panic".to_owned()));
    assert_eq!(
        said(&log),
        ["rollback after panic: injected panic", "close"]
    );

    let rt = Manual::new();
    let stuck = async |_: &mut Vec<u32>| Ok::<(), ValueError>(pending().await);
    use withal::Launch as _;
    rt.block_on(async {
        let late = timeout(
            &rt,
            Duration::from_secs(1),
            session(log.clone()).with(stuck),
        );
        assert!(late.await.is_err());
        assert_eq!(
            said(&log),
            ["rollback after cancelled: the time was up", "close"]
        );
        let signal = async { Reason::Requested("enough") };
        assert!(
            until(signal, session(log.clone()).with(stuck))
                .await
                .is_err()
        );
        assert_eq!(said(&log), ["rollback after cancelled: enough", "close"]);
    });
}

/// Handles one type of error at its yield point, and always cleans up.
#[scope]
async fn handler(log: Log) -> Result<Recover, Never> {
    let verdict = match yield_!().map(|error: &ValueError| error.0) {
        Some(text) => {
            say(&log, format_args!("handled {text}"));
            Recover::Suppress
        }
        None => Recover::Propagate,
    };
    say(&log, "clean up");
    Ok(verdict)
}

#[test]
fn suppress_one_type_of_error() {
    let log = Log::default();
    let run = |error: Option<Report>| {
        block_on(handler(log.clone()).with(async |()| error.map_or(Ok(7), Err)))
    };
    assert_eq!(run(None).unwrap(), Some(7));
    assert_eq!(said(&log), ["clean up"]);
    assert_eq!(run(Some(ValueError("bad").into())).unwrap(), None);
    assert_eq!(said(&log), ["handled bad", "clean up"]);
    let other = run(Some(Report::msg("other"))).unwrap_err();
    assert_eq!(other.to_string(), "other");
    assert_eq!(said(&log), ["clean up"]);
}

/// Yields nothing, and fails before the yield, after it, or neither.
#[scope]
async fn fallible(
    log: Log,
    before: Option<&'static str>,
    after: Option<&'static str>,
) -> io::Result<()> {
    let fail = |text: Option<&'static str>| text.map_or(Ok(()), |text| Err(io::Error::other(text)));
    fail(before)?;
    say(&log, "entered");
    yield_!();
    fail(after)?;
    say(&log, "left");
    Ok(())
}

#[test]
fn question_marks_before_and_after_the_yield() {
    let log = Log::default();
    let run = |before, after| {
        let run =
            fallible(log.clone(), before, after).with(async |()| io::Result::Ok(say(&log, "body")));
        block_on(run).map_err(|error| error.to_string())
    };
    assert_eq!(run(None, None), Ok(()));
    assert_eq!(said(&log), ["entered", "body", "left"]);
    assert_eq!(run(Some("before"), None), Err("before".to_owned()));
    assert_eq!(said(&log), [""; 0]);
    assert_eq!(run(None, Some("after")), Err("after".to_owned()));
    assert_eq!(said(&log), ["entered", "body"]);
}

/// In a branch; the other one does not get to its yield.
#[scope(yields = u32)]
async fn in_a_branch(number: Option<u32>) -> Result<(), ValueError> {
    match number {
        None => Err(ValueError("none")),
        Some(number) => {
            if number > 0 {
                let outcome = yield_!(number);
                assert!(outcome.is_success());
            } else {
                return Err(ValueError("zero"));
            }
            Ok(())
        }
    }
}

#[test]
fn a_yield_in_a_branch() {
    let run = |number| block_on(in_a_branch(number).with(async |n| Ok::<_, ValueError>(*n)));
    assert_eq!(run(Some(3)), Ok(3));
    assert_eq!(run(Some(0)), Err(ValueError("zero")));
    assert_eq!(run(None), Err(ValueError("none")));
}

/// The same in the arm of a match, and of something that is no variable.
#[scope(yields = String)]
async fn of_a_value(word: &'static str) -> Result<Recover, Never> {
    let suppress = match word.len() {
        0 => false,
        _ => yield_!(word.to_owned()).is::<ValueError>(),
    };
    Ok(if suppress {
        Recover::Suppress
    } else {
        Recover::Propagate
    })
}

#[test]
fn a_yield_of_a_value_that_is_not_kept() {
    let run = of_a_value("word").with(async |word| {
        word.push('s');
        Err::<(), _>(ValueError("bad"))
    });
    assert_eq!(block_on(run), Ok(None));
}

/// What a function returns is coerced, as in any function.
mod coerced {
    use super::*;

    type Boxed = Box<dyn Error + Send + Sync>;

    #[scope]
    async fn boxed(early: bool, late: bool) -> Result<(), Boxed> {
        if early {
            return Err(Box::new(ValueError("early")));
        }
        yield_!();
        if late {
            Err(Box::new(ValueError("late")))
        } else {
            Ok(())
        }
    }

    struct Named(String);

    impl Named {
        #[withal::within(withal::null(()))]
        async fn name(&self) -> &str {
            &self.0
        }

        #[withal::within(withal::null(1))]
        #[withal::within(withal::null(2))]
        async fn shown(&mut self, more: &str) -> Result<Box<dyn fmt::Debug + '_>, Report> {
            self.0.push_str(more);
            Ok(Box::new(&self.0))
        }
    }

    #[test]
    fn as_in_any_function() {
        let run = |early, late| block_on(boxed(early, late).with(async |()| Ok::<_, Boxed>(())));
        assert_eq!(run(true, false).unwrap_err().to_string(), "early");
        assert_eq!(run(false, true).unwrap_err().to_string(), "late");
        assert!(run(false, false).is_ok());
        let mut named = Named("Ada".to_owned());
        assert_eq!(block_on(named.name()), "Ada");
        let shown = block_on(named.shown("!")).unwrap();
        assert_eq!(format!("{shown:?}"), "\"Ada!\"");
    }
}
