//! The tour itself: what goes wrong in an example is seen, shown and counted.

use withal::Report;
use withal_examples::gallery::labels;
use withal_examples::{Ended, Host, Label, Toured, Transcript, tour};

/// A runtime on which examples do what they must not.
struct Broken(fn(&Transcript) -> Ended);

impl Host for Broken {
    fn play(&self, _: &str, out: &Transcript) -> Ended {
        (self.0)(out)
    }
}

fn example() -> Label {
    let mut label = labels()[0];
    label.transcript = &["first", "second"];
    label
}

fn show(hosts: &[(&'static str, Box<dyn Host>)]) -> (Toured, String) {
    let mut page = Vec::new();
    let toured = tour(&[example()], hosts, &mut page).unwrap();
    (toured, String::from_utf8(page).unwrap())
}

fn good() -> (&'static str, Box<dyn Host>) {
    let play = |out: &Transcript| {
        out.line("first");
        out.line("second");
        Ended::Well
    };
    ("good", Box::new(Broken(play)))
}

#[test]
fn a_transcript_is_printed_once() {
    let (toured, page) = show(&[good(), good()]);
    assert!(matches!(toured, Toured::Well));
    assert_eq!(page.matches("  first\n  second\n").count(), 1);
    assert!(page.ends_with("1 example × 2 runtimes: all ok\n"), "{page}");
}

#[test]
fn a_transcript_that_differs_is_shown_line_by_line() {
    let bad = |out: &Transcript| {
        out.line("first");
        out.line("third");
        Ended::Well
    };
    let (toured, page) = show(&[good(), ("bad", Box::new(Broken(bad)))]);
    assert!(matches!(toured, Toured::Badly));
    let shown = "  ! differs on bad:\n      first\n    - second\n    + third\n";
    assert!(page.contains(shown), "{page}");
    assert!(
        page.ends_with("1 example × 2 runtimes: 1 not ok\n"),
        "{page}"
    );
}

#[test]
fn errors_and_panics_are_not_ok() {
    let failing = |_: &Transcript| Ended::Failed(Report::msg("no luck"));
    let (toured, page) = show(&[
        ("failing", Box::new(Broken(failing))),
        ("panicking", Box::new(Broken(|_| Ended::Panicked))),
    ]);
    assert!(matches!(toured, Toured::Badly));
    assert!(
        page.contains("  ! failed on failing:\n    no luck\n"),
        "{page}"
    );
    assert!(page.contains("  ! panicked on panicking:\n"), "{page}");
    assert!(
        page.ends_with("1 example × 2 runtimes: 2 not ok\n"),
        "{page}"
    );
}
