//! Keys of dictionaries as Python strings that are made once.

use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::Mutex;

/// Keys that are kept, a power of two; of two that want one place the later one has it.
const PLACES: usize = 512;
/// A longer text is no name of a field.
const LONGEST: usize = 64;

/// The keys that were met.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Option<Known>>);

#[derive(Debug)]
struct Known {
    text: Box<str>,
    object: Py<PyString>,
}

/// Those that nobody uses at the moment.
static SPARE: Mutex<Vec<Names>> = Mutex::new(Vec::new());
/// So many are kept.
const MOST_SPARE: usize = 16;

impl Names {
    /// Those that somebody used before, or none yet.
    pub(super) fn borrowed() -> Self {
        // Never waited for: after a fork nobody might be there who opens the lock.
        SPARE.try_lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default()
    }

    /// Leaves them to whoever comes next.
    pub(super) fn give_back(self) {
        if let Ok(mut spare) = SPARE.try_lock()
            && spare.len() < MOST_SPARE
        {
            spare.push(self);
        }
    }

    /// The key of this text.
    #[inline]
    pub(super) fn key<'py>(&mut self, py: Python<'py>, text: &str) -> Bound<'py, PyString> {
        match self.0.get(place(text)) {
            Some(Some(known)) if *known.text == *text => known.object.bind(py).clone(),
            _ => self.learn(py, text),
        }
    }

    #[cold]
    fn learn<'py>(&mut self, py: Python<'py>, text: &str) -> Bound<'py, PyString> {
        let object = PyString::new(py, text);
        if text.len() <= LONGEST {
            self.0.resize_with(PLACES, || None);
            if let Some(known) = self.0.get_mut(place(text)) {
                *known = Some(Known { text: text.into(), object: object.clone().unbind() });
            }
        }
        object
    }
}

/// By the length and both ends of a text, which tell names apart well enough.
#[inline]
fn place(text: &str) -> usize {
    let bytes = text.as_bytes();
    let end = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes));
    let (first, last) = match bytes.len() {
        8.. => (end(bytes.first_chunk()), end(bytes.last_chunk())),
        _ => (bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), 0),
    };
    let mixed = (first ^ last.rotate_left(23) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 48) as usize % PLACES
}
