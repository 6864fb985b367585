//! What the objects of a class are to JSON: an enum's member, or a record whose attributes are its fields.
//!
//! The Python package knows the kinds of classes; it is asked once for each class.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList, PyString, PyType};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// What is known of a class.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    /// The package reads its objects, by rules that aren't known here.
    Unknown,
    /// Its objects stand for their `value`.
    Enum,
    /// Its objects have fields.
    Record(Arc<Record>),
}

/// The fields of a class.
#[derive(Debug)]
pub(super) struct Record {
    /// Attribute and name of each.
    pub(super) fields: Vec<(Py<PyString>, Py<PyString>)>,
    /// Whether what it holds follows the rules of `msgspec`.
    pub(super) of_msgspec: bool,
}

/// Classes that are remembered; a program that makes ever new ones must not fill the memory.
const MOST: usize = 256;

type Classes = HashMap<usize, (Py<PyType>, Layout)>;

impl Layout {
    /// What is known of the class of an object.
    pub(super) fn of(object: &Bound<'_, PyAny>) -> Self {
        static CLASSES: Mutex<Option<Classes>> = Mutex::new(None);
        // Never waited for: who holds the lock may wait for the interpreter.
        let Ok(mut classes) = CLASSES.try_lock() else {
            return Self::asked(&object.get_type()).unwrap_or(Self::Unknown);
        };
        let (classes, class) = (classes.get_or_insert_default(), object.get_type());
        if let Some((_, layout)) = classes.get(&(class.as_ptr() as usize)) {
            return layout.clone();
        }
        let layout = Self::asked(&class).unwrap_or(Self::Unknown);
        if classes.len() >= MOST {
            classes.clear();
        }
        // The class is held, so that no other one comes to lie where it is.
        classes.insert(class.as_ptr() as usize, (class.unbind(), layout.clone()));
        layout
    }

    fn asked(class: &Bound<'_, PyType>) -> PyResult<Self> {
        let answer = class.py().import("oxflow._records")?.call_method1("layout_of", (class,))?;
        if answer.is_none() {
            return Ok(Self::Unknown);
        }
        if answer.is_exact_instance_of::<PyBool>() {
            return Ok(Self::Enum);
        }
        let (of_msgspec, fields): (bool, Bound<'_, PyList>) = answer.extract()?;
        let fields = fields.iter().map(|field| Record::field(&field)).collect::<PyResult<_>>()?;
        Ok(Self::Record(Arc::new(Record { fields, of_msgspec })))
    }
}

impl Record {
    fn field(field: &Bound<'_, PyAny>) -> PyResult<(Py<PyString>, Py<PyString>)> {
        let (attribute, name): (Bound<'_, PyString>, Bound<'_, PyString>) = field.extract()?;
        // As the names of attributes are: then finding one compares no text.
        let interned =
            |text: Bound<'_, PyString>| text.to_str().map(|text| PyString::intern(field.py(), text).unbind());
        Ok((interned(attribute)?, interned(name)?))
    }
}
