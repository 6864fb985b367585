//! User extensions: their capsules, and their functions called from plain Python.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use oxflow::abi::{self, Kind};
use oxflow_engine::diagnostic::{Code, Diagnostic};
use oxflow_engine::extension::{Function, Module, PayloadType};
use oxflow_engine::plan::Wish;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use serde_json::json;

use crate::call::call;
use crate::errors::{ErrorKind, exception};
use crate::message::Message;

/// The module behind a capsule; `name` is what users call it, for errors.
fn module(py: Python<'_>, capsule: &Bound<'_, PyAny>, name: Option<&str>) -> PyResult<Module> {
    let table = capsule
        .cast::<PyCapsule>()
        .ok()
        .and_then(|capsule| capsule.pointer_checked(Some(abi::CAPSULE)).ok())
        .map_or(std::ptr::null(), |pointer| pointer.as_ptr().cast_const().cast());
    // SAFETY: a capsule of this name holds a module table; modules are never unloaded.
    let module = unsafe { Module::from_table(table) };
    module.map_err(|error| exception(py, ErrorKind::Extension, &[error.diagnostic(name)]))
}

/// Return the functions that this runtime has itself, as an extension shows its own.
#[pyfunction]
#[pyo3(signature = () -> "object")]
pub(crate) fn own_functions(py: Python<'_>) -> PyResult<Bound<'_, PyCapsule>> {
    let table = NonNull::from(oxflow::module_table()).cast();
    // SAFETY: a capsule of this name holds a module table, which lives as long as the library, and nobody writes it.
    unsafe { PyCapsule::new_with_pointer(py, table, abi::CAPSULE) }
}

/// Give an extension the way to this runtime, for what it records; `name` is what users call it.
#[pyfunction]
pub(crate) fn connect_module(py: Python<'_>, capsule: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
    let module = module(py, capsule, Some(name))?;
    py.detach(|| module.connect(name));
    Ok(())
}

/// Describe what an extension offers, as JSON; `name` is what users call it.
#[pyfunction]
#[pyo3(signature = (capsule, name=None))]
pub(crate) fn describe_module(py: Python<'_>, capsule: &Bound<'_, PyAny>, name: Option<&str>) -> PyResult<String> {
    let module = module(py, capsule, name)?;
    let types: Vec<_> = module.types().into_iter().map(describe_type).collect();
    let functions: Vec<_> = module.functions().iter().map(describe_function).collect();
    let described = json!({
        "identity": module.identity(),
        "abi": module.abi(),
        "sdk": module.sdk(),
        "debug": module.is_debug(),
        "types": types,
        "functions": functions,
    });
    Ok(described.to_string())
}

fn describe_type(payload: PayloadType) -> serde_json::Value {
    json!({"name": payload.name(), "doc": payload.doc(), "public": payload.is_public(), "shape": payload.shape()})
}

fn describe_function(function: &Function) -> serde_json::Value {
    json!({
        "name": function.name(),
        "doc": function.doc(),
        "form": if function.is_class() { "class" } else { "object" },
        "kind": match function.kind() {
            Some(Kind::Map) => "map",
            Some(Kind::Filter) => "filter",
            Some(Kind::FilterMap) => "filter_map",
            Some(Kind::FlatMap) => "flat_map",
            None => "unknown",
        },
        "input": function.input().shape(),
        "output": function.output().shape(),
        "parameters": function.parameters(),
        "hashes": {"input": function.input().hash(), "output": function.output().hash()},
        "wishes": function.wishes().map(Wish::from).collect::<Vec<_>>(),
    })
}

/// A payload type of an extension.
#[pyclass(frozen, module = "oxflow._oxflow")]
#[derive(Debug)]
pub(crate) struct NativeType {
    pub(crate) payload: PayloadType,
    /// The number of its module's tables.
    #[pyo3(get)]
    module: usize,
}

#[pymethods]
impl NativeType {
    #[new]
    fn new(py: Python<'_>, capsule: &Bound<'_, PyAny>, index: usize) -> PyResult<Self> {
        let module = module(py, capsule, None)?;
        let found = module.types().get(index).copied();
        let payload = found.ok_or_else(|| PyIndexError::new_err("the module has fewer types"))?;
        Ok(Self { payload, module: module.identity() })
    }
}

/// A function of an extension.
#[pyclass(frozen, module = "oxflow._oxflow")]
#[derive(Debug)]
pub(crate) struct NativeFunction {
    pub(crate) function: Function,
    /// The number of its module's tables.
    #[pyo3(get)]
    module: usize,
}

#[pymethods]
impl NativeFunction {
    #[new]
    fn new(py: Python<'_>, capsule: &Bound<'_, PyAny>, index: usize) -> PyResult<Self> {
        let module = module(py, capsule, None)?;
        let found = module.functions().get(index).cloned();
        let function = found.ok_or_else(|| PyIndexError::new_err("the module has fewer functions"))?;
        Ok(Self { function, module: module.identity() })
    }

    /// Make the function of its arguments, a JSON object.
    fn made_of(&self, py: Python<'_>, arguments: &[u8]) -> PyResult<Self> {
        let made = py.detach(|| self.function.made_of(arguments));
        let function = made.map_err(|error| {
            let message = format!("`{}` can't be made", self.function.name());
            let diagnostic = Diagnostic::new(Code::NotMade, message).because(error.to_string());
            exception(py, ErrorKind::Extension, &[diagnostic.fix("give it arguments that its `new` takes")])
        })?;
        Ok(Self { function, module: self.module })
    }

    /// Run the function on one message, outside of any pipeline.
    ///
    /// `encode` makes JSON of a payload that isn't read as it is, `decode` makes the result of JSON, or checks it.
    #[pyo3(signature = (message: "Message[Any]", encode: "Callable[[Any], bytes]", decode: "Callable[[bytes], Any]") -> "Any")]
    fn run(
        &self,
        py: Python<'_>,
        message: &Bound<'_, Message>,
        encode: &Bound<'_, PyAny>,
        decode: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        call(py, &self.function, message.get(), encode, decode)
    }
}
