//! Comparing a transcript with the expected one.

use std::fmt::Write;

/// The lines that differ, marked with `-` (expected) and `+` (found), among those that do not; `None` if all is as expected.
///
/// A measured time such as `1.00 s` may be up to a second longer than expected: real clocks are never early, and machines are busy.
pub(crate) fn difference(expected: &[&str], found: &[String]) -> Option<String> {
    if expected.len() == found.len() && expected.iter().zip(found).all(|(e, f)| same(e, f)) {
        return None;
    }
    // The longest common subsequence of what is left from each pair of places on.
    let mut common = vec![vec![0; found.len() + 1]; expected.len() + 1];
    for (e, line) in expected.iter().enumerate().rev() {
        for f in (0..found.len()).rev() {
            common[e][f] = if same(line, &found[f]) {
                common[e + 1][f + 1] + 1
            } else {
                common[e + 1][f].max(common[e][f + 1])
            };
        }
    }
    let (mut e, mut f) = (0, 0);
    let mut text = String::new();
    while e < expected.len() || f < found.len() {
        let (mark, line) = if e == expected.len() {
            f += 1;
            ('+', &*found[f - 1])
        } else if f < found.len() && same(expected[e], &found[f]) {
            (e, f) = (e + 1, f + 1);
            (' ', &*found[f - 1])
        } else if f == found.len() || common[e + 1][f] >= common[e][f + 1] {
            e += 1;
            ('-', expected[e - 1])
        } else {
            f += 1;
            ('+', &*found[f - 1])
        };
        let _ = writeln!(text, "{mark} {line}");
    }
    Some(text)
}

/// Whether two lines are the same but for the lateness of a real clock.
fn same(expected: &str, found: &str) -> bool {
    let expected: Vec<_> = expected.split(' ').collect();
    let found: Vec<_> = found.split(' ').collect();
    let word = |(at, word): (usize, &&str)| {
        found[at] == *word || expected.get(at + 1) == Some(&"s") && late(word, found[at])
    };
    expected.len() == found.len() && expected.iter().enumerate().all(word)
}

fn late(expected: &str, found: &str) -> bool {
    match (expected.parse::<f64>(), found.parse::<f64>()) {
        // Without a point it is no measured time.
        (Ok(e), Ok(f)) => expected.contains('.') && e <= f && f <= e + 1.0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    fn found(lines: &[&str]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn equal_transcripts_have_no_difference() {
        assert_eq!(difference(&["a", "b"], &found(&["a", "b"])), None);
    }

    #[test]
    fn what_is_missing_and_what_is_new_is_marked() {
        let difference = difference(&["a", "b", "c"], &found(&["a", "x", "c", "d"]));
        assert_eq!(difference.as_deref(), Some("  a\n- b\n+ x\n  c\n+ d\n"));
    }

    #[test]
    fn a_measured_time_may_be_late_but_not_early() {
        assert_eq!(difference(&["took 1.00 s"], &found(&["took 1.07 s"])), None);
        assert!(difference(&["took 1.00 s"], &found(&["took 0.99 s"])).is_some());
        assert!(difference(&["took 1.00 s"], &found(&["took 2.50 s"])).is_some());
        assert!(difference(&["after 2 s"], &found(&["after 3 s"])).is_some());
    }
}
