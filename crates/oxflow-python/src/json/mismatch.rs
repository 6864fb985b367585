//! What is wrong with a value, and where it lies.

use std::fmt;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyType;

/// Why a value is not what its type says. Made into text only when nobody catches it: a union tries one member after the
/// other.
#[derive(Debug)]
pub(super) enum Mismatch<'py, 'a> {
    Expected { name: &'a str, class: Bound<'py, PyType> },
    NotOneOf { what: &'a str, value: Bound<'py, PyAny> },
    Length { name: &'a str, length: usize },
    Missing,
    TooLarge,
    TooManyTries,
}

/// What keeps a value from being used.
#[derive(Debug)]
pub(super) enum Wrong<'py, 'a> {
    /// It is not of its type; with the way to it, the innermost place first.
    Mismatch(Mismatch<'py, 'a>, Vec<String>),
    /// A function of another library, or a class, refused it.
    Raised(PyErr),
}

impl<'py, 'a> Wrong<'py, 'a> {
    pub(super) fn expected(name: &'a str, value: &Bound<'py, PyAny>) -> Self {
        Mismatch::Expected { name, class: value.get_type() }.into()
    }

    /// The same, seen from the value that holds it.
    pub(super) fn below(mut self, place: impl FnOnce() -> String) -> Self {
        if let Self::Mismatch(_, path) = &mut self {
            path.push(place());
        }
        self
    }

    /// Whether it says that the value is wrong; any other exception is the function's own failure.
    pub(super) fn is_about_the_value(&self, py: Python<'_>) -> bool {
        match self {
            // Whoever tries on would try for ever.
            Self::Mismatch(mismatch, _) => !matches!(mismatch, Mismatch::TooManyTries),
            Self::Raised(error) => error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyTypeError>(py),
        }
    }
}

impl<'py, 'a> From<Mismatch<'py, 'a>> for Wrong<'py, 'a> {
    fn from(mismatch: Mismatch<'py, 'a>) -> Self {
        Self::Mismatch(mismatch, Vec::new())
    }
}

impl From<PyErr> for Wrong<'_, '_> {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl fmt::Display for Mismatch<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected { name, class } => write!(f, "expected `{name}`, got `{}`", spelled(class)),
            Self::NotOneOf { what, value } => {
                let shown = value.repr().map_or_else(|_| spelled(&value.get_type()), |text| text.to_string());
                write!(f, "expected {what}, got {shown}")
            }
            Self::Length { name, length } => write!(f, "expected `{name}`, got {length} items"),
            Self::Missing => f.write_str("field is missing"),
            Self::TooLarge => f.write_str("number too large for `float`"),
            Self::TooManyTries => f.write_str("there are too many ways to read its unions"),
        }
    }
}

impl fmt::Display for Wrong<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch(mismatch, path) if path.is_empty() => mismatch.fmt(f),
            Self::Mismatch(mismatch, path) => {
                let path: String = path.iter().rev().map(String::as_str).collect();
                write!(f, "`{}`: {mismatch}", path.strip_prefix('.').unwrap_or(&path))
            }
            Self::Raised(error) => error.fmt(f),
        }
    }
}

/// A type as a user would spell it.
fn spelled(class: &Bound<'_, PyType>) -> String {
    match class.qualname() {
        Ok(name) if name == "NoneType" => "None".to_owned(),
        Ok(name) => name.to_string(),
        Err(_) => "object".to_owned(),
    }
}
