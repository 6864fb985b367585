//! The shape that parsed JSON must have, compiled once from a Python annotation.
//!
//! `oxflow._convert` reads the annotation and writes a table of parts; parts name each other by their number, so that a record
//! may contain itself.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

/// What a value must be.
#[derive(Debug)]
pub(super) enum Part {
    /// Anything.
    Any,
    /// Of exactly this type: parsed JSON holds no subclasses, and `bool` would pass as `int`.
    Exactly { name: String, class: Py<PyType> },
    /// A `float` or an `int`, which stays one.
    Number,
    /// A `float`; an `int` becomes one.
    Float,
    /// One of some values, found by type and value.
    OneOf { what: String, members: Py<PyDict> },
    /// A list.
    List { item: usize },
    /// A list that becomes a tuple of any length.
    Tuple { item: usize },
    /// A list that becomes a tuple of these.
    Items { name: String, items: Vec<usize> },
    /// A dictionary.
    Dict { item: usize },
    /// The first that fits; `only` is the one beside `None`.
    Union { name: String, members: Vec<usize>, only: Option<usize> },
    /// A dictionary with these fields, of which `class` makes an object.
    Record { name: String, fields: Vec<Field>, class: Option<Py<PyAny>> },
    /// What a function of another library makes of it.
    Convert { convert: Py<PyAny> },
}

/// A field of a record.
#[derive(Debug)]
pub(super) struct Field {
    /// In JSON.
    pub(super) name: Py<PyString>,
    /// In Python.
    pub(super) attribute: Py<PyString>,
    pub(super) required: bool,
    pub(super) part: usize,
}

/// All parts of a type.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(super) parts: Vec<Part>,
    pub(super) root: usize,
    /// Whether a value that fits may be replaced by another one.
    pub(super) replaces: bool,
}

impl Shape {
    /// Reads the table: a tuple for each part, which begins with its kind.
    pub(crate) fn new(parts: &[Bound<'_, PyTuple>], root: usize) -> PyResult<Self> {
        let parts: Vec<Part> = parts.iter().map(part).collect::<PyResult<_>>()?;
        let replaces = parts.iter().any(Part::replaces);
        Ok(Self { parts, root, replaces })
    }
}

impl Part {
    /// `OneOf` does only where a member isn't the plain value, as that of an enum.
    fn replaces(&self) -> bool {
        match self {
            Self::Any
            | Self::Exactly { .. }
            | Self::Number
            | Self::List { .. }
            | Self::Dict { .. }
            | Self::Union { .. } => false,
            Self::Record { class, .. } => class.is_some(),
            Self::Float | Self::OneOf { .. } | Self::Tuple { .. } | Self::Items { .. } | Self::Convert { .. } => true,
        }
    }
}

fn part(given: &Bound<'_, PyTuple>) -> PyResult<Part> {
    let kind: String = given.get_item(0)?.extract()?;
    let rest = given.get_slice(1, given.len());
    Ok(match kind.as_str() {
        "any" => Part::Any,
        "number" => Part::Number,
        "float" => Part::Float,
        "exactly" => {
            let (name, class) = rest.extract()?;
            Part::Exactly { name, class }
        }
        "one_of" => {
            let (what, members) = rest.extract()?;
            Part::OneOf { what, members }
        }
        "list" => Part::List { item: rest.get_item(0)?.extract()? },
        "tuple" => Part::Tuple { item: rest.get_item(0)?.extract()? },
        "dict" => Part::Dict { item: rest.get_item(0)?.extract()? },
        "items" => {
            let (name, items) = rest.extract()?;
            Part::Items { name, items }
        }
        "union" => {
            let (name, members, only) = rest.extract()?;
            Part::Union { name, members, only }
        }
        "record" => {
            let (name, fields, class): (String, Vec<Bound<'_, PyTuple>>, _) = rest.extract()?;
            Part::Record { name, fields: fields.iter().map(field).collect::<PyResult<_>>()?, class }
        }
        "convert" => Part::Convert { convert: rest.get_item(0)?.unbind() },
        _ => return Err(PyValueError::new_err(format!("`{kind}` is no part of a shape"))),
    })
}

fn field(given: &Bound<'_, PyTuple>) -> PyResult<Field> {
    let (name, attribute, required, part): (Bound<'_, PyString>, Bound<'_, PyString>, bool, usize) = given.extract()?;
    let interned = |text: &Bound<'_, PyString>| text.to_str().map(|text| PyString::intern(given.py(), text).unbind());
    Ok(Field { name: interned(&name)?, attribute: interned(&attribute)?, required, part })
}
