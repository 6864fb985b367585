//! Where the fields of tasks and offers are in the users' own objects.
//!
//! A path is `resources.cpu`: each part is a key of a dictionary or an attribute of anything else. Most objects have none of the fields
//! that may be absent, and to be told so by an `AttributeError` costs more than all the rest: so the class is asked once which it
//! has, and the object's own dictionary is looked into.

use std::collections::HashMap;

use pyo3::exceptions::{PyAttributeError, PyKeyError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

/// A path to a field.
pub(super) struct Path {
    parts: Vec<Py<PyString>>,
    text: String,
}

impl Path {
    pub(super) fn new(py: Python<'_>, text: &str) -> Self {
        let parts = text.split('.').map(|part| PyString::intern(py, part).unbind()).collect();
        Self { parts, text: text.to_owned() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What is there; `None` if there is nothing.
    pub(super) fn get<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut found: Option<Bound<'py, PyAny>> = None;
        for part in &self.parts {
            let part = part.bind(object.py());
            let next = step(found.as_ref().unwrap_or(object), part)?;
            match next {
                Some(next) => found = Some(next),
                None => return Ok(None),
            }
        }
        Ok(found)
    }

    /// The first part, in which an object must have something if there is anything at the end of the path.
    fn first<'a, 'py>(&'a self, py: Python<'py>) -> Option<&'a Bound<'py, PyString>> {
        self.parts.first().map(|part| part.bind(py))
    }
}

fn step<'py>(object: &Bound<'py, PyAny>, part: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Ok(dictionary) = object.cast::<PyDict>() {
        return dictionary.get_item(part);
    }
    match object.getattr(part) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_instance_of::<PyAttributeError>(object.py()) => item(object, part),
        Err(error) => Err(error),
    }
}

/// Other mappings.
fn item<'py>(object: &Bound<'py, PyAny>, part: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    if !object.hasattr(pyo3::intern!(object.py(), "keys"))? {
        return Ok(None);
    }
    match object.get_item(part) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_instance_of::<PyKeyError>(object.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is known of a class.
struct Class {
    /// Its objects may have fields of which the class says nothing.
    has_dictionary: bool,
    /// Only the object itself can tell.
    is_dynamic: bool,
    /// Which of the fields the class has.
    has: Vec<bool>,
}

/// Fields that an object need not have.
pub(super) struct Optional {
    paths: Vec<Path>,
    /// How many keys a dictionary has at least: one of no more has none of these fields.
    required: usize,
    classes: HashMap<usize, Class>,
    /// Classes that were asked live as long as what is known of them.
    kept: Vec<Py<PyType>>,
}

impl Optional {
    pub(super) fn new(paths: Vec<Path>, required: usize) -> Self {
        Self { paths, required, classes: HashMap::new(), kept: Vec::new() }
    }

    /// Calls with the number and value of each field that is there and not `None`.
    pub(super) fn each<'py, E: From<PyErr>>(
        &mut self,
        object: &Bound<'py, PyAny>,
        mut call: impl FnMut(usize, &Bound<'py, PyAny>) -> Result<(), E>,
    ) -> Result<(), E> {
        let py = object.py();
        if let Ok(dictionary) = object.cast::<PyDict>() {
            if dictionary.len() <= self.required {
                return Ok(());
            }
            for (number, path) in self.paths.iter().enumerate() {
                if let Some(value) = path.get(object)?.filter(|value| !value.is_none()) {
                    call(number, &value)?;
                }
            }
            return Ok(());
        }
        let class = self.class(object)?;
        let looks = class.has_dictionary && !class.is_dynamic;
        let dictionary = looks.then(|| object.getattr(pyo3::intern!(py, "__dict__"))).transpose()?;
        let own = dictionary.as_ref().and_then(|dictionary| dictionary.cast::<PyDict>().ok());
        for (number, path) in self.paths.iter().enumerate() {
            let class = self.classes.get(&(object.get_type().as_ptr() as usize));
            let maybe = class.is_none_or(|class| class.is_dynamic || class.has.get(number).copied().unwrap_or(true));
            let there = maybe
                || match (own, path.first(py)) {
                    (Some(own), Some(first)) => own.contains(first)?,
                    _ => false,
                };
            if there && let Some(value) = path.get(object)?.filter(|value| !value.is_none()) {
                call(number, &value)?;
            }
        }
        Ok(())
    }

    fn class(&mut self, object: &Bound<'_, PyAny>) -> PyResult<&Class> {
        let class = object.get_type();
        let key = class.as_ptr() as usize;
        if !self.classes.contains_key(&key) {
            let known = self.look(&class)?;
            self.classes.insert(key, known);
            self.kept.push(class.unbind());
        }
        self.classes.get(&key).ok_or_else(|| PyKeyError::new_err("class"))
    }

    fn look(&self, class: &Bound<'_, PyType>) -> PyResult<Class> {
        let py = class.py();
        let object = py.get_type::<PyAny>();
        let reads = pyo3::intern!(py, "__getattribute__");
        let is_dynamic = class.hasattr(pyo3::intern!(py, "__getattr__"))?
            || class.hasattr(pyo3::intern!(py, "keys"))?
            || !class.getattr(reads)?.is(&object.getattr(reads)?);
        let has = |path: &Path| path.first(py).map_or(Ok(true), |first| class.hasattr(first));
        Ok(Class {
            has_dictionary: class.getattr(pyo3::intern!(py, "__dictoffset__"))?.extract::<isize>()? != 0,
            is_dynamic,
            has: self.paths.iter().map(has).collect::<PyResult<_>>()?,
        })
    }
}
