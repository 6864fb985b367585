//! What doesn't compile, and what the compiler says then.

#[test]
fn misuse_is_a_clear_error() {
    trybuild::TestCases::new().compile_fail("tests/rejected/*.rs");
}
