//! Payloads and functions that are counted while they live.

use std::sync::atomic::{AtomicI64, Ordering};

use oxflow::{Message, Payload};
use serde::{Deserialize, Serialize};

use crate::Word;

static ALIVE: AtomicI64 = AtomicI64::new(0);

/// One of those that are counted.
#[derive(Debug)]
pub struct Alive(());

impl Default for Alive {
    fn default() -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Clone for Alive {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A word that is counted while it lives.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Living {
    pub text: String,
    pub count: i64,
    #[serde(skip)]
    #[allow(dead_code, reason = "it is counted")]
    pub alive: Alive,
}

/// How many payloads and functions there are.
#[oxflow::function]
fn how_many_live(_msg: Message<Word>) -> i64 {
    ALIVE.load(Ordering::Relaxed)
}

/// Fails on the word `bad`, panics on `panic`.
#[oxflow::function]
fn check_living(msg: Message<Living>) -> Result<Living, String> {
    let (word, _) = msg.take();
    assert_ne!("panic", word.text, "the word was `panic`");
    if word.text == "bad" { Err("a bad word".to_owned()) } else { Ok(word) }
}

/// As many of a word as its count says.
#[oxflow::function]
fn repeat_living(msg: Message<Living>) -> Vec<Living> {
    let (word, _) = msg.take();
    (0..word.count).map(|_| word.clone()).collect()
}

struct LivingMoreThan(i64, #[allow(dead_code, reason = "it is counted")] Alive);

/// Keeps words that were counted more than `count` times.
#[oxflow::function]
impl LivingMoreThan {
    fn new(count: i64) -> Result<Self, String> {
        let alive = Alive::default();
        if count < 0 { Err(format!("{count} is no count")) } else { Ok(Self(count, alive)) }
    }

    fn call(&self, msg: &Message<Living>) -> bool {
        msg.payload().count > self.0
    }
}

struct LivingTotal(i64, #[allow(dead_code, reason = "it is counted")] Alive);

/// Adds the counts of all words so far.
#[oxflow::function]
impl LivingTotal {
    fn new() -> Self {
        Self(0, Alive::default())
    }

    fn call(&mut self, msg: Message<Living>) -> Living {
        let (mut word, _) = msg.take();
        self.0 += word.count;
        word.count = self.0;
        word
    }
}
