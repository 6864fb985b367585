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
use pyo3::types::{PyBool, PyDict, PyFloat, PyList, PyString};

use super::keys::{Key, Keys};

/// Values in values that are read here; jiter has a limit of its own.
const DEPTH: usize = 100;
/// Digits of an integer that can't be too large for an `i64`.
const SHORT_INTEGER: usize = 18;
/// Items of a list that there is room for at first.
const ROOM: usize = 64;

/// Reads strict JSON: UTF-8, no `NaN`, no infinity; of a key that comes twice the last counts.
pub(crate) fn read<'py>(py: Python<'py>, json: &[u8], keys: &mut Keys) -> PyResult<Bound<'py, PyAny>> {
    let usual = is_usual(json).then(|| Reader::new(py, keys, json).whole()).flatten();
    usual.map_or_else(|| any(py, json), Ok)
}

fn any<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let parse = PythonParse { cache_mode: StringCacheMode::Keys, ..PythonParse::default() };
    let value = parse.python_parse(py, json).map_err(|error| {
        PyValueError::new_err(match std::str::from_utf8(json) {
            Ok(_) => {
                // From 1, as Rust types count.
                let byte = (error.index + 1).min(json.len());
                format!("not JSON: {} at byte {byte}", reworded(&error.error_type.to_string(), json, byte))
            }
            Err(error) => format!("not UTF-8 at byte {}", error.valid_up_to() + 1),
        })
    })?;
    if is_finite(&value) { Ok(value) } else { Err(PyValueError::new_err("not JSON: number out of range")) }
}

/// Whether no number was too large: such a one becomes an infinity, for which JSON has no other way.
fn is_finite(value: &Bound<'_, PyAny>) -> bool {
    if let Ok(dict) = value.cast_exact::<PyDict>() {
        return dict.iter().all(|(_, value)| is_finite(&value));
    }
    if let Ok(list) = value.cast_exact::<PyList>() {
        return list.iter().all(|value| is_finite(&value));
    }
    value.cast_exact::<PyFloat>().map_or(true, |number| number.value().is_finite())
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
    rest: &'a [u8],
    /// Items of the lists that are open, the innermost last.
    items: Vec<Bound<'py, PyAny>>,
}

impl<'a, 'py> Reader<'a, 'py> {
    fn new(py: Python<'py>, keys: &'a mut Keys, json: &'a [u8]) -> Self {
        Self { py, keys, rest: json, items: Vec::new() }
    }

    fn whole(mut self) -> Option<Bound<'py, PyAny>> {
        let value = self.value(DEPTH)?;
        self.blanks();
        self.rest.is_empty().then_some(value)
    }

    fn value(&mut self, depth: usize) -> Option<Bound<'py, PyAny>> {
        self.blanks();
        match self.rest.first()? {
            // Python decodes UTF-8 and refuses what isn't.
            b'"' => PyString::from_bytes(self.py, &self.string()?).ok().map(Bound::into_any),
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.array(depth.checked_sub(1)?),
            b't' => self.word(b"true").map(|()| PyBool::new(self.py, true).to_owned().into_any()),
            b'f' => self.word(b"false").map(|()| PyBool::new(self.py, false).to_owned().into_any()),
            b'n' => self.word(b"null").map(|()| self.py.None().into_bound(self.py)),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Bound<'py, PyAny>> {
        let dict = PyDict::new(self.py);
        self.word(b"{")?;
        self.blanks();
        if self.takes(b'}') {
            return Some(dict.into_any());
        }
        loop {
            self.blanks();
            let key = self.key()?;
            let value = self.value(depth)?;
            match &key {
                Key::Known(number) => dict.set_item(self.keys.object(self.py, *number)?, value).ok()?,
                Key::New(key) => dict.set_item(key, value).ok()?,
            }
            self.blanks();
            if !self.takes(b',') {
                return self.takes(b'}').then(|| dict.into_any());
            }
        }
    }

    fn key(&mut self) -> Option<Key<'py>> {
        if let Some((number, rest)) = self.keys.expected(self.rest) {
            self.rest = rest;
            return Some(Key::Known(number));
        }
        if self.rest.first() != Some(&b'"') {
            return None;
        }
        let text = self.string()?;
        self.blanks();
        self.word(b":")?;
        std::str::from_utf8(&text).ok().map(|text| self.keys.look_up(self.py, text))
    }

    fn array(&mut self, depth: usize) -> Option<Bound<'py, PyAny>> {
        let start = self.items.len();
        self.word(b"[")?;
        self.blanks();
        if !self.takes(b']') {
            self.items.reserve(ROOM);
            loop {
                let item = self.value(depth)?;
                self.items.push(item);
                self.blanks();
                if !self.takes(b',') {
                    break;
                }
            }
            self.word(b"]")?;
        }
        PyList::new(self.py, self.items.drain(start..)).ok().map(Bound::into_any)
    }

    /// A string; it begins here.
    fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        let quoted = self.rest;
        let inside = quoted.get(1..)?;
        let length = memchr2(b'"', b'\\', inside)?;
        let (text, rest) = inside.split_at_checked(length)?;
        if let [b'"', rest @ ..] = rest {
            self.rest = rest;
            return Some(Cow::Borrowed(text));
        }
        let (quoted, rest) = quoted.split_at_checked(1 + length + end_of_string(rest)? + 1)?;
        self.rest = rest;
        let text: String = serde_json::from_slice(quoted).ok()?;
        Some(Cow::Owned(text.into_bytes()))
    }

    fn number(&mut self) -> Option<Bound<'py, PyAny>> {
        let (negative, digits) = match self.rest {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let (mut number, mut rest) = (0_i64, digits);
        while let [byte @ b'0'..=b'9', others @ ..] = rest {
            // Wraps where there are more digits than are used.
            number = number.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
            rest = others;
        }
        let plain = !matches!(rest, [b'.' | b'e' | b'E', ..]);
        let length = digits.len() - rest.len();
        // A leading zero is jiter's business.
        if plain && (1..=SHORT_INTEGER).contains(&length) && digits.first() != Some(&b'0') {
            self.rest = rest;
            let number = if negative { -number } else { number };
            return number.into_pyobject(self.py).ok().map(Bound::into_any);
        }
        self.other_number()
    }

    /// A float, an integer that is long, or no number.
    fn other_number(&mut self) -> Option<Bound<'py, PyAny>> {
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = self.rest.iter().position(|byte| !is_part(byte)).unwrap_or(self.rest.len());
        let (written, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        let number = NumberAny::from_bytes(written, false).ok()?;
        let too_large = matches!(number, NumberAny::Float(number) if number.is_infinite());
        if too_large { None } else { number.into_pyobject(self.py).ok() }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    fn takes(&mut self, byte: u8) -> bool {
        let there = self.rest.strip_prefix(&[byte]);
        self.rest = there.unwrap_or(self.rest);
        there.is_some()
    }

    fn blanks(&mut self) {
        while let [b' ', rest @ ..] = self.rest {
            self.rest = rest;
        }
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
