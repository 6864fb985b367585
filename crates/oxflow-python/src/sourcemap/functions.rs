//! Names of functions, and the scopes that a map tells of.

use std::sync::{Arc, Mutex, PoisonError};

use oxflow_sourcemap::{Error, Functions, Limits, Position};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::SourceMap;
use super::errors::map_error;
use super::input::buffer;

/// The functions of the script that was asked about last, which is kept so that no other object can be at its address.
#[derive(Default)]
pub(crate) struct Script(Mutex<Option<(Py<PyAny>, Arc<Functions>)>>);

impl Script {
    /// The functions of a script; it is read if it isn't the last one. What may change is read each time.
    pub(crate) fn functions(&self, map: &SourceMap, script: &Bound<'_, PyAny>) -> PyResult<Arc<Functions>> {
        let py = script.py();
        let is_fixed = script.is_exact_instance_of::<PyBytes>();
        if is_fixed && let Some((_, functions)) = self.last().as_ref().filter(|(last, _)| last.is(script)) {
            return Ok(Arc::clone(functions));
        }
        let functions = Arc::new(of_script(py, map, script)?);
        if is_fixed {
            *self.last() = Some((script.clone().unbind(), Arc::clone(&functions)));
        }
        Ok(functions)
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<(Py<PyAny>, Arc<Functions>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the functions of a script.
pub(crate) fn of_script(py: Python<'_>, map: &SourceMap, script: &Bound<'_, PyAny>) -> PyResult<Functions> {
    let buffer = buffer(script)?;
    let made = py.detach(|| Functions::of_script(&map.map, (*buffer).as_ref(), &Limits::default()));
    made.map_err(|error| map_error(py, &error))
}

/// Line and column, from 0.
type Place = (u32, u32);

/// A scope of a source.
///
/// Lines and columns count from 0, columns in UTF-16 units.
#[pyclass(frozen, get_all, module = "oxflow.sourcemap")]
pub(crate) struct OriginalScope {
    /// Index of the source.
    source: u32,
    /// Index of the scope that it stands in.
    parent: Option<usize>,
    /// Line and column at which it begins.
    start: Place,
    /// Line and column of the first place behind it.
    end: Place,
    /// Its name, if it is of a function or class.
    name: Option<String>,
    /// What it is, for people.
    kind: Option<String>,
    /// Whether it is a function, which stack traces show.
    is_stack_frame: bool,
    /// The names of what it declares.
    variables: Vec<String>,
}

/// A range of the generated code.
///
/// Lines and columns count from 0, columns in UTF-16 units.
#[pyclass(frozen, get_all, module = "oxflow.sourcemap")]
pub(crate) struct GeneratedRange {
    /// Index of the range that it stands in.
    parent: Option<usize>,
    /// Line and column at which it begins.
    start: Place,
    /// Line and column of the first place behind it.
    end: Place,
    /// Index of the scope that became it.
    definition: Option<usize>,
    /// Whether it is a function of the generated code.
    is_stack_frame: bool,
    /// Whether stack traces should leave that function out.
    is_hidden: bool,
    /// Index of the source, line and column of the call, if it is a function that was put in the place of its call.
    call_site: Option<(u32, u32, u32)>,
    /// For each variable of its scope the expressions that have its value, each with the place from which on it does; `None` for a
    /// stretch where none does.
    bindings: Vec<Vec<(Place, Option<String>)>>,
}

/// The scopes of the sources and the ranges of the generated code, those that stand in others behind them.
#[pyclass(frozen, get_all, module = "oxflow.sourcemap")]
pub(crate) struct Scopes {
    /// Of the sources.
    originals: Vec<Py<OriginalScope>>,
    /// Of the generated code.
    ranges: Vec<Py<GeneratedRange>>,
}

fn place(at: Position) -> Place {
    (at.line, at.column)
}

impl Scopes {
    pub(crate) fn of(py: Python<'_>, map: &oxflow_sourcemap::SourceMap) -> PyResult<Option<Self>> {
        let found = py.detach(|| map.scopes()).map_err(|error| map_error(py, &error))?;
        let Some(found) = found else { return Ok(None) };
        let name =
            |index: u32| -> Result<String, Error> { Ok(map.name(index as usize)?.unwrap_or_default().into_owned()) };
        let original = |scope: &oxflow_sourcemap::OriginalScope| -> Result<OriginalScope, Error> {
            Ok(OriginalScope {
                source: scope.source,
                parent: scope.parent,
                start: place(scope.start),
                end: place(scope.end),
                name: scope.name.map(name).transpose()?,
                kind: scope.kind.map(name).transpose()?,
                is_stack_frame: scope.is_stack_frame,
                variables: scope.variables.iter().map(|index| name(*index)).collect::<Result<_, _>>()?,
            })
        };
        let range = |range: &oxflow_sourcemap::GeneratedRange| -> Result<GeneratedRange, Error> {
            let binding = |binding: &oxflow_sourcemap::Binding| {
                let all = [(range.start, binding.expression)].into_iter().chain(binding.from.iter().copied());
                all.map(|(at, index)| Ok((place(at), index.map(name).transpose()?))).collect::<Result<_, Error>>()
            };
            Ok(GeneratedRange {
                parent: range.parent,
                start: place(range.start),
                end: place(range.end),
                definition: range.definition,
                is_stack_frame: range.is_stack_frame,
                is_hidden: range.is_hidden,
                call_site: range.call_site.map(|site| (site.source, site.at.line, site.at.column)),
                bindings: range.bindings.iter().map(binding).collect::<Result<_, _>>()?,
            })
        };
        let raise = |error: Error| map_error(py, &error);
        let originals = found.originals.iter().map(|scope| Py::new(py, original(scope).map_err(raise)?));
        let originals = originals.collect::<PyResult<_>>()?;
        let ranges = found.ranges.iter().map(|found| Py::new(py, range(found).map_err(raise)?));
        Ok(Some(Self { originals, ranges: ranges.collect::<PyResult<_>>()? }))
    }
}
