//! Python's interpreter of programs.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use crate::json;
use crate::program::{Run, Steps};

/// A process of Python that runs `interpreter.py`.
pub(crate) struct Cpython {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(crate) version: String,
}

impl Cpython {
    /// Starts it; the environment variable `PYTHON` names another interpreter than `python3`.
    pub(crate) fn start() -> Self {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let mut child = Command::new(&python)
            .args(["-I", "-c", include_str!("interpreter.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("this test needs Python: {python}: {error}"));
        let mut started = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().expect("it is piped")),
            child,
            version: String::new(),
        };
        started.version = started.line();
        started
    }

    /// Runs programs and says what was seen of each.
    pub(crate) fn run(&mut self, programs: &[Steps]) -> Vec<Run> {
        let mut input = self.input.take().expect("it is there between two calls");
        thread::scope(|threads| {
            // The answers come meanwhile, and would fill the pipe.
            let writing = threads.spawn(move || {
                for program in programs {
                    let _ = writeln!(input, "{}", json::steps(program)); // if it is gone, no answer comes
                }
                input
            });
            let runs = programs.iter().map(|_| parse(&self.line())).collect();
            self.input = writing.join().ok();
            runs
        })
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).expect("it is ASCII");
        assert!(read > 0, "Python has died; see its message above");
        line.trim_end().to_owned()
    }
}

/// It ends by itself when its input ends.
impl Drop for Cpython {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

fn parse(line: &str) -> Run {
    let (trace, caught) = line.split_once('|').expect("there is a bar");
    let parts = |text: &str| -> Vec<String> {
        let parts = text.split(';').filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let ids = |chain: &String| {
        let ids = chain.split(' ');
        ids.map(|id| id.parse().expect("it is a number")).collect()
    };
    Run {
        trace: parts(trace),
        caught: parts(caught).iter().map(ids).collect(),
    }
}
