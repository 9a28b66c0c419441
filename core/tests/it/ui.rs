//! Misuse does not compile, and the message helps; what must compile against the odds does.

#[test]
fn misuse_does_not_compile_and_the_message_helps() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
