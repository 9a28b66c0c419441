//! The command as its user sees it.

use std::process::{Command, Output};

use withal_examples::RUNTIMES;
use withal_examples::gallery::labels;

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_withal-examples"));
    command.args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asserts that the arguments are refused at once, and that the message lists `known`.
#[track_caller]
fn refused(args: &[&str], known: &[&str]) {
    let output = run(args);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty());
    for name in known {
        assert!(message.contains(name), "no `{name}` in: {message}");
    }
}

#[test]
fn list_names_every_example() {
    let listed = run(&["list"]);
    assert!(listed.status.success());
    for label in labels() {
        let start = format!("{} {} ", label.id, label.name);
        assert!(stdout(&listed).contains(&start), "no {}", label.name);
    }
}

#[test]
fn help_says_how() {
    let help = run(&["help"]);
    assert!(help.status.success());
    for (runtime, _) in RUNTIMES {
        assert!(stdout(&help).contains(runtime));
    }
}

#[test]
fn one_example_on_one_runtime() {
    let output = run(&["run", "resource", "--runtime", "smol"]);
    assert_eq!(output.status.code(), Some(0));
    let page = stdout(&output);
    assert!(
        page.contains("  acquire A\n  use A\n  release A\n"),
        "{page}"
    );
    assert!(
        page.ends_with("\n1 example × 1 runtime: all ok\n"),
        "{page}"
    );
}

#[test]
fn examples_go_by_number_and_runtimes_by_any_form() {
    let output = run(&[
        "run",
        "b1",
        "sees_error",
        "B4",
        "--runtime=smol",
        "--runtime=all",
    ]);
    let last = format!("2 examples × {} runtimes: all ok\n", RUNTIMES.len());
    assert!(stdout(&output).ends_with(&last));
}

#[test]
fn what_does_not_exist_is_refused_with_what_does() {
    refused(
        &["run", "resource", "nope"],
        &["`nope`", "resource", "timeout_order"],
    );
    refused(
        &["run", "--runtime", "nope"],
        &["`nope`", "tokio-current-thread", "smol", "all"],
    );
    refused(&["run", "--runtime"], &["--runtime"]);
    refused(&["run", "--nope"], &["`--nope`", "--runtime"]);
    refused(&["nope"], &["`nope`", "list", "run", "help"]);
    refused(&["list", "nope"], &["`nope`"]);
    refused(&["run", "wait", "resource"], &["`wait`"]);
}

/// Runs everything on one runtime.
fn everything_on(runtime: &str) {
    let output = run(&["run", "--runtime", runtime]);
    let page = stdout(&output);
    assert!(output.status.success(), "{page}");
    let all = labels().iter().filter(|label| !label.interactive).count();
    let last = format!("\n{all} examples × 1 runtime: all ok\n");
    assert!(page.ends_with(&last), "{page}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn everything_on_tokio() {
    everything_on("tokio");
}

#[test]
fn everything_on_tokio_current_thread() {
    everything_on("tokio-current-thread");
}

#[test]
fn everything_on_smol() {
    everything_on("smol");
}

#[test]
fn everything_on_async_std() {
    everything_on("async-std");
}

#[test]
fn everything_on_futures() {
    everything_on("futures");
}
