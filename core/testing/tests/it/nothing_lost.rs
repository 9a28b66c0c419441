//! Nothing is lost: whatever up to six exits of a stack do, the report and the lost-error hook have all of it, in the order of time.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use withal_core::{
    Entry, ExitStack, Launch, Outcome, Propagate, Report, Scope, ScopeError, ScopeExt, Timer,
    acquire,
};
use withal_testing::{Injected, LostErrors, Manual, caught, hush_injected_panics};

/// How an exit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Well,
    Fails,
    Panics,
    /// Its time is up before.
    Never,
}

const LIMIT: Duration = Duration::from_secs(1);

/// Where all entries are entered.
const LINE: u32 = line!() + 3;

async fn enter(stack: &ExitStack, exit: Exit, name: String) -> Result<(), Injected> {
    stack.enter(exit.named(name)).await.map(drop)
}

/// One exit, and how long it takes: the first that was entered takes one millisecond, the next two.
struct Exit {
    rt: Manual,
    name: String,
    number: usize,
    end: End,
}

fn milliseconds(number: usize) -> Duration {
    Duration::from_millis(number as u64 + 1)
}

impl Scope for Exit {
    type Guard = Self;
    type Error = Injected;
    type Verdict = Propagate;

    async fn enter(self) -> Result<Self, Injected> {
        Ok(self)
    }

    async fn exit(exit: Self, _: Outcome<'_>) -> Result<Propagate, Injected> {
        exit.rt.sleep(milliseconds(exit.number)).await;
        match exit.end {
            End::Well => Ok(Propagate),
            End::Fails => Err(Injected(exit.name)),
            End::Panics => panic!("injected panic: {}", exit.name),
            End::Never => std::future::pending().await,
        }
    }
}

/// One program: its exits in the order in which they are entered, and whether the body fails.
struct Program<'a> {
    rt: Manual,
    /// What is in all of its texts, and in those of no other.
    mark: String,
    ends: &'a [End],
    fails: bool,
    at_once: bool,
}

/// What came of a program: the errors that it returned or its panic, and what the hook heard.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    returned: Vec<String>,
    panic: Option<String>,
    lost: Vec<String>,
}

impl<'a> Program<'a> {
    fn new(ends: &'a [End], fails: bool, at_once: bool) -> Self {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        Self {
            rt: Manual::new(),
            mark: format!("run{run}-"),
            ends,
            fails,
            at_once,
        }
    }

    fn stack(&self) -> ExitStack {
        let stack = ExitStack::new().each_within(&self.rt, LIMIT);
        if self.at_once {
            stack.concurrent(usize::MAX)
        } else {
            stack
        }
    }

    /// Enters all, and fails if it is to.
    async fn body(&self, stack: &ExitStack) -> Result<(), Injected> {
        for (number, &end) in self.ends.iter().enumerate() {
            let name = format!("{}{number}", self.mark);
            let exit = Exit {
                rt: self.rt.clone(),
                name: name.clone(),
                number,
                end,
            };
            enter(stack, exit, name).await?;
        }
        match self.fails {
            true => Err(Injected(format!("{}body", self.mark))),
            false => Ok(()),
        }
    }

    fn line(&self, number: usize) -> Option<String> {
        let name = format!("{}{number}", self.mark);
        let what = match self.ends[number] {
            End::Well => return None,
            End::Fails => format!("injected error: {name}"),
            End::Panics => format!("panicked: injected panic: {name}"),
            End::Never => "has not ended in its time".to_owned(),
        };
        Some(format!("exit of `{name}`: {what}"))
    }

    /// The exits that go wrong, in the order of time.
    fn wrong(&self) -> Vec<usize> {
        let mut wrong: Vec<usize> = (0..self.ends.len()).rev().collect();
        wrong.retain(|&number| self.ends[number] != End::Well);
        if self.at_once {
            // The stable sort keeps those whose time is up at the same moment in the order in which they started.
            wrong.sort_by_key(|&number| self.took(number));
        }
        wrong
    }

    fn took(&self, number: usize) -> Duration {
        match self.ends[number] {
            End::Never => LIMIT,
            _ => milliseconds(number),
        }
    }

    fn body_error(&self) -> String {
        format!("injected error: {}body", self.mark)
    }

    /// What must come of it; `keeps` says whether the way in which it is run returns the errors of exits beside the body's.
    fn expected(&self, keeps: bool) -> Told {
        let wrong = self.wrong();
        let mut lines: Vec<String> = wrong.iter().filter_map(|&n| self.line(n)).collect();
        let mut told = Told::default();
        let body = self.fails.then(|| self.body_error());
        if let Some(first) = wrong.iter().position(|&n| self.ends[n] == End::Panics) {
            let line = lines.remove(first);
            let (_, message) = line.split_once("panicked: ").expect("it is a panic");
            told.panic = Some(message.to_owned());
            told.lost = lines;
            told.lost.extend(body);
        } else if keeps || !self.fails {
            told.returned = body.into_iter().chain(lines).collect();
        } else {
            told.returned.extend(body);
            told.lost = lines;
        }
        told
    }

    /// Checks what has come of it.
    fn check(&self, ended: Result<Vec<String>, String>, lost: &LostErrors, keeps: bool) {
        let mut told = Told {
            lost: lost
                .containing(&self.mark)
                .iter()
                .map(|line| plain(line))
                .collect(),
            ..Told::default()
        };
        match ended {
            Ok(returned) => told.returned = returned.iter().map(|line| plain(line)).collect(),
            Err(panic) => told.panic = Some(panic),
        }
        let expected = self.expected(keeps);
        assert_eq!(told, expected, "{:?}, at once: {}", self.ends, self.at_once);
    }

    /// The lines of a report; and checks where they come from, and how long the exits took.
    fn lines(&self, report: &Report) -> Vec<String> {
        let mut entries: Vec<&Entry> = report.entries().collect();
        let lines = entries.iter().map(ToString::to_string).collect();
        entries.retain(|entry| !entry.to_string().ends_with("-body"));
        for (entry, number) in entries.into_iter().zip(self.wrong()) {
            let location = entry.location().expect("known");
            assert_eq!((location.file(), location.line()), (file!(), LINE));
            assert_eq!(entry.took(), Some(self.took(number)), "{entry}");
        }
        lines
    }
}

/// A line without the place in brackets, and the body's without its name.
fn plain(line: &str) -> String {
    let line = line.strip_prefix("also: ").unwrap_or(line);
    let Some((scope, rest)) = line.split_once(" (") else {
        return line.to_owned();
    };
    let (_, what) = rest.split_once("): ").expect("after a place");
    if scope.starts_with("body") {
        return what.to_owned();
    }
    format!("{scope}: {what}")
}

/// All ends of up to six exits.
fn all_ends() -> impl Iterator<Item = Vec<End>> {
    const ENDS: [End; 4] = [End::Well, End::Fails, End::Panics, End::Never];
    (0..=6).flat_map(|n| {
        (0..4_usize.pow(n)).map(move |code| {
            let end = |i| ENDS[code / 4_usize.pow(i) % 4];
            (0..n).map(end).collect()
        })
    })
}

/// Runs `run` for all programs, and checks what comes of them.
fn for_all(keeps: bool, run: &impl AsyncFn(&Program<'_>) -> Vec<String>) {
    hush_injected_panics();
    for ends in all_ends() {
        for (fails, at_once) in [(false, false), (true, false), (false, true), (true, true)] {
            let program = Program::new(&ends, fails, at_once);
            let lost = LostErrors::listen();
            let ended = program.rt.block_on(caught(run(&program)));
            program.check(ended, &lost, keeps);
        }
    }
}

#[test]
fn with_a_report() {
    for_all(true, &async |program: &Program<'_>| {
        let body = async |stack: &mut ExitStack| Ok::<_, Report>(program.body(stack).await?);
        match program.stack().with(body).await {
            Ok(()) => Vec::new(),
            Err(report) => program.lines(&report),
        }
    });
}

#[test]
fn with_another_error() {
    for_all(false, &async |program: &Program<'_>| {
        let body = async |stack: &mut ExitStack| {
            Ok::<_, Box<dyn Error + Send + Sync>>(program.body(stack).await?)
        };
        match program.stack().with(body).await {
            Ok(()) => Vec::new(),
            Err(error) if error.is::<Injected>() => vec![error.to_string()],
            Err(error) => format!("{error:?}").lines().map(str::to_owned).collect(),
        }
    });
}

#[test]
fn with_both_errors() {
    for_all(true, &async |program: &Program<'_>| {
        let body = async |stack: &mut ExitStack| program.body(stack).await;
        match program.stack().with_report(body).await {
            Ok(()) => Vec::new(),
            Err(ScopeError::Body(body)) => vec![body.to_string()],
            Err(ScopeError::Exit(exit)) => program.lines(&exit),
            Err(ScopeError::BodyAndExit { body, exit }) => {
                let mut lines = program.lines(&exit);
                lines.insert(0, body.to_string());
                lines
            }
            Err(other) => panic!("{other:?}"),
        }
    });
}

/// Closed in the exit of a scope around it, which hands on the outcome.
#[test]
fn closed_by_hand() {
    for_all(true, &async |program: &Program<'_>| {
        let around = acquire(async || Ok::<_, Report>(program.stack()))
            .release(async |stack: ExitStack, outcome| stack.close(outcome).await);
        let body = async |stack: &mut ExitStack| Ok::<_, Report>(program.body(stack).await?);
        match around.with(body).await {
            Ok(()) => Vec::new(),
            Err(report) => program.lines(&report),
        }
    });
}
