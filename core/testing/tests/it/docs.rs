//! The documents that say where a promise is tested: what they name is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The documents of the folder `docs` that name cases.
const DOCUMENTS: [&str; 3] = ["proof.md", "contextlib.md", "cancellation.md"];

const CASES: &[&str] = &withal_testing::cases!(names);

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// What stands between backticks in a document of the folder `docs`.
fn quoted(document: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs").join(document)).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// Whether it looks like the name of a case: two words in small letters.
fn is_case(name: &str) -> bool {
    let small = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    name.split_once("::")
        .is_some_and(|(area, case)| small(area) && small(case))
}

#[test]
fn every_case_that_is_named_is_there() {
    for document in DOCUMENTS {
        let named: Vec<_> = quoted(document)
            .into_iter()
            .filter(|name| is_case(name))
            .collect();
        assert!(named.len() > 40, "{document}: {named:?}");
        for case in named {
            assert!(
                CASES.contains(&&*case),
                "{document} names {case}, which is no case"
            );
        }
    }
}

#[test]
fn every_file_that_is_named_is_there() {
    for document in DOCUMENTS {
        let is_file = |name: &String| name.contains('/') && name.ends_with(".rs");
        for file in quoted(document).into_iter().filter(is_file) {
            assert!(
                root().join(&file).is_file(),
                "{document} names {file}, which is no file"
            );
        }
    }
}

/// Checks that one of the documents names it.
fn every_case_of(areas: &[&str], documents: &[&str]) {
    let names = documents.iter().flat_map(|document| quoted(document));
    let named: BTreeSet<_> = names.collect();
    let ours = |case: &&&str| {
        let area = case.split_once("::").map_or("", |(area, _)| area);
        areas.contains(&area)
    };
    for case in CASES.iter().filter(ours) {
        assert!(
            named.contains(*case),
            "docs: {documents:?} do not name {case}"
        );
    }
}

#[test]
fn every_ported_case_is_named() {
    every_case_of(&["contextlib", "tc39", "stacks"], &["contextlib.md"]);
    every_case_of(&["trio", "anyio", "asyncio"], &["cancellation.md"]);
    every_case_of(&["grouping"], &["cancellation.md", "proof.md"]);
}
