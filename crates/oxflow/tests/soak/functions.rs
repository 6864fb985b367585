//! Functions of every kind, of payloads that are counted while they live.

use oxflow::metrics::Counter;
use oxflow::{Message, Payload, Text};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicIsize, Ordering};

/// How many payloads and instances there are.
pub(crate) static ALIVE: AtomicIsize = AtomicIsize::new(0);
static WORDS: Counter = Counter::new("words", "words that were looked at");

/// One of those that are counted.
#[derive(Debug)]
struct Alive;

impl Alive {
    fn new() -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Default for Alive {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Alive {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
#[allow(dead_code, reason = "`alive` is counted")]
struct Word {
    text: String,
    count: i64,
    #[serde(skip)]
    alive: Alive,
}

#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
#[allow(dead_code, reason = "`alive` is counted")]
struct BorrowedWord<'m> {
    #[serde(borrow)]
    text: Text<'m>,
    count: i64,
    #[serde(skip)]
    alive: Alive,
}

#[oxflow::function]
fn check(msg: Message<Word>) -> Result<Word, String> {
    let (word, _) = msg.take();
    assert_ne!("panic", word.text, "the word was `panic`");
    if word.text == "bad" { Err("a bad word".to_owned()) } else { Ok(word) }
}

#[oxflow::function]
fn letters(msg: Message<Word>) -> Vec<Word> {
    let (word, _) = msg.take();
    word.text.chars().map(|letter| Word { text: letter.to_string(), ..word.clone() }).collect()
}

#[oxflow::function]
fn keyed(msg: Message<Word>) -> Message<Word> {
    let key = msg.payload().text.clone().into_bytes();
    msg.with_key(key).with_headers([("keyed", "yes"), ("twice", "yes")])
}

#[oxflow::function]
fn long_only(msg: Message<Word>) -> Option<Word> {
    let (word, _) = msg.take();
    (word.text.len() > 5).then_some(word)
}

#[oxflow::function]
fn frequent(msg: &Message<Word>) -> bool {
    msg.payload().count > 0
}

#[oxflow::function]
fn double_borrowed<'m>(msg: Message<BorrowedWord<'m>>) -> BorrowedWord<'m> {
    let (mut word, _) = msg.take();
    word.count *= 2;
    word
}

#[oxflow::function]
fn frequent_borrowed(msg: &Message<BorrowedWord<'_>>) -> bool {
    msg.payload().count >= 0
}

struct MoreThan {
    count: i64,
    words: Vec<String>,
    _alive: Alive,
}

#[oxflow::function]
impl MoreThan {
    fn new(count: i64, words: Vec<String>) -> Self {
        Self { count, words, _alive: Alive::new() }
    }

    fn call(&self, msg: &Message<Word>) -> bool {
        let word = msg.payload();
        word.count > self.count || (word.count == 1 && self.words.contains(&word.text))
    }
}

struct RunningTotal(i64, #[allow(dead_code, reason = "it is counted")] Alive);

#[oxflow::function]
impl RunningTotal {
    fn new() -> Self {
        Self(0, Alive::new())
    }

    fn call(&mut self, msg: Message<Word>) -> Word {
        let (mut word, _) = msg.take();
        self.0 += word.count;
        word.count = self.0;
        word
    }
}

#[oxflow::function]
fn beside(batch: &[Message<Word>]) -> Vec<Word> {
    batch.iter().map(|msg| msg.payload().clone()).collect()
}

/// Logs, makes a span and measures.
#[oxflow::function]
fn recorded(msg: Message<Word>) -> Word {
    let (word, _) = msg.take();
    let span = tracing::info_span!("look", text = word.text);
    span.in_scope(|| tracing::info!(count = word.count, "seen"));
    log::info!("by log: {}", word.text);
    WORDS.add_with(1, &[("text", &word.text)]);
    word
}

/// A word that can't be written if it is `bad`.
#[derive(Deserialize)]
struct Fragile(Word);

impl Serialize for Fragile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.text == "bad" {
            return Err(serde::ser::Error::custom("it breaks"));
        }
        self.0.serialize(serializer)
    }
}

oxflow::convert_via_json!(Fragile);

#[oxflow::function]
fn fragile(msg: Message<Word>) -> Fragile {
    Fragile(msg.take().0)
}
