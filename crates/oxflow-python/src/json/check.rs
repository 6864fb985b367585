//! Checks parsed JSON against a shape, and makes records of it.
//!
//! A value that is right as it is costs nothing but the look at it. Where something in it is to be replaced, it is copied: where
//! it is one member of a union, the next one must see the value as it was.

use std::cell::Cell;

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyTuple};

use super::mismatch::{Mismatch, Wrong};
use super::shape::{Field, Part, Shape};

/// Members of unions that are tried for one message. Unions within unions are tried again for each member around them, which
/// a message of a few hundred bytes could make last for ever.
const MOST_TRIES: u32 = 10_000;

/// How many members of unions may still be tried.
struct Tries(Cell<u32>);

impl Tries {
    fn one_more(&self) -> Result<(), Mismatch<'static, 'static>> {
        let left = self.0.get().checked_sub(1).ok_or(Mismatch::TooManyTries)?;
        self.0.set(left);
        Ok(())
    }
}

/// The value to use instead, or nothing where the value stays as it is.
type Checked<'py, 'a> = Result<Option<Bound<'py, PyAny>>, Wrong<'py, 'a>>;

impl Shape {
    /// The value to use for a parsed one.
    pub(super) fn convert<'py>(&self, value: Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>, Wrong<'py, '_>> {
        Ok(self.check(self.root, &value, &Tries(Cell::new(MOST_TRIES)))?.unwrap_or(value))
    }

    fn check<'py, 'a>(&'a self, part: usize, value: &Bound<'py, PyAny>, tries: &Tries) -> Checked<'py, 'a> {
        match self.parts.get(part) {
            None | Some(Part::Any) => Ok(None),
            Some(Part::Exactly { name, class }) => {
                if value.get_type_ptr() == class.bind(value.py()).as_type_ptr() {
                    return Ok(None);
                }
                Err(Wrong::expected(name, value))
            }
            Some(Part::Number) => number(value).map(|()| None),
            Some(Part::Float) => float(value),
            Some(Part::OneOf { what, members }) => one_of(what, members.bind(value.py()), value),
            Some(Part::List { item }) => {
                let list = as_list(value)?;
                Ok(self
                    .items(*item, list, tries)?
                    .map(|items| PyList::new(value.py(), items))
                    .transpose()?
                    .map(Bound::into_any))
            }
            Some(Part::Tuple { item }) => {
                let list = as_list(value)?;
                let items = self
                    .items(*item, list, tries)?
                    .map_or_else(|| Ok(list.to_tuple()), |items| PyTuple::new(value.py(), items));
                Ok(Some(items?.into_any()))
            }
            Some(Part::Items { name, items }) => self.tuple(name, items, value, tries).map(Some),
            Some(Part::Dict { item }) => self.dict(*item, value, tries),
            Some(Part::Union { name, members, only }) => self.union(name, members, *only, value, tries),
            Some(Part::Record { name, fields, class }) => self.record(name, fields, class.as_ref(), value, tries),
            Some(Part::Convert { convert }) => Ok(Some(convert.bind(value.py()).call1((value,))?)),
        }
    }

    /// The items of a list, if one of them is to be replaced.
    fn items<'py, 'a>(
        &'a self,
        item: usize,
        list: &Bound<'py, PyList>,
        tries: &Tries,
    ) -> Result<Option<Vec<Bound<'py, PyAny>>>, Wrong<'py, 'a>> {
        let mut replaced: Option<Vec<Bound<'py, PyAny>>> = None;
        if self.takes_anything(item) {
            return Ok(None);
        }
        for (index, value) in list.iter().enumerate() {
            let checked = self.check(item, &value, tries).map_err(|wrong| wrong.below(|| format!("[{index}]")))?;
            if let Some(new) = checked {
                let items = replaced.get_or_insert_with(|| list.iter().collect());
                if let Some(old) = items.get_mut(index) {
                    *old = new;
                }
            }
        }
        Ok(replaced)
    }

    fn takes_anything(&self, part: usize) -> bool {
        matches!(self.parts.get(part), None | Some(Part::Any))
    }

    fn tuple<'py, 'a>(
        &'a self,
        name: &'a str,
        items: &'a [usize],
        value: &Bound<'py, PyAny>,
        tries: &Tries,
    ) -> Result<Bound<'py, PyAny>, Wrong<'py, 'a>> {
        let list = as_list(value)?;
        if list.len() != items.len() {
            return Err(Mismatch::Length { name, length: list.len() }.into());
        }
        let mut converted = Vec::with_capacity(items.len());
        for ((index, item), value) in items.iter().enumerate().zip(list) {
            let checked = self.check(*item, &value, tries).map_err(|wrong| wrong.below(|| format!("[{index}]")))?;
            converted.push(checked.unwrap_or(value));
        }
        Ok(PyTuple::new(value.py(), converted)?.into_any())
    }

    fn dict<'py, 'a>(&'a self, item: usize, value: &Bound<'py, PyAny>, tries: &Tries) -> Checked<'py, 'a> {
        let dict = value.cast_exact::<PyDict>().map_err(|_| Wrong::expected("dict", value))?;
        let mut replaced = None;
        if self.takes_anything(item) {
            return Ok(None);
        }
        for (key, value) in dict {
            let checked = self.check(item, &value, tries).map_err(|wrong| wrong.below(|| format!(".{key}")))?;
            if let Some(new) = checked {
                copied(&mut replaced, dict)?.set_item(key, new)?;
            }
        }
        Ok(replaced.map(Bound::into_any))
    }

    fn union<'py, 'a>(
        &'a self,
        name: &'a str,
        members: &[usize],
        only: Option<usize>,
        value: &Bound<'py, PyAny>,
        tries: &Tries,
    ) -> Checked<'py, 'a> {
        let mut reason = None;
        for member in members {
            tries.one_more()?;
            match self.check(*member, value, tries) {
                Err(wrong) if wrong.is_about_the_value(value.py()) => {
                    if only == Some(*member) {
                        reason = Some(wrong);
                    }
                }
                checked => return checked,
            }
        }
        // Of `T | None` the reason why it is no `T` says more than that it is neither.
        Err(reason.filter(|_| !value.is_none()).unwrap_or_else(|| Wrong::expected(name, value)))
    }

    fn record<'py, 'a>(
        &'a self,
        name: &'a str,
        fields: &'a [Field],
        class: Option<&Py<PyAny>>,
        value: &Bound<'py, PyAny>,
        tries: &Tries,
    ) -> Checked<'py, 'a> {
        let dict = value.cast_exact::<PyDict>().map_err(|_| Wrong::expected(name, value))?;
        let arguments = class.map(|_| PyDict::new(value.py()));
        let mut replaced = None;
        for field in fields {
            let (name, path) = (field.name.bind(value.py()), || format!(".{}", field.name));
            let Some(given) = dict.get_item(name)? else {
                if field.required {
                    return Err(Wrong::from(Mismatch::Missing).below(path));
                }
                continue;
            };
            let new = self.check(field.part, &given, tries).map_err(|wrong| wrong.below(path))?;
            match (&arguments, new) {
                (Some(arguments), new) => arguments.set_item(&field.attribute, new.unwrap_or(given))?,
                (None, Some(new)) => copied(&mut replaced, dict)?.set_item(name, new)?,
                (None, None) => {}
            }
        }
        match class {
            Some(class) => Ok(Some(class.bind(value.py()).call((), arguments.as_ref())?)),
            None => Ok(replaced.map(Bound::into_any)),
        }
    }
}

fn as_list<'v, 'py, 'a>(value: &'v Bound<'py, PyAny>) -> Result<&'v Bound<'py, PyList>, Wrong<'py, 'a>> {
    value.cast_exact::<PyList>().map_err(|_| Wrong::expected("list", value))
}

fn copied<'d, 'py>(
    copy: &'d mut Option<Bound<'py, PyDict>>,
    dict: &Bound<'py, PyDict>,
) -> PyResult<&'d Bound<'py, PyDict>> {
    if copy.is_none() {
        *copy = Some(dict.copy()?);
    }
    copy.as_ref().ok_or_else(|| PyValueError::new_err("a copy was not made"))
}

fn number<'py, 'a>(value: &Bound<'py, PyAny>) -> Result<(), Wrong<'py, 'a>> {
    if value.is_exact_instance_of::<PyFloat>() || value.is_exact_instance_of::<PyInt>() {
        return Ok(());
    }
    Err(Wrong::expected("float", value))
}

fn float<'py, 'a>(value: &Bound<'py, PyAny>) -> Checked<'py, 'a> {
    if let Ok(float) = value.cast_exact::<PyFloat>() {
        return if float.value().is_infinite() { Err(Mismatch::TooLarge.into()) } else { Ok(None) };
    }
    number(value)?;
    match value.extract::<f64>() {
        Ok(float) => Ok(Some(PyFloat::new(value.py(), float).into_any())),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Err(Mismatch::TooLarge.into()),
        Err(error) => Err(error.into()),
    }
}

fn one_of<'py, 'a>(what: &'a str, members: &Bound<'py, PyDict>, value: &Bound<'py, PyAny>) -> Checked<'py, 'a> {
    let found = match members.get_item((value.get_type(), value)) {
        // A list or a dictionary can't be a member, nor be looked for.
        Err(error) if error.is_instance_of::<PyTypeError>(value.py()) => None,
        found => found?,
    };
    match found {
        Some(member) if member.is(value) => Ok(None),
        Some(member) => Ok(Some(member)),
        None => Err(Mismatch::NotOneOf { what, value: value.clone() }.into()),
    }
}
