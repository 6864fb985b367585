//! Steps that take lines of text apart, and the program that runs them.

use oxflow::{Message, Payload};
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

/// Gives the words of a line: the function of a `flat_map`.
#[oxflow::function]
pub fn words(message: &Message<Line>) -> Vec<Word> {
    let word = |text: &str| Word {
        text: text.to_owned(),
        letters: text.chars().count() as u64,
    };
    message
        .payload()
        .text
        .split_whitespace()
        .map(word)
        .collect()
}

/// Keeps words of more than three letters: the function of a `filter`.
#[oxflow::function]
pub fn is_long(message: &Message<Word>) -> bool {
    message.payload().letters > 3
}

/// Writes a word in capitals: the function of a `map`.
#[oxflow::function]
pub fn capitals(message: Message<Word>) -> Word {
    let (word, _) = message.take();
    Word {
        text: word.text.to_uppercase(),
        ..word
    }
}

oxflow::main_function!();
oxflow::module!(my_steps);

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, letters: u64) -> Message<Word> {
        Message::new(Word {
            text: text.to_owned(),
            letters,
        })
    }

    #[test]
    fn a_line_becomes_its_words() {
        let line = Message::new(Line {
            text: "an  ox".to_owned(),
        });
        let found: Vec<_> = words(&line).into_iter().map(|word| word.text).collect();
        assert_eq!(["an", "ox"], found.as_slice());
    }

    #[test]
    fn short_words_are_left_out() {
        assert!(is_long(&word("oxen", 4)));
        assert!(!is_long(&word("cow", 3)));
    }

    #[test]
    fn capitals_change_nothing_but_the_text() {
        assert_eq!(word("OXEN", 4).payload(), &capitals(word("oxen", 4)));
    }
}
