//! JSON as Python objects.
//!
//! Two readers with one opinion: jiter decides what is JSON and says what is wrong with the rest. The reader here is for the
//! usual message, in which keys come as they came before and strings need no unescaping; what surprises it, it leaves to
//! jiter, from the beginning.

use std::borrow::Cow;

use jiter::{NumberAny, PythonParse, StringCacheMode};
use memchr::memchr2;
use oxflow::codec::json::reworded;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString};

use super::keys::Keys;

/// Values in values that are read here; jiter has a limit of its own.
const DEPTH: usize = 100;
/// Digits of an integer that can't be too large for an `i64`.
const SHORT_INTEGER: usize = 18;

/// Reads strict JSON: UTF-8, no `NaN`, no infinity; of a key that comes twice the last counts.
pub(crate) fn read<'py>(py: Python<'py>, json: &[u8], keys: &mut Keys) -> PyResult<Bound<'py, PyAny>> {
    let usual = is_usual(json).then(|| Reader { py, keys, json, place: 0 }.whole()).flatten();
    usual.map_or_else(|| any(py, json), Ok)
}

fn any<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let parse = PythonParse { cache_mode: StringCacheMode::Keys, ..PythonParse::default() };
    parse.python_parse(py, json).map_err(|error| {
        PyValueError::new_err(match std::str::from_utf8(json) {
            Ok(_) => {
                // From 1, as Rust types count.
                let byte = (error.index + 1).min(json.len());
                format!("not JSON: {} at byte {byte}", reworded(&error.error_type.to_string(), json, byte))
            }
            Err(error) => format!("not UTF-8 at byte {}", error.valid_up_to() + 1),
        })
    })
}

/// Whether there are no control characters. Asked once for the whole, so that no string in it has to be looked through again.
fn is_usual(json: &[u8]) -> bool {
    // All bytes, without an early way out: so the compiler takes many at a time.
    json.iter().fold(u8::MAX, |least, byte| least.min(*byte)) >= b' '
}

/// A pass through JSON; a method gives `None` where it meets what it doesn't know.
struct Reader<'a, 'py> {
    py: Python<'py>,
    keys: &'a mut Keys,
    json: &'a [u8],
    place: usize,
}

impl<'a, 'py> Reader<'a, 'py> {
    fn whole(mut self) -> Option<Bound<'py, PyAny>> {
        let value = self.value(DEPTH)?;
        self.blanks();
        self.rest().is_empty().then_some(value)
    }

    fn value(&mut self, depth: usize) -> Option<Bound<'py, PyAny>> {
        self.blanks();
        match self.rest().first()? {
            // Python decodes UTF-8 and refuses what isn't.
            b'"' => PyString::from_bytes(self.py, &self.string()?).ok().map(Bound::into_any),
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.array(depth.checked_sub(1)?),
            b't' => self.word("true").map(|()| PyBool::new(self.py, true).to_owned().into_any()),
            b'f' => self.word("false").map(|()| PyBool::new(self.py, false).to_owned().into_any()),
            b'n' => self.word("null").map(|()| self.py.None().into_bound(self.py)),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Bound<'py, PyAny>> {
        let dict = PyDict::new(self.py);
        self.place += 1;
        self.blanks();
        if self.takes(b'}') {
            return Some(dict.into_any());
        }
        loop {
            self.blanks();
            let key = self.key()?;
            let value = self.value(depth)?;
            dict.set_item(key, value).ok()?;
            self.blanks();
            if !self.takes(b',') {
                return self.takes(b'}').then(|| dict.into_any());
            }
        }
    }

    fn key(&mut self) -> Option<Bound<'py, PyString>> {
        let bytes = self.rest();
        if let Some((key, length)) = self.keys.expected(self.py, bytes) {
            self.place += length;
            return Some(key);
        }
        if bytes.first() != Some(&b'"') {
            return None;
        }
        let text = self.string()?;
        self.blanks();
        if !self.takes(b':') {
            return None;
        }
        std::str::from_utf8(&text).ok().map(|text| self.keys.look_up(self.py, text))
    }

    fn array(&mut self, depth: usize) -> Option<Bound<'py, PyAny>> {
        let mut items = Vec::with_capacity(8);
        self.place += 1;
        self.blanks();
        if !self.takes(b']') {
            loop {
                items.push(self.value(depth)?);
                self.blanks();
                if !self.takes(b',') {
                    break;
                }
            }
            if !self.takes(b']') {
                return None;
            }
        }
        PyList::new(self.py, items).ok().map(Bound::into_any)
    }

    /// A string; it begins here.
    fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        let quoted = self.rest();
        let inside = quoted.get(1..)?;
        let length = memchr2(b'"', b'\\', inside)?;
        if inside.get(length) == Some(&b'"') {
            self.place += length + 2;
            return inside.get(..length).map(Cow::Borrowed);
        }
        let end = 1 + length + end_of_string(inside.get(length..)?)? + 1;
        self.place += end;
        let text: String = serde_json::from_slice(quoted.get(..end)?).ok()?;
        Some(Cow::Owned(text.into_bytes()))
    }

    fn number(&mut self) -> Option<Bound<'py, PyAny>> {
        let bytes = self.rest();
        let negative = usize::from(bytes.first() == Some(&b'-'));
        let digits = bytes.get(negative..)?;
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let plain = !matches!(digits.get(length), Some(b'.' | b'e' | b'E'));
        // A leading zero is jiter's business.
        if plain && (1..=SHORT_INTEGER).contains(&length) && digits.first() != Some(&b'0') {
            self.place += negative + length;
            let number = digits.iter().take(length).fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
            let number = if negative == 1 { -number } else { number };
            return number.into_pyobject(self.py).ok().map(Bound::into_any);
        }
        let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let written = bytes.get(..bytes.iter().take_while(is_part).count())?;
        self.place += written.len();
        NumberAny::from_bytes(written, false).ok()?.into_pyobject(self.py).ok()
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.rest().starts_with(word.as_bytes()).then(|| self.place += word.len())
    }

    fn takes(&mut self, byte: u8) -> bool {
        let there = self.rest().first() == Some(&byte);
        self.place += usize::from(there);
        there
    }

    fn blanks(&mut self) {
        while self.rest().first() == Some(&b' ') {
            self.place += 1;
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.json.get(self.place..).unwrap_or_default()
    }
}

/// Where the quote is that ends a string, in what begins with a backslash.
fn end_of_string(bytes: &[u8]) -> Option<usize> {
    let mut place = 0;
    loop {
        place += memchr2(b'"', b'\\', bytes.get(place..)?)?;
        if bytes.get(place) == Some(&b'"') {
            return Some(place);
        }
        place += 2;
    }
}
