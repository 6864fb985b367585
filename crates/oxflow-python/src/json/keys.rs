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

impl Keys {
    /// The key that is expected, if that is what `json` begins with, and the bytes that it takes there.
    pub(super) fn expected<'py>(&mut self, py: Python<'py>, json: &[u8]) -> Option<(Bound<'py, PyString>, usize)> {
        let guess = self.known.get(self.last)?.next;
        let known = self.known.get(guess).filter(|known| json.starts_with(&known.written))?;
        self.last = guess;
        Some((known.object.bind(py).clone(), known.written.len()))
    }

    /// Any other key.
    pub(super) fn look_up<'py>(&mut self, py: Python<'py>, text: &str) -> Bound<'py, PyString> {
        let number = self.numbers.get(text).copied().or_else(|| self.learn(py, text));
        let Some(number) = number else { return PyString::new(py, text) };
        if let Some(last) = self.known.get_mut(self.last) {
            last.next = number;
        }
        self.last = number;
        self.known.get(number).map_or_else(|| PyString::new(py, text), |known| known.object.bind(py).clone())
    }

    /// Keeps a key, if there is room for it and it is written as it is.
    fn learn(&mut self, py: Python<'_>, text: &str) -> Option<usize> {
        let number = self.known.len();
        if number >= MOST || text.len() > LONGEST || text.contains(['"', '\\']) {
            return None;
        }
        // Interned, as the names in a user's code are: then finding the key in the dictionary compares no text.
        let object = PyString::intern(py, text).unbind();
        self.known.push(Known { written: format!("\"{text}\":").into_bytes().into(), object, next: 0 });
        self.numbers.insert(text.into(), number);
        Some(number)
    }
}
