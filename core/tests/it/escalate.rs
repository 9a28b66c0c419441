//! Releasing by attempts: every way in which two steps may end, with exact times, and what becomes of each failure.

use std::error::Error;
use std::fmt::{self, Display};
use std::future::pending;
use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use withal_core::{Backoff, Entry, Kind, Launch, Phase, Report, ScopeExt, Timer, releasing};
use withal_testing::{LostErrors, Manual, caught, hush_injected_panics, run};

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Ok,
    Err,
    Panic,
    Hang,
}

const ENDS: [End; 4] = [End::Ok, End::Err, End::Panic, End::Hang];

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failed(pub(crate) String);

impl Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed: {}", self.0)
    }
}

impl Error for Failed {}

/// One way to release: what every attempt does after which time, how long it may take, and how often it is tried.
#[derive(Clone, Copy, Debug)]
struct Way {
    end: End,
    works: u64,
    limit: u64,
    retries: u32,
}

/// The delays before the second, third and fourth attempt.
const DELAYS: [u64; 3] = [100, 200, 250];

pub(crate) fn policy(retries: u32) -> Backoff {
    Backoff::times(retries)
        .starting_at(ms(100))
        .factor(2)
        .at_most(ms(250))
}

/// One attempt that was made.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    began: Duration,
    step: usize,
    attempt: u64,
}

/// The value of the scope: it counts what was done to it.
#[derive(Default)]
struct Value {
    made: Arc<Mutex<Vec<Made>>>,
    of_step: [u64; 3],
}

/// Makes an attempt of the step.
async fn attempt(rt: Manual, value: &mut Value, step: usize, way: Way) -> Result<(), Failed> {
    value.of_step[step] += 1;
    let made = Made {
        began: rt.now(),
        step,
        attempt: value.of_step[step],
    };
    value.made.lock().unwrap().push(made.clone());
    rt.sleep(ms(way.works)).await;
    match way.end {
        End::Ok => Ok(()),
        End::Err => Err(Failed(format!("{step}.{}", made.attempt))),
        End::Panic => panic!("injected panic: {step}.{}", made.attempt),
        End::Hang => pending().await,
    }
}

/// What is to come of the two ways, told without any of the machinery.
#[derive(Default)]
struct Model {
    now: Duration,
    released: bool,
    made: Vec<Made>,
    /// Of each attempt that fails: the name without that of the scope, what it is, how long it took, and the text.
    failures: Vec<(String, Kind, Duration, String)>,
}

impl Model {
    fn of(ways: [Way; 2]) -> Self {
        let mut model = Self::default();
        for (step, way) in (1..).zip(ways) {
            for attempt in 1..=u64::from(way.retries) + 1 {
                if attempt > 1 {
                    model.now += ms(DELAYS[attempt as usize - 2]);
                }
                let began = model.now;
                model.made.push(Made {
                    began,
                    step,
                    attempt,
                });
                let (took, kind, text) = match way.end {
                    End::Ok => {
                        model.now += ms(way.works);
                        model.released = true;
                        return model;
                    }
                    End::Err => (way.works, Kind::Failed, format!("failed: {step}.{attempt}")),
                    End::Panic => (
                        way.works,
                        Kind::Panicked,
                        format!("panicked: injected panic: {step}.{attempt}"),
                    ),
                    End::Hang => (
                        way.limit,
                        Kind::Overdue,
                        "has not ended in its time".to_owned(),
                    ),
                };
                model.now += ms(took);
                let name = format!("step {step}, attempt {attempt}");
                model.failures.push((name, kind, ms(took), text));
            }
        }
        model
    }

    /// The first panic, taken out of the failures.
    fn take_panic(&mut self) -> Option<String> {
        let mut kinds = self.failures.iter().map(|(_, kind, ..)| *kind);
        let place = kinds.position(|kind| kind == Kind::Panicked)?;
        let (.., text) = self.failures.remove(place);
        text.strip_prefix("panicked: ").map(str::to_owned)
    }

    fn check_entries<'a>(&self, scope: &str, entries: impl Iterator<Item = &'a Entry>) {
        let entries: Vec<_> = entries.collect();
        assert_eq!(entries.len(), self.failures.len(), "{entries:?}");
        for (entry, (name, kind, took, text)) in entries.iter().zip(&self.failures) {
            assert_eq!(entry.scope(), Some(&*format!("{scope}, {name}")));
            assert_eq!(entry.phase(), Phase::Exit);
            assert_eq!(entry.kind(), *kind);
            assert_eq!(entry.took(), Some(*took));
            assert!(entry.to_string().ends_with(text), "{entry}");
            assert_eq!(entry.location().map(Location::file), Some(file!()));
        }
    }

    fn check_told(&self, scope: &str, told: &[String]) {
        assert_eq!(told.len(), self.failures.len(), "{told:?}");
        for (told, (name, _, _, text)) in told.iter().zip(&self.failures) {
            let start = format!("exit of `{scope}, {name}` ({}:", file!());
            assert!(told.starts_with(&start) && told.ends_with(text), "{told}");
        }
    }
}

/// Runs a scope that is released in these ways, and compares all that can be seen with the model.
fn check(name: &str, ways: [Way; 2], body: Result<u32, Failed>) {
    let rt = Manual::new();
    let lost = LostErrors::listen();
    let value = Value::default();
    let made = value.made.clone();
    let [soft, hard] = ways;
    let (soft_rt, hard_rt) = (rt.clone(), rt.clone());
    let mut scope = releasing(&rt, value, async move |value, _| {
        attempt(soft_rt, value, 1, soft).await
    })
    .retry(policy(soft.retries));
    if soft.end == End::Hang {
        scope = scope.within(ms(soft.limit));
    }
    let scope = scope
        .or_else(async move |value, _| attempt(hard_rt, value, 2, hard).await)
        .within(ms(hard.limit))
        .retry(policy(hard.retries))
        .named(name.to_owned());
    let given = body.clone();
    let ended = rt.block_on(caught(scope.with(async |_| Ok::<_, Report>(given?))));
    let mut model = Model::of(ways);
    assert_eq!(*made.lock().unwrap(), model.made);
    assert_eq!(rt.now(), model.now);
    let told = lost.containing(name);
    // Only a body's error is told under the scope's own name.
    let (told, bodies): (Vec<_>, Vec<_>) = told
        .into_iter()
        .partition(|text| text.contains(&format!("{name}, step")));
    if let Some(panic) = model.take_panic() {
        assert_eq!(ended.unwrap_err(), panic);
        model.check_told(name, &told);
        assert_eq!(bodies.len(), usize::from(body.is_err()), "{bodies:?}");
        return;
    }
    assert!(bodies.is_empty(), "{bodies:?}");
    let ended = ended.expect("no attempt has panicked");
    if model.released {
        model.check_told(name, &told);
        assert_eq!(
            ended.map_err(|report| report.to_string()),
            body.map_err(|failed| failed.to_string())
        );
        return;
    }
    assert!(told.is_empty(), "{told:?}");
    let report = ended.unwrap_err();
    match body {
        Ok(_) => model.check_entries(name, report.entries()),
        Err(failed) => {
            assert_eq!(report.primary().downcast_ref(), Some(&failed));
            model.check_entries(name, report.others().iter());
        }
    }
}

#[test]
fn soft_times_hard_times_retries() {
    hush_injected_panics();
    let mut number = 0;
    for soft in ENDS {
        for hard in ENDS {
            for (soft_retries, hard_retries) in (0..16).map(|n| (n / 4, n % 4)) {
                let ways = [
                    Way {
                        end: soft,
                        works: 10,
                        limit: 2000,
                        retries: soft_retries,
                    },
                    Way {
                        end: hard,
                        works: 7,
                        limit: 500,
                        retries: hard_retries,
                    },
                ];
                for body in [Ok(7), Err(Failed("body".to_owned()))] {
                    number += 1;
                    check(&format!("table {number}."), ways, body);
                }
            }
        }
    }
    assert_eq!(number, 4 * 4 * 16 * 2);
}

#[test]
fn an_attempt_that_ends_at_its_limit_is_in_time() {
    // The attempt is polled before its alarm.
    let way = Way {
        end: End::Ok,
        works: 500,
        limit: 500,
        retries: 0,
    };
    let late = Way { works: 501, ..way };
    check("in time.", [way, way], Ok(7));
    let rt = Manual::new();
    let timer = rt.clone();
    let scope = releasing(&rt, Value::default(), async move |value, _| {
        attempt(timer, value, 1, late).await
    })
    .within(ms(late.limit));
    let report = rt.block_on(scope.using(async |_| ())).unwrap_err();
    assert_eq!(report.primary().kind(), Kind::Overdue);
    assert_eq!(rt.now(), ms(500));
}

#[test]
fn it_succeeds_at_whichever_attempt() {
    for successful in 1..=5 {
        run(|rt| async move {
            let lost = LostErrors::listen();
            let name = format!("whichever {successful}.");
            let scope = releasing(&rt, 0_u32, async move |tries, _| {
                *tries += 1;
                if *tries == successful {
                    return Ok(());
                }
                Err(Failed(tries.to_string()))
            })
            .retry(policy(3))
            .named(name.clone());
            let ended = scope.using(async |tries| *tries).await;
            let reached = successful.min(4) as usize;
            let waited: u64 = DELAYS[..reached - 1].iter().sum();
            assert_eq!(rt.now(), ms(waited));
            let told = lost.containing(&name).len();
            match ended {
                Ok(0) => assert_eq!((told, reached), (reached - 1, successful as usize)),
                Ok(_) => panic!("the body was before the attempts"),
                Err(report) => assert_eq!((told, report.len(), successful), (0, 4, 5)),
            }
        });
    }
}
