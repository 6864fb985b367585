//! A user's extension that uses each entry of the tables: `make compat` builds it with other compilers and with the SDKs of other
//! versions.

use std::fmt;

use oxflow::metrics::Counter;
use oxflow::{ErrorPolicy, Message, Payload, Text};
use serde::{Deserialize, Serialize};

/// A counted word.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Word {
    pub text: String,
    pub count: i64,
}

/// The same, in its message.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct BorrowedWord<'m> {
    #[serde(borrow)]
    pub text: Text<'m>,
    pub count: i64,
}

/// A word that can't be taken.
#[derive(Debug, ErrorPolicy)]
pub enum Untaken {
    #[on_error(skip)]
    Dull,
    Bad,
}

impl fmt::Display for Untaken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

static WORDS: Counter = Counter::new("words", "words that were looked at");

/// Doubles the count, in place of nothing that is copied.
#[oxflow::function]
fn double<'m>(msg: Message<BorrowedWord<'m>>) -> BorrowedWord<'m> {
    let (word, _) = msg.take();
    BorrowedWord { count: word.count * 2, ..word }
}

/// Fails on `bad`, leaves out `dull`, panics on `panic`.
#[oxflow::function]
fn check(msg: Message<Word>) -> Result<Word, Untaken> {
    let (word, _) = msg.take();
    match word.text.as_str() {
        "bad" => Err(Untaken::Bad),
        "dull" => Err(Untaken::Dull),
        "panic" => panic!("the word was `panic`"),
        _ => Ok(word),
    }
}

/// Says that it saw a word, counts it, and gives it a key and a header.
#[oxflow::function]
fn record(msg: Message<Word>) -> Message<Word> {
    let text = msg.payload().text.clone();
    let span = tracing::info_span!("look", text);
    span.in_scope(|| tracing::warn!(count = msg.payload().count, "seen {text}"));
    log::warn!("by log: {text}");
    WORDS.add(1);
    msg.with_key(text.into_bytes()).with_headers([("seen", "yes")])
}

/// Says of every thousandth word that it saw it, and gives each one a key.
#[oxflow::function]
fn record_some(msg: Message<Word>) -> Message<Word> {
    let Word { text, count } = msg.payload();
    if count % 1000 == 0 {
        tracing::warn!(count, "seen {text}");
    }
    WORDS.add_with(1, &[("text", text)]);
    let key = text.clone();
    msg.with_key(key)
}

/// A word for each letter.
#[oxflow::function]
fn letters(msg: Message<Word>) -> Vec<Word> {
    let (word, _) = msg.take();
    word.text.chars().map(|letter| Word { text: letter.to_string(), count: word.count }).collect()
}

/// The word, unless it is short.
#[oxflow::function]
fn long_only(msg: Message<Word>) -> Option<Word> {
    let (word, _) = msg.take();
    (word.text.len() > 3).then_some(word)
}

struct MoreThan(i64);

/// Keeps words that were counted more than `count` times.
#[oxflow::function]
impl MoreThan {
    fn new(count: i64) -> Result<Self, String> {
        if count < 0 { Err(format!("{count} is no count")) } else { Ok(Self(count)) }
    }

    fn call(&self, msg: &Message<Word>) -> bool {
        msg.payload().count > self.0
    }
}

struct RunningTotal(i64);

/// Adds the counts of all words so far.
#[oxflow::function]
impl RunningTotal {
    fn new() -> Self {
        Self(0)
    }

    fn call(&mut self, msg: Message<Word>) -> Word {
        let (word, _) = msg.take();
        self.0 += word.count;
        Word { count: self.0, ..word }
    }
}

/// How many words come with each word.
#[oxflow::function]
fn beside(batch: &[Message<Word>]) -> Vec<Word> {
    let count = i64::try_from(batch.len()).unwrap_or(i64::MAX);
    batch.iter().map(|msg| Word { text: msg.payload().text.clone(), count }).collect()
}

oxflow::module!(compat_steps);
