//! The program as it is run.

use std::path::Path;
use std::process::{Command, Output};

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_my_steps"))
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .expect("a program that was built")
}

#[test]
fn the_pipeline_is_sound() {
    let done = program(&["check", "--config", "sample.yaml"]);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[test]
fn the_sample_becomes_long_words_in_capitals() {
    let done = program(&["run", "--quiet", "--config", "sample.yaml"]);
    let written = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        written.starts_with("{\"text\":\"OXEN\",\"letters\":4}\n"),
        "{written}"
    );
}
