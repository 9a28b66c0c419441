//! This test binary again, in a process where nobody has set a hook.

use std::env;
use std::process::Command;

use withal_core::ScopeExt;
use withal_testing::{Injected, Ledger, block_on};

/// Set in the child.
const CHILD: &str = "WITHAL_CHILD_OF_A_TEST";

/// Whether this process is the child.
pub(crate) fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// Runs the test `name` alone in a child, and gives what it writes to stderr.
pub(crate) fn stderr_of(name: &str) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Loses the error of an exit beside that of its body; gives the place of the scope.
pub(crate) fn lose_an_error() -> String {
    let ledger = Ledger::new();
    let scope = ledger.scope("x").exit_fails().named("database");
    let line = line!() + 1;
    let failed = scope.with(async |_| Err::<(), _>(Injected("body".to_owned())));
    assert_eq!(block_on(failed), Err(Injected("body".to_owned())));
    format!("{}:{line}:", file!())
}
