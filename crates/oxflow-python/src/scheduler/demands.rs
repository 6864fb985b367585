//! What a task may have beside its needs, and the attributes of an offer, out of Python objects.

use oxflow_scheduler::{Comparison, Constraint, Extras, SchedulerError, Spread, Subject, Test, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};

use super::failure::Failure;

/// The fields that a task need not have, in the order in which `take` counts them.
pub(super) const FIELDS: [&str; 7] = ["constraints", "priority", "user", "group", "spread", "gang", "depends_on"];

/// Takes one field of a task.
pub(super) fn take(
    extras: &mut Extras,
    subject: &dyn Fn() -> Subject,
    number: usize,
    value: &Bound<'_, PyAny>,
) -> Result<(), Failure> {
    let field = FIELDS.get(number).copied().unwrap_or_default();
    let wrong = |expected: &str| SchedulerError::Field {
        subject: subject(),
        problem: format!("has a `{field}` that is no {expected}"),
    };
    match field {
        "constraints" => extras.constraints = constraints(subject, value)?,
        "priority" => extras.priority = value.extract().map_err(|_| wrong("number"))?,
        "user" => extras.user = Some(value.extract().map_err(|_| wrong("text"))?),
        "group" => extras.group = Some(value.extract().map_err(|_| wrong("text"))?),
        "gang" => extras.gang = Some(value.extract().map_err(|_| wrong("text"))?),
        "spread" => extras.spread = spread(value).ok_or_else(|| wrong("map from attributes to whole numbers"))?,
        _ => extras.depends_on = names(value).ok_or_else(|| wrong("list of names"))?,
    }
    Ok(())
}

/// Names, but not the letters of one name.
fn names(value: &Bound<'_, PyAny>) -> Option<Vec<String>> {
    if value.is_instance_of::<PyString>() {
        return None;
    }
    value.try_iter().ok()?.map(|name| name.ok()?.extract().ok()).collect()
}

fn spread(value: &Bound<'_, PyAny>) -> Option<Vec<Spread>> {
    let items = value.cast::<PyMapping>().ok()?.items().ok()?;
    let one = |item: Bound<'_, PyAny>| {
        let (attribute, most): (Option<String>, u32) = item.extract().ok()?;
        Some(Spread { attribute: attribute.filter(|name| !name.is_empty()), most })
    };
    items.iter().map(one).collect()
}

/// `[(attribute, operator, value), ...]`, or `{attribute: value}`, which stands for `=`, or for `in` with a list.
fn constraints(subject: &dyn Fn() -> Subject, value: &Bound<'_, PyAny>) -> Result<Vec<Constraint>, Failure> {
    let wrong = || SchedulerError::Field {
        subject: subject(),
        problem: "has `constraints` that are no list of (attribute, operator, value)".to_owned(),
    };
    let mut found = Vec::new();
    if let Ok(dictionary) = value.cast::<PyDict>() {
        for (attribute, value) in dictionary {
            let attribute: String = attribute.extract().map_err(|_| wrong())?;
            let operator = if is_list(&value) { "in" } else { "=" };
            found.push(constraint(subject, &attribute, operator, &value)?);
        }
        return Ok(found);
    }
    if value.is_instance_of::<PyString>() {
        return Err(wrong().into());
    }
    for item in value.try_iter().map_err(|_| wrong())? {
        let item = item?;
        // JSON has no tuples.
        let item = item.cast::<PyList>().map_or_else(|_| item.clone(), |list| list.to_tuple().into_any());
        let triple: (Bound<'_, PyString>, Bound<'_, PyString>, Bound<'_, PyAny>) =
            item.extract().map_err(|_| wrong())?;
        let (attribute, operator, value) = triple;
        found.push(constraint(subject, attribute.to_str()?, operator.to_str()?, &value)?);
    }
    Ok(found)
}

fn is_list(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>()
}

fn constraint(
    subject: &dyn Fn() -> Subject,
    attribute: &str,
    operator: &str,
    value: &Bound<'_, PyAny>,
) -> Result<Constraint, Failure> {
    let wrong =
        |reason: String| SchedulerError::Constraint { subject: subject(), attribute: attribute.to_owned(), reason };
    let one = || attribute_value(value).ok_or_else(|| wrong("its value is no text, number or truth".to_owned()));
    let many = || {
        let values = value.try_iter().ok().filter(|_| !value.is_instance_of::<PyString>());
        let values = values.and_then(|values| values.map(|value| attribute_value(&value.ok()?)).collect());
        values.ok_or_else(|| wrong(format!("`{operator}` takes a list of texts, numbers or truths")))
    };
    let test = match operator {
        "=" | "==" => Test::In(vec![one()?]),
        "!=" => Test::NotIn(vec![one()?]),
        "in" => Test::In(many()?),
        "not in" => Test::NotIn(many()?),
        "~" | "regex" | "=~" => match one()? {
            Value::Text(pattern) => Test::Matches(pattern.into()),
            _ => return Err(wrong("a pattern is a text".to_owned()).into()),
        },
        ">" => Test::Compares(Comparison::Above, one()?),
        ">=" => Test::Compares(Comparison::From, one()?),
        "<" => Test::Compares(Comparison::Below, one()?),
        "<=" => Test::Compares(Comparison::UpTo, one()?),
        _ => return Err(wrong(format!("`{operator}` is no operator")).into()),
    };
    Ok(Constraint { attribute: attribute.to_owned(), test })
}

/// The value of an attribute: a text, a number that is one, or a truth.
pub(super) fn attribute_value(value: &Bound<'_, PyAny>) -> Option<Value> {
    if let Ok(text) = value.cast::<PyString>() {
        return text.to_str().ok().map(|text| Value::Text(text.into()));
    }
    if value.is_instance_of::<PyBool>() {
        return value.extract().ok().map(Value::Truth);
    }
    if value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>() {
        return value.extract().ok().filter(|number: &f64| !number.is_nan()).map(Value::Number);
    }
    None
}
