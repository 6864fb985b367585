//! Msgpack as Python objects.

use oxflow::codec::msgpack::{Broken, Reader, Token};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyList, PyString};

use crate::json::{Key, Keys};

/// Values in values that are read.
const DEPTH: usize = 100;
/// Items of a list that there is room for at first, whatever a message says.
const ROOM: usize = 64;

/// Reads one value; anything after it is an error.
pub(super) fn read<'py>(py: Python<'py>, bytes: &[u8], keys: &mut Keys) -> PyResult<Bound<'py, PyAny>> {
    let mut pass = Pass { py, tokens: Reader::new(bytes), keys };
    let value = pass.value(DEPTH).and_then(|value| match pass.tokens.left() {
        0 => Ok(value),
        _ => Err(Stopped::More),
    });
    value.map_err(|stopped| match stopped {
        Stopped::Raised(error) => error,
        Stopped::More => {
            let byte = bytes.len() - pass.tokens.left() + 1;
            PyValueError::new_err(format!("msgpack: something comes after the value at byte {byte}"))
        }
        Stopped::Wrong(reason) => PyValueError::new_err(format!("msgpack: {reason} at byte {}", pass.tokens.byte())),
    })
}

/// Why a message is not read to its end.
enum Stopped {
    Wrong(String),
    /// The value isn't all.
    More,
    Raised(PyErr),
}

impl From<Broken> for Stopped {
    fn from(broken: Broken) -> Self {
        Self::Wrong(broken.to_string())
    }
}

impl From<PyErr> for Stopped {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

/// A pass through a message.
struct Pass<'a, 'py> {
    py: Python<'py>,
    tokens: Reader<'a>,
    keys: &'a mut Keys,
}

impl<'py> Pass<'_, 'py> {
    fn value(&mut self, depth: usize) -> Result<Bound<'py, PyAny>, Stopped> {
        let py = self.py;
        Ok(match self.tokens.token()? {
            Token::Nil => py.None().into_bound(py),
            Token::Bool(truth) => PyBool::new(py, truth).to_owned().into_any(),
            Token::Unsigned(number) => number.into_pyobject(py).map_err(PyErr::from)?.into_any(),
            Token::Signed(number) => number.into_pyobject(py).map_err(PyErr::from)?.into_any(),
            Token::Single(number) => PyFloat::new(py, number.into()).into_any(),
            Token::Float(number) => PyFloat::new(py, number).into_any(),
            Token::Text(text) => PyString::new(py, text).into_any(),
            Token::Binary(bytes) => PyBytes::new(py, bytes).into_any(),
            Token::List(length) => self.list(length, inside(depth)?)?,
            Token::Map(length) => self.map(length, inside(depth)?)?,
            Token::Extension(-1) => return Err(Stopped::Wrong("a timestamp, which no payload can be".to_owned())),
            Token::Extension(_) => return Err(Stopped::Wrong("an extension type, which no payload can be".to_owned())),
        })
    }

    fn list(&mut self, length: u32, depth: usize) -> Result<Bound<'py, PyAny>, Stopped> {
        let mut items = Vec::with_capacity(ROOM.min(length as usize));
        for _ in 0..length {
            items.push(self.value(depth)?);
        }
        Ok(PyList::new(self.py, items)?.into_any())
    }

    fn map(&mut self, length: u32, depth: usize) -> Result<Bound<'py, PyAny>, Stopped> {
        let dict = PyDict::new(self.py);
        for _ in 0..length {
            let Token::Text(text) = self.tokens.token()? else {
                return Err(Stopped::Wrong("a key that is no text".to_owned()));
            };
            let key = self.keys.look_up(self.py, text);
            let value = self.value(depth)?;
            match &key {
                Key::Known(number) => dict.set_item(self.keys.object(self.py, *number), value)?,
                Key::New(key) => dict.set_item(key, value)?,
            }
        }
        Ok(dict.into_any())
    }
}

fn inside(depth: usize) -> Result<usize, Stopped> {
    depth.checked_sub(1).ok_or_else(|| Stopped::Wrong("values lie too deep in each other".to_owned()))
}
