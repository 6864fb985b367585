//! User extensions: their capsules, and their functions called from plain Python.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use oxflow::abi::{self, Kind};
use oxflow_engine::batch::{AttributesBuilder, Batch, ByteColumn, Meta, Payloads};
use oxflow_engine::diagnostic::{Code, Diagnostic};
use oxflow_engine::extension::{Function, Module, PayloadType};
use oxflow_engine::fault::{Fault, FaultKind};
use oxflow_engine::host;
use oxflow_engine::run::{Context, Live, NativeCall, NativeRun, NativeSpec, Outcome, Run, StepCounts};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyCapsule, PyList};
use serde_json::json;

use crate::errors::{ErrorKind, exception};
use crate::message::{Message, Metadata};
use crate::records::deliver;

/// The module behind a capsule.
fn module(py: Python<'_>, capsule: &Bound<'_, PyAny>) -> PyResult<Module> {
    let table = capsule
        .cast::<PyCapsule>()
        .ok()
        .and_then(|capsule| capsule.pointer_checked(Some(abi::CAPSULE)).ok())
        .map_or(std::ptr::null(), |pointer| pointer.as_ptr().cast_const().cast());
    // SAFETY: a capsule of this name holds a module table; modules are never unloaded.
    let module = unsafe { Module::from_table(table) };
    module.map_err(|error| exception(py, ErrorKind::Extension, &[error.diagnostic("the module")]))
}

/// Give an extension the way to this runtime, for what it records; `name` is what users call it.
#[pyfunction]
pub(crate) fn connect_module(py: Python<'_>, capsule: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
    let module = module(py, capsule)?;
    py.detach(|| module.connect(name));
    Ok(())
}

/// Describe what an extension offers, as JSON.
#[pyfunction]
pub(crate) fn describe_module(py: Python<'_>, capsule: &Bound<'_, PyAny>) -> PyResult<String> {
    let module = module(py, capsule)?;
    let types: Vec<_> = module.types().into_iter().map(describe_type).collect();
    let functions: Vec<_> = module.functions().iter().map(describe_function).collect();
    let described = json!({"sdk": module.sdk(), "debug": module.is_debug(), "types": types, "functions": functions});
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
        "wishes": function.wishes().map(wish).collect::<Vec<_>>(),
    })
}

fn wish(policy: abi::Policy) -> &'static str {
    match policy {
        abi::Policy::Fail => "fail",
        abi::Policy::Skip => "skip",
        abi::Policy::DeadLetter => "dead_letter",
        abi::Policy::Retry => "retry",
    }
}

/// A payload type of an extension.
#[pyclass(frozen, module = "oxflow._oxflow")]
#[derive(Debug)]
pub(crate) struct NativeType {
    pub(crate) payload: PayloadType,
}

#[pymethods]
impl NativeType {
    #[new]
    fn new(py: Python<'_>, capsule: &Bound<'_, PyAny>, index: usize) -> PyResult<Self> {
        let found = module(py, capsule)?.types().get(index).copied();
        let payload = found.ok_or_else(|| PyIndexError::new_err("the module has fewer types"))?;
        Ok(Self { payload })
    }
}

/// A function of an extension.
#[pyclass(frozen, module = "oxflow._oxflow")]
#[derive(Debug)]
pub(crate) struct NativeFunction {
    pub(crate) function: Function,
}

#[pymethods]
impl NativeFunction {
    #[new]
    fn new(py: Python<'_>, capsule: &Bound<'_, PyAny>, index: usize) -> PyResult<Self> {
        let found = module(py, capsule)?.functions().get(index).cloned();
        let function = found.ok_or_else(|| PyIndexError::new_err("the module has fewer functions"))?;
        Ok(Self { function })
    }

    /// Make the function of its arguments, a JSON object.
    fn made_of(&self, py: Python<'_>, arguments: &[u8]) -> PyResult<Self> {
        let made = py.detach(|| self.function.made_of(arguments));
        let function = made.map_err(|error| {
            let message = format!("`{}` can't be made", self.function.name());
            let diagnostic = Diagnostic::new(Code::NotMade, message).because(error.to_string());
            exception(py, ErrorKind::Extension, &[diagnostic.fix("give it arguments that its `new` takes")])
        })?;
        Ok(Self { function })
    }

    /// Run the function on one message, outside of any pipeline.
    ///
    /// `encode` makes JSON of the payload, `decode` makes the result of JSON.
    #[pyo3(signature = (message: "Message[Any]", encode: "Callable[[Any], bytes]", decode: "Callable[[bytes], Any]") -> "Any")]
    fn __call__(
        &self,
        py: Python<'_>,
        message: &Bound<'_, Message>,
        encode: &Bound<'_, PyAny>,
        decode: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let message = message.get();
        let payload = encode.call1((&message.payload,))?.cast_into::<PyBytes>()?;
        let batch = single(payload.as_bytes(), &message.metadata);
        let (outcome, records) = py.detach(|| host::directly(|live| self.run(batch, live)));
        deliver(py, &records)?;
        self.results(py, &outcome.map_err(|fault| self.raise(py, &fault))?, decode)
    }
}

impl NativeFunction {
    /// Runs a batch of one message, without the interpreter.
    fn run(&self, batch: Batch, live: &Live) -> Result<Outcome, Box<Fault>> {
        let call = NativeCall { step: 0, function: self.function.clone(), select: false };
        let spec = NativeSpec {
            input: self.function.input(),
            parser: None,
            parser_takes: None,
            parsed: None,
            calls: vec![call],
            serializer: None,
        };
        let mut counts = [StepCounts::default()];
        let stop = AtomicBool::new(false);
        let mut context = Context {
            counts: &mut counts,
            live,
            faults: Vec::new(),
            fatal: &[true],
            stop: &stop,
            left: None,
            exit: None,
        };
        let outcome = NativeRun::new(spec).apply(batch, &mut context);
        let fault = context.faults.into_iter().next();
        match (fault, outcome) {
            (None, Ok(outcome)) => Ok(outcome),
            (Some(fault), _) => Err(Box::new(fault)),
            (None, Err(error)) => unreachable!("a native run reports faults: {error}"),
        }
    }

    /// There is no pipeline here: neither a step nor a policy to name.
    fn raise(&self, py: Python<'_>, fault: &Fault) -> PyErr {
        let kind = if fault.kind == FaultKind::Panicked { ErrorKind::Panic } else { ErrorKind::Step };
        let message = format!("`{}` {}", self.function.name(), fault.kind.verb());
        exception(py, kind, &[Diagnostic::new(fault.kind.code(), message).because(fault.summary())])
    }

    fn results(&self, py: Python<'_>, outcome: &Outcome, decode: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let Payloads::Bytes(column) = outcome.batch.payloads() else { return Ok(py.None()) };
        let first = || column.get(0).map(|bytes| self.result(py, outcome, 0, bytes, decode));
        match self.function.kind() {
            Some(Kind::Filter) => Ok(PyBool::new(py, column.get(0) == Some(b"true")).to_owned().into_any().unbind()),
            Some(Kind::FlatMap) => {
                let all = column.iter().enumerate();
                let all = all.map(|(index, bytes)| self.result(py, outcome, index, bytes, decode));
                Ok(PyList::new(py, all.collect::<PyResult<Vec<_>>>()?)?.into_any().unbind())
            }
            _ => first().unwrap_or_else(|| Ok(py.None())),
        }
    }

    /// A payload, or a message where the function changed more than the payload.
    fn result(
        &self,
        py: Python<'_>,
        outcome: &Outcome,
        index: usize,
        bytes: &[u8],
        decode: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let bytes = PyBytes::new(py, bytes);
        let payload =
            if self.function.output().is_bytes() { bytes.into_any() } else { decode.call1((bytes,))? }.unbind();
        if !outcome.changed {
            return Ok(payload);
        }
        let row = outcome.batch.rows().get(index).copied().unwrap_or_default();
        let metadata = Metadata::Row { meta: Arc::clone(outcome.batch.meta()), row };
        Ok(Py::new(py, Message { payload, metadata })?.into_any())
    }
}

/// A batch of one message.
fn single(payload: &[u8], metadata: &Metadata) -> Batch {
    let own = metadata.own();
    let (stream, partition, offset) = match &own.origin {
        Some(origin) => (origin.stream.as_str(), origin.partition, origin.offset),
        None => ("", 0, 0),
    };
    let mut attributes = AttributesBuilder::default();
    attributes.push(own.key.as_deref(), own.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
    let meta = Meta::new(Arc::from(stream), vec![partition], vec![offset], vec![own.timestamp_us.unwrap_or_default()]);
    let meta = meta.with_attributes(attributes.finish()).with_sequences(vec![0]);
    Batch::new(Arc::new(meta), Payloads::Bytes(std::iter::once(payload).collect::<ByteColumn>()))
}
