//! A chain whose ends don't meet doesn't compile.

/// Paths of the standard library in messages depend on the toolchain, so what is compared names none.
#[test]
fn wrong_chains_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/chains/good.rs");
    cases.compile_fail("tests/chains/wrong_*.rs");
}
