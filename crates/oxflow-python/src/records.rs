//! Log records of extensions, as Python objects on their way into `logging`.

use std::time::UNIX_EPOCH;

use oxflow_engine::host::{self, Levels, Record, Value};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// Listen to extensions: `named` are loggers and the most verbose level of each, from 0, nothing, to 5, everything; `rest` is
/// the level of all others.
#[pyfunction]
pub(crate) fn listen(py: Python<'_>, named: Vec<(String, u32)>, rest: u32) {
    py.detach(|| host::set_levels(Levels::new(named, rest)));
}

/// Forget what the parent of a forked process has recorded: this process is the child.
#[pyfunction]
pub(crate) fn forget_records() {
    host::forked();
}

/// The records as Python has them, each a dictionary.
pub(crate) fn records<'py>(py: Python<'py>, records: &[Record]) -> PyResult<Bound<'py, PyList>> {
    let made: Vec<_> = records.iter().map(|record| entry(py, record)).collect::<PyResult<_>>()?;
    PyList::new(py, made)
}

/// Hands records to `logging`.
pub(crate) fn deliver(py: Python<'_>, made: &[Record]) -> PyResult<()> {
    if made.is_empty() {
        return Ok(());
    }
    PyModule::import(py, "oxflow._logs")?.call_method1("deliver", (records(py, made)?,))?;
    Ok(())
}

fn entry<'py>(py: Python<'py>, record: &Record) -> PyResult<Bound<'py, PyDict>> {
    let entry = PyDict::new(py);
    let created = record.time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (file, line) = record.place().unwrap_or_default();
    let thread = record.lane.map(|lane| format!("oxflow-lane-{lane}")).or_else(|| record.thread.clone());
    entry.set_item("created", created.as_secs_f64())?;
    entry.set_item("level", record.level())?;
    entry.set_item("target", record.target())?;
    entry.set_item("message", &record.message)?;
    entry.set_item("fields", values(py, record.fields())?)?;
    entry.set_item("file", file)?;
    entry.set_item("line", line)?;
    entry.set_item("module", record.module())?;
    entry.set_item("thread", thread)?;
    entry.set_item("step", &record.step)?;
    entry.set_item("span", record.span())?;
    entry.set_item("span_fields", values(py, record.span_fields())?)?;
    entry.set_item("trace_id", (record.trace_id != 0).then(|| format!("{:032x}", record.trace_id)))?;
    entry.set_item("span_id", (record.span_id != 0).then(|| format!("{:016x}", record.span_id)))?;
    entry.set_item("exported", record.is_exported)?;
    entry.set_item("parent_id", (record.parent_id != 0).then(|| format!("{:016x}", record.parent_id)))?;
    Ok(entry)
}

fn values<'py, 'a>(
    py: Python<'py>,
    fields: impl Iterator<Item = (&'a str, &'a Value)>,
) -> PyResult<Bound<'py, PyDict>> {
    let values = PyDict::new(py);
    for (name, value) in fields {
        match value {
            Value::Text(text) => values.set_item(name, text)?,
            Value::Bool(flag) => values.set_item(name, flag)?,
            Value::Signed(number) => values.set_item(name, number)?,
            Value::Unsigned(number) => values.set_item(name, number)?,
            Value::Float(number) => values.set_item(name, number)?,
        }
    }
    Ok(values)
}
