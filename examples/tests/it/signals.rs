//! Real signals to a real child process.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use withal_examples::RUNTIMES;

/// The command, while it runs.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    _watched: Sender<()>,
}

impl Running {
    fn start(example: &str, runtime: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_withal-examples"))
            .args(["run", example, "--runtime", runtime])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // A child that hangs makes its test fail instead of hanging, too.
        let (watched, watch) = channel();
        let id = child.id();
        thread::spawn(move || {
            if watch.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
                kill("-KILL", id);
            }
        });
        Self {
            child,
            lines,
            _watched: watched,
        }
    }

    /// Reads on until the child has printed `line`.
    fn wait_for(&mut self, line: &str) {
        let rest = self.wait_for_start(line);
        assert_eq!(rest, "", "after `{line}`");
    }

    /// Reads on until the child has printed a line that begins with `start`, and gives the rest of it.
    fn wait_for_start(&mut self, start: &str) -> String {
        let rest = |line: String| Some(line.trim().strip_prefix(start)?.to_owned());
        let found = self.lines.by_ref().find_map(|read| rest(read.unwrap()));
        found.unwrap_or_else(|| panic!("the child has ended without saying `{start}`"))
    }

    fn interrupt(&self) {
        kill("-INT", self.child.id());
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until the child ends by itself: its exit code, what it has still printed, its stderr.
    fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let lines = self
            .lines
            .map(|read| read.unwrap().trim().to_owned())
            .collect();
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().unwrap();
        pipe.read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), lines, stderr)
    }
}

fn kill(signal: &str, id: u32) {
    let status = Command::new("kill")
        .args([signal, &id.to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn ctrl_c_lets_scopes_exit_and_the_program_end() {
    for (runtime, _) in RUNTIMES {
        let mut child = Running::start("wait", runtime);
        child.wait_for("waiting for Ctrl-C");
        child.interrupt();
        let (code, lines, stderr) = child.end();
        assert_eq!(
            lines,
            ["server is closed: Shutdown", "database is closed: Shutdown"]
        );
        assert_eq!(stderr, "stopped by a signal\n");
        assert_eq!(code, Some(130), "on {runtime}");
    }
}

#[test]
fn the_second_ctrl_c_gives_up_and_names_what_hangs() {
    let source = include_str!("../../src/gallery/hang.rs");
    let entered = source
        .lines()
        .position(|line| line.contains(".with("))
        .unwrap()
        + 1;
    for (runtime, _) in RUNTIMES {
        let mut child = Running::start("hang", runtime);
        child.wait_for("waiting for Ctrl-C");
        child.interrupt();
        child.wait_for("exit: Shutdown");
        child.wait_for("the other side does not answer");
        assert!(child.is_alive(), "on {runtime}");
        child.interrupt();
        let (code, lines, stderr) = child.end();
        assert!(lines.is_empty());
        let lost = stderr
            .lines()
            .find(|line| line.starts_with("withal: lost error"));
        let lost = lost.unwrap_or_else(|| panic!("no lost error on {runtime}: {stderr}"));
        assert!(lost.contains("exit of `queue`"), "{lost}");
        assert!(lost.contains(&format!("hang.rs:{entered}:")), "{lost}");
        assert_eq!(code, Some(130), "on {runtime}");
    }
}

#[test]
fn ctrl_c_lets_a_server_finish_its_answers() {
    let question = "to be or not to be that is the question";
    let connect = |address: &str| {
        let stream = TcpStream::connect(address).unwrap();
        (stream.try_clone().unwrap(), BufReader::new(stream).lines())
    };
    let text = |lines: Lines<BufReader<TcpStream>>| {
        let lines: Vec<_> = lines.map(Result::unwrap).collect();
        lines.join(" ")
    };
    for (runtime, _) in RUNTIMES {
        let mut child = Running::start("serve", runtime);
        let address = child.wait_for_start("listening on ");
        let (_idle, nothing) = connect(&address);
        let (mut client, mut answer) = connect(&address);
        writeln!(client, "{question}").unwrap();
        let first = answer.next().unwrap().unwrap();
        child.interrupt();
        assert_eq!(text(nothing), "", "on {runtime}");
        // It takes longer than the grace, but it had begun.
        let heard = format!("{first} {}", text(answer));
        assert!(heard.starts_with(question), "{heard} on {runtime}");
        let (code, lines, stderr) = child.end();
        assert_eq!(lines, ["closed"]);
        assert_eq!(stderr, "");
        assert_eq!(code, Some(0), "on {runtime}");
    }
}
