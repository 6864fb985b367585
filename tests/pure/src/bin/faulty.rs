//! The pipeline of `tests/faults/faults_pipeline.py` without Python.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use oxflow::{Limits, Message, Payload, Pipeline, branch};
use serde::{Deserialize, Serialize};

/// Says of itself where it was written.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
struct Word {
    text: String,
    count: i64,
    tags: BTreeMap<String, String>,
}

/// What the test asks for.
struct Faults {
    /// So that a fault finds something under way.
    pause: Duration,
    stuck: Duration,
    /// The file that says that somebody got stuck already.
    stuck_once: Option<PathBuf>,
}

static FAULTS: LazyLock<Faults> = LazyLock::new(|| {
    let seconds = |name: &str| std::env::var(name).ok()?.parse().ok().map(Duration::from_secs_f64);
    Faults {
        pause: seconds("FAULTS_PAUSE_S").unwrap_or_default(),
        stuck: seconds("FAULTS_STUCK_S").unwrap_or_default(),
        stuck_once: std::env::var_os("FAULTS_STUCK").map(PathBuf::from),
    }
});

/// Fails on what is marked as bad, takes a little time for the others, and once a long time.
fn taste(message: Message<Word>) -> Result<Word, String> {
    let (word, _) = message.take();
    match word.tags.get("tag").map(String::as_str) {
        Some("bad") => return Err(format!("bad: {}", word.text)),
        Some("stuck") => get_stuck(),
        _ => {}
    }
    if !FAULTS.pause.is_zero() {
        thread::sleep(FAULTS.pause);
    }
    Ok(word)
}

fn get_stuck() {
    if let Some(file) = FAULTS.stuck_once.as_ref().filter(|file| !file.exists()) {
        File::create(file).expect("a file in the folder of the test");
        thread::sleep(FAULTS.stuck);
    }
}

fn double(message: Message<Word>) -> Word {
    let (word, _) = message.take();
    Word { count: word.count * 2, ..word }
}

fn pipeline() -> Pipeline {
    let lists = Limits::messages(50).or_time(Duration::from_millis(500));
    Pipeline::source("source", "words").parse::<Word>().try_map(taste).broadcast(
        "all",
        [
            branch("plain").serialize().named("s1").sink("plain-out", "plain"),
            branch("rust").map(double).serialize().named("s2").sink("rust-out", "rust"),
            branch("lists").batch(lists).named("fifty").serialize().named("s3").sink("lists-out", "lists"),
        ],
    )
}

oxflow::main_function!(pipeline);
