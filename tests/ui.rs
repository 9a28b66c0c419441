//! Misuse of the attributes does not compile, and the message is at the right place and helps.

#[test]
fn misuse_does_not_compile_and_the_message_helps() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
