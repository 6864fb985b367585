//! A pipeline that is all Rust, and a Python module of the same functions: what `tests/test_pure*.py` run.

pub mod built;

use oxflow::{List, Message, Payload};
use serde::{Deserialize, Serialize};

/// A line of text as it arrives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct Line {
    pub text: String,
}

/// A word of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct Word {
    pub text: String,
    pub letters: u64,
}

/// How long words are together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct Letters {
    pub letters: u64,
}

/// Gives the words of a line.
#[oxflow::function(step = Words)]
pub fn words(message: &Message<Line>) -> Vec<Word> {
    let word = |text: &str| Word { text: text.to_owned(), letters: text.chars().count() as u64 };
    message.payload().text.split_whitespace().map(word).collect()
}

/// Keeps words of more than three letters.
#[oxflow::function]
pub fn is_long(message: &Message<Word>) -> bool {
    message.payload().letters > 3
}

/// Writes a word in capitals; digits have none, and the word `panic` is taken at its word.
#[oxflow::function]
pub fn capitals(message: Message<Word>) -> Result<Word, NoCapitals> {
    let (word, _) = message.take();
    if word.text.contains(char::is_numeric) {
        tracing::warn!(word = word.text, "there are digits in a word");
        return Err(NoCapitals(word.text));
    }
    assert!(word.text != "panic", "a word that panics");
    Ok(Word { text: word.text.to_uppercase(), ..word })
}

/// A word that has no capitals.
#[derive(Debug)]
pub struct NoCapitals(String);

impl std::fmt::Display for NoCapitals {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}` has no capitals", self.0)
    }
}

/// Says whether a word is long.
#[oxflow::function(step = Length)]
pub fn length(message: &Message<Word>) -> String {
    if message.payload().letters > 3 { "long" } else { "short" }.to_owned()
}

/// Counts the letters of a list of words.
#[oxflow::function(step = Total)]
pub fn total(message: Message<List<Word>>) -> Letters {
    Letters { letters: message.payload().iter().map(|word| word.letters).sum() }
}

/// Keeps words of more letters than a limit.
#[derive(Debug)]
pub struct Above {
    limit: u64,
}

#[oxflow::function]
impl Above {
    pub fn new(limit: u64) -> Result<Self, String> {
        if limit == 0 { Err("every word has letters".to_owned()) } else { Ok(Self { limit }) }
    }

    fn call(&self, message: &Message<Word>) -> bool {
        message.payload().letters > self.limit
    }
}

oxflow::main_function!();
oxflow::module!(pure_words);
