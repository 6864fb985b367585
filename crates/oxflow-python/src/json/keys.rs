//! Keys of JSON objects as Python strings that are made once.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::PyString;

/// Keys that are kept; input with ever new keys must not fill the memory.
const MOST: usize = 1024;
/// A longer text is no name of a field.
const LONGEST: usize = 64;

/// The keys that were met. Messages of one kind have the same keys in the same order, so that the key that followed last time
/// is compared first, and most keys cost neither a search for their end nor a look-up.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    known: Vec<Known>,
    numbers: HashMap<Box<str>, usize>,
    last: usize,
}

#[derive(Debug)]
struct Known {
    /// As it stands in JSON: in quotes, with its colon.
    written: Box<[u8]>,
    object: Py<PyString>,
    /// Number of the key that came after this one.
    next: usize,
}

/// A key of an object that is being read.
pub(crate) enum Key<'py> {
    /// Number of one that is kept.
    Known(usize),
    /// One that is not.
    New(Bound<'py, PyString>),
}

impl Keys {
    /// The key that is expected, if that is what `json` begins with, and what comes after it there.
    pub(super) fn expected<'a>(&mut self, json: &'a [u8]) -> Option<(usize, &'a [u8])> {
        let guess = self.known.get(self.last)?.next;
        let rest = json.strip_prefix(&*self.known.get(guess)?.written)?;
        self.last = guess;
        Some((guess, rest))
    }

    /// A key of a dictionary as it is written, with its colon, if it is kept.
    pub(super) fn written(&mut self, key: &Bound<'_, PyString>) -> Option<&[u8]> {
        let guess = self.known.get(self.last).map(|last| last.next);
        let is_it = |guess: &usize| self.known.get(*guess).is_some_and(|known| known.object.is(key));
        let number = match guess.filter(is_it) {
            Some(guess) => guess,
            None => match self.look_up(key.py(), key.to_str().ok()?) {
                Key::Known(number) => number,
                Key::New(_) => return None,
            },
        };
        self.last = number;
        self.known.get(number).map(|known| &*known.written)
    }

    /// Any other key.
    pub(crate) fn look_up<'py>(&mut self, py: Python<'py>, text: &str) -> Key<'py> {
        let number = self.numbers.get(text).copied().or_else(|| self.learn(py, text));
        let Some(number) = number else { return Key::New(PyString::new(py, text)) };
        if let Some(last) = self.known.get_mut(self.last) {
            last.next = number;
        }
        self.last = number;
        Key::Known(number)
    }

    /// The key with this number.
    pub(crate) fn object<'py>(&self, py: Python<'py>, number: usize) -> Option<&Bound<'py, PyString>> {
        self.known.get(number).map(|known| known.object.bind(py))
    }

    /// Keeps a key, if there is room for it and it is written as it is.
    fn learn(&mut self, py: Python<'_>, text: &str) -> Option<usize> {
        let number = self.known.len();
        let is_escaped = |letter| matches!(letter, '\0'..' ' | '"' | '\\');
        if number >= MOST || text.len() > LONGEST || text.contains(is_escaped) {
            return None;
        }
        // Interned, as the names in a user's code are: then finding the key in the dictionary compares no text.
        let object = PyString::intern(py, text).unbind();
        self.known.push(Known { written: format!("\"{text}\":").into_bytes().into(), object, next: 0 });
        self.numbers.insert(text.into(), number);
        Some(number)
    }
}
