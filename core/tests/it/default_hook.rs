//! Without a hook, a lost error is one line on stderr.

use crate::child::{is_child, lose_an_error, stderr_of};

#[test]
fn its_line_names_the_scope_and_the_source_line() {
    let place = lose_an_error();
    if is_child() {
        return;
    }
    let stderr = stderr_of("default_hook::its_line_names_the_scope_and_the_source_line");
    let told: Vec<_> = stderr
        .lines()
        .filter(|line| line.contains("withal"))
        .collect();
    let [line] = told[..] else {
        panic!("{stderr}");
    };
    let start = format!("withal: lost error: exit of `database` ({place}");
    assert!(line.starts_with(&start), "{line}");
    assert!(line.ends_with("): injected error: exit x"), "{line}");
}
