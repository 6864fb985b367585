//! A chain whose ends don't meet doesn't compile.

/// What the standard library looks like in messages depends on the toolchain, so what is compared shows none of its lines.
#[test]
fn wrong_chains_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/chains/good.rs");
    cases.compile_fail("tests/chains/wrong_*.rs");
}
