//! Functions that are made of arguments, functions of lists and batches, payloads that lie in the message, and errors that know
//! what is to be done.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use oxflow::{ErrorPolicy, List, Message, Payload, Text};
use serde::{Deserialize, Serialize};

use crate::Word;

struct MoreThan {
    count: i64,
    words: Vec<String>,
}

/// Keeps words that were counted more than `count` times, and those in `words`.
#[oxflow::function]
impl MoreThan {
    fn new(count: i64, #[default(Vec::new())] words: Vec<String>) -> Result<Self, String> {
        if count < 0 { Err(format!("{count} is no count")) } else { Ok(Self { count, words }) }
    }

    fn call(&self, msg: &Message<Word>) -> bool {
        let word = msg.payload();
        word.count > self.count || self.words.contains(&word.text)
    }
}

struct RunningTotal(i64);

/// Adds the counts of all words so far.
#[oxflow::function]
impl RunningTotal {
    fn new(#[default(0)] r#from: i64) -> Self {
        Self(r#from)
    }

    fn call(&mut self, msg: Message<Word>) -> Word {
        let (word, _) = msg.take();
        self.0 += word.count;
        Word { count: self.0, ..word }
    }
}

#[derive(Clone)]
struct Longest(Option<Word>);

/// The longest word of a list.
#[oxflow::function]
impl Longest {
    fn new() -> Self {
        Self(None)
    }

    fn add(&mut self, word: Word) {
        if self.0.as_ref().is_none_or(|longest| longest.text.len() < word.text.len()) {
            self.0 = Some(word);
        }
    }

    fn finish(self) -> Option<Word> {
        self.0
    }
}

/// The counts of a list.
#[oxflow::function]
fn total(msg: &Message<List<Word>>) -> i64 {
    msg.payload().iter().map(|word| word.count).sum()
}

/// The share of each word in all that come with it; fails on the word `bad`.
#[oxflow::function]
fn share(batch: &[Message<Word>]) -> Vec<Result<f64, String>> {
    let all: i64 = batch.iter().map(|msg| msg.payload().count).sum();
    let of = |word: &Word| {
        if word.text == "bad" { Err("a bad word".to_owned()) } else { Ok(word.count as f64 / all as f64) }
    };
    batch.iter().map(|msg| of(msg.payload())).collect()
}

/// A word that lies in its message.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct BorrowedWord<'m> {
    #[serde(borrow)]
    pub text: Text<'m>,
    pub count: i64,
    #[serde(borrow, default)]
    pub tags: BTreeMap<Text<'m>, Text<'m>>,
}

/// Twice the count, of a word that lies in its message.
#[oxflow::function]
fn double_borrowed<'m>(msg: Message<BorrowedWord<'m>>) -> BorrowedWord<'m> {
    let (word, _) = msg.take();
    BorrowedWord { count: word.count * 2, ..word }
}

/// Whether a word that lies in its message was counted more than once.
#[oxflow::function]
fn is_frequent_borrowed(msg: &Message<BorrowedWord<'_>>) -> bool {
    msg.payload().count > 1
}

/// A word that can't be taken.
#[derive(Debug, ErrorPolicy)]
pub enum Untaken {
    #[on_error(skip)]
    Test,
    #[on_error(dead_letter)]
    Bad,
    #[on_error(retry(times = 2, backoff_ms = 0, then = dead_letter))]
    Busy,
    #[on_error(fail)]
    Poison,
    Other,
}

impl fmt::Display for Untaken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

/// Takes words, but those that say what is wrong with them; a `busy` one when it is asked as often as its count says.
#[oxflow::function]
fn take(msg: Message<Word>) -> Result<Word, Untaken> {
    static ASKED: Mutex<BTreeMap<String, i64>> = Mutex::new(BTreeMap::new());
    let (word, _) = msg.take();
    match word.text.as_str() {
        "test" => Err(Untaken::Test),
        "bad" => Err(Untaken::Bad),
        "poison" => Err(Untaken::Poison),
        "other" => Err(Untaken::Other),
        text if text.starts_with("busy") => {
            let mut asked = ASKED.lock().unwrap();
            let times = asked.entry(word.text.clone()).or_default();
            *times += 1;
            if *times > word.count { Ok(word) } else { Err(Untaken::Busy) }
        }
        _ => Ok(word),
    }
}

struct Once;

static MADE: Mutex<bool> = Mutex::new(false);

/// Can be made once in a process.
#[oxflow::function]
impl Once {
    fn new() -> Result<Self, &'static str> {
        if std::mem::replace(&mut *MADE.lock().unwrap(), true) { Err("it was made already") } else { Ok(Self) }
    }

    fn call(&mut self, msg: Message<Word>) -> Word {
        msg.take().0
    }
}
