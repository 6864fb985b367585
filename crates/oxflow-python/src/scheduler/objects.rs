//! Tasks and offers out of the users' own objects.

use std::collections::HashSet;

use oxflow_scheduler::{Attributes, Extras, Names, Offers, SchedulerError, Subject, Tasks};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyString};

use super::amounts::amount;
use super::demands;
use super::failure::Failure;
use super::fields::{Optional, Path};
use crate::turns::Turns;

/// Whether tasks or offers are read: errors say so.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Task,
    Offer,
}

impl Kind {
    pub(super) fn subject(self, name: &str) -> Subject {
        match self {
            Self::Task => Subject::Task(name.to_owned()),
            Self::Offer => Subject::Offer(name.to_owned()),
        }
    }
}

/// Where the fields of tasks or offers are.
pub(super) struct Layout {
    kind: Kind,
    name: String,
    resources: Vec<(String, String)>,
    optional: Vec<String>,
}

impl Layout {
    /// Fields are called as they are unless `fields` says where they are.
    pub(super) fn new(kind: Kind, resources: &[String], fields: &Bound<'_, PyDict>) -> PyResult<Self> {
        let path = |field: &str| match fields.get_item(field)? {
            Some(path) => path.extract::<String>(),
            None => Ok(field.to_owned()),
        };
        let resources = resources.iter().map(|resource| Ok((resource.clone(), path(resource)?)));
        let optional: &[&str] = match kind {
            Kind::Task => &demands::FIELDS,
            Kind::Offer => &["attributes"],
        };
        Ok(Self {
            kind,
            name: path("name")?,
            resources: resources.collect::<PyResult<_>>()?,
            optional: optional.iter().map(|field| path(field)).collect::<PyResult<_>>()?,
        })
    }

    fn reader(&self, py: Python<'_>) -> Reader<'_> {
        let resources = self.resources.iter().map(|(_, path)| Path::new(py, path)).collect();
        let optional = self.optional.iter().map(|path| Path::new(py, path)).collect();
        // A dictionary that holds what is required in another one, or two fields at one path, has fewer keys than fields.
        let mut required: HashSet<&str> = self.resources.iter().map(|(_, path)| path.as_str()).collect();
        required.insert(&self.name);
        let told = required.iter().all(|path| !path.contains('.'))
            && !self.optional.iter().any(|path| required.contains(path.as_str()));
        let required = if told { required.len() } else { 0 };
        Reader {
            layout: self,
            name: Path::new(py, &self.name),
            resources,
            optional: Optional::new(optional, required),
            names: Names::default(),
            rows: Vec::new(),
        }
    }
}

/// Reads objects one after the other.
struct Reader<'a> {
    layout: &'a Layout,
    name: Path,
    resources: Vec<Path>,
    optional: Optional,
    names: Names,
    rows: Vec<f64>,
}

impl Reader<'_> {
    /// Reads what every object has.
    fn read(&mut self, object: &Bound<'_, PyAny>) -> Result<(), Failure> {
        self.read_name(object)?;
        for (path, (resource, _)) in self.resources.iter().zip(&self.layout.resources) {
            let subject = || self.layout.kind.subject(self.names.at(self.names.len() - 1));
            let Some(value) = path.get(object)? else {
                return Err(
                    SchedulerError::Field { subject: subject(), problem: format!("has no `{}`", path.text()) }.into()
                );
            };
            let found = amount(&value).map_err(|text| SchedulerError::Quantity {
                subject: subject(),
                resource: resource.clone(),
                text: text.0,
            })?;
            self.rows.push(found);
        }
        Ok(())
    }

    fn read_name(&mut self, object: &Bound<'_, PyAny>) -> Result<(), Failure> {
        let subject = self.layout.kind.subject(&format!("#{}", self.names.len()));
        let field = self.name.text();
        let Some(name) = self.name.get(object)? else {
            return Err(SchedulerError::Field { subject, problem: format!("has no `{field}`") }.into());
        };
        let Ok(name) = name.cast::<PyString>() else {
            return Err(SchedulerError::Field { subject, problem: format!("has a `{field}` that is no text") }.into());
        };
        self.names.push(name.to_str()?);
        Ok(())
    }
}

/// A list that nobody changes while it is read.
fn listed<'py>(objects: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(objects.py());
    list.call_method1(pyo3::intern!(objects.py(), "extend"), (objects,))?;
    Ok(list)
}

/// Reads tasks.
pub(super) fn tasks(layout: &Layout, objects: &Bound<'_, PyAny>) -> Result<Tasks, Failure> {
    let py = objects.py();
    let mut reader = layout.reader(py);
    let mut turns = Turns::new(py)?;
    let mut extended = Vec::new();
    for (index, object) in listed(objects)?.iter().enumerate() {
        reader.read(&object)?;
        let mut extras: Option<Extras> = None;
        let names = &reader.names;
        reader.optional.each(&object, |number, value| {
            let subject = || layout.kind.subject(names.at(index));
            demands::take(extras.get_or_insert_default(), &subject, number, value)
        })?;
        if let Some(extras) = extras {
            extended.push((index, extras));
        }
        turns.next()?;
    }
    let mut tasks = Tasks::new(reader.names, reader.rows);
    py.detach(|| extended.into_iter().for_each(|(index, extras)| tasks.extend(index, extras)));
    Ok(tasks)
}

/// Reads offers.
pub(super) fn offers(layout: &Layout, objects: &Bound<'_, PyAny>) -> Result<Offers, Failure> {
    let py = objects.py();
    let mut reader = layout.reader(py);
    let mut turns = Turns::new(py)?;
    let mut attributes = Attributes::default();
    for (index, object) in listed(objects)?.iter().enumerate() {
        reader.read(&object)?;
        let names = &reader.names;
        reader.optional.each(&object, |_, value| {
            read_attributes(&mut attributes, value, &|| layout.kind.subject(names.at(index)))
        })?;
        attributes.close();
        turns.next()?;
    }
    Ok(Offers { names: reader.names, rows: reader.rows, attributes })
}

/// Attributes whose value is `None` are not there.
pub(super) fn read_attributes(
    attributes: &mut Attributes,
    value: &Bound<'_, PyAny>,
    subject: &dyn Fn() -> Subject,
) -> Result<(), Failure> {
    let wrong = |problem: &str| SchedulerError::Field { subject: subject(), problem: problem.to_owned() };
    let push =
        |attributes: &mut Attributes, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>| -> Result<(), Failure> {
            let Ok(name) = name.cast::<PyString>() else {
                return Err(wrong("has an attribute whose name is no text").into());
            };
            if value.is_none() {
                return Ok(());
            }
            let Some(value) = demands::attribute_value(value) else {
                let problem = format!("has an attribute `{}` that is no text, number or truth", name.to_string_lossy());
                return Err(wrong(&problem).into());
            };
            attributes.push(name.to_str()?, &value);
            Ok(())
        };
    if let Ok(dictionary) = value.cast::<PyDict>() {
        return dictionary.iter().try_for_each(|(name, value)| push(attributes, &name, &value));
    }
    let Ok(mapping) = value.cast::<PyMapping>() else {
        return Err(wrong("has `attributes` that are no mapping").into());
    };
    for item in mapping.items()?.iter() {
        let (name, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        push(attributes, &name, &value)?;
    }
    Ok(())
}
