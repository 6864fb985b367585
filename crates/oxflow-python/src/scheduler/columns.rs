//! Tasks and offers that come as columns: names in a list, numbers as the bytes of 64-bit floats.

use oxflow_scheduler::{Attributes, Extras, Names, Offers, SchedulerError, Tasks};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyBytesMethods, PyDict, PyList, PyString};

use super::demands;
use super::failure::Failure;
use super::objects::Kind;
use crate::turns::Turns;

fn read_names(names: &Bound<'_, PyList>, kind: Kind) -> Result<Names, Failure> {
    let mut all = Names::default();
    let mut turns = Turns::new(names.py())?;
    for (index, name) in names.iter().enumerate() {
        let Ok(name) = name.cast::<PyString>() else {
            let subject = kind.subject(&format!("#{index}"));
            return Err(SchedulerError::Field { subject, problem: "has a name that is no text".to_owned() }.into());
        };
        all.push(name.to_str()?);
        turns.next()?;
    }
    Ok(all)
}

/// Columns as rows. Each has as many numbers as there are names; that is seen to where the columns are made.
fn rows(py: Python<'_>, columns: &[Bound<'_, PyBytes>], count: usize) -> Vec<f64> {
    let columns: Vec<&[u8]> = columns.iter().map(PyBytesMethods::as_bytes).collect();
    py.detach(|| {
        let mut rows = vec![0.0; count * columns.len()];
        for (index, column) in columns.iter().enumerate() {
            let places = rows.iter_mut().skip(index).step_by(columns.len());
            for (place, bytes) in places.zip(column.as_chunks::<8>().0) {
                *place = f64::from_ne_bytes(*bytes);
            }
        }
        rows
    })
}

/// Tasks out of columns. `fields` has lists of what tasks need not have, with `None` where one hasn't.
pub(super) fn tasks(
    names: &Bound<'_, PyList>,
    columns: &[Bound<'_, PyBytes>],
    fields: &Bound<'_, PyDict>,
) -> Result<Tasks, Failure> {
    let py = names.py();
    let names = read_names(names, Kind::Task)?;
    let mut extended: Vec<Option<Extras>> = Vec::new();
    let mut turns = Turns::new(py)?;
    for (number, field) in demands::FIELDS.iter().enumerate() {
        let Some(values) = fields.get_item(field)? else { continue };
        extended.resize_with(names.len(), || None);
        for (index, (value, extras)) in
            values.cast::<PyList>().map_err(PyErr::from)?.iter().zip(&mut extended).enumerate()
        {
            if !value.is_none() {
                let subject = || Kind::Task.subject(names.at(index));
                demands::take(extras.get_or_insert_default(), &subject, number, &value)?;
            }
            turns.next()?;
        }
    }
    let rows = rows(py, columns, names.len());
    let mut tasks = Tasks::new(names, rows);
    for (index, extras) in extended.into_iter().enumerate() {
        if let Some(extras) = extras {
            tasks.extend(index, extras);
        }
    }
    Ok(tasks)
}

/// Offers out of columns. `attributes` has a list for each attribute, with `None` where an offer hasn't it.
pub(super) fn offers(
    names: &Bound<'_, PyList>,
    columns: &[Bound<'_, PyBytes>],
    attributes: &Bound<'_, PyDict>,
) -> Result<Offers, Failure> {
    let py = names.py();
    let names = read_names(names, Kind::Offer)?;
    let mut found = Attributes::default();
    let mut turns = Turns::new(py)?;
    if !attributes.is_empty() {
        for index in 0..names.len() {
            for (name, values) in attributes {
                let value = values.get_item(index)?;
                let one = PyDict::new(py);
                one.set_item(name, value)?;
                super::objects::read_attributes(&mut found, &one, &|| Kind::Offer.subject(names.at(index)))?;
            }
            found.close();
            turns.next()?;
        }
    }
    let rows = rows(py, columns, names.len());
    Ok(Offers { names, rows, attributes: found })
}
