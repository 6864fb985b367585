//! Python steps, as the engine's other language.

mod emit;
mod fault;
mod payload;
mod program;
mod router;
mod run;
mod spare;
#[cfg(unix)]
mod stack;
#[cfg(not(unix))]
#[path = "stack/absent.rs"]
mod stack;
mod tally;

use std::collections::HashMap;
use std::sync::Arc;

use oxflow_engine::plan::Codec;
use oxflow_engine::run::{Foreign, ForeignSpec, Form, Router, Run};
use pyo3::prelude::*;

pub(crate) use fault::{Exception, described};
use router::PythonRouter;
use run::PythonRun;
pub(crate) use stack::prepare;

use crate::json::JsonDecoder;

/// The callables of a pipeline.
#[derive(Debug)]
pub(crate) struct Runtime {
    /// The function of each step that has one.
    pub(crate) functions: HashMap<String, Py<PyAny>>,
    /// For each step that may be given bytes: makes its objects of them.
    pub(crate) decoders: HashMap<String, Py<PyAny>>,
    /// Make bytes of an object.
    pub(crate) encoders: Encoders,
}

/// The functions of the package that make bytes of an object, one a codec.
#[derive(Debug)]
pub(crate) struct Encoders {
    pub(crate) json: Py<PyAny>,
    pub(crate) msgpack: Py<PyAny>,
}

impl Encoders {
    /// That of a serializer. What Python steps give is never written as protobuf: the plan refuses it.
    fn of(&self, codec: Codec) -> &Py<PyAny> {
        if codec == Codec::MsgPack { &self.msgpack } else { &self.json }
    }
}

/// The callables, as the engine knows them.
#[derive(Clone, Debug)]
pub(crate) struct PythonSteps {
    runtime: Arc<Runtime>,
    lanes: Arc<stack::Lanes>,
}

impl PythonSteps {
    pub(crate) fn new(runtime: Runtime) -> Self {
        Self { runtime: Arc::new(runtime), lanes: Arc::default() }
    }
}

impl Foreign for PythonSteps {
    /// Keeps one Python thread state for the lane, so that `threading.local` lives as long as it does.
    fn around(&self, lane: usize, body: &mut (dyn FnMut() + Send)) {
        let _inside = self.lanes.enter(lane);
        let attached = Python::try_attach(|py| py.detach(&mut *body));
        // Without an interpreter the lane ends by itself, with an error, at its first step in Python.
        if attached.is_none() {
            body();
        }
    }

    fn stack(&self, lane: usize) -> Option<String> {
        self.lanes.stack(lane)
    }

    fn run(&self, spec: &ForeignSpec) -> Box<dyn Run> {
        Box::new(PythonRun::new(Arc::clone(&self.runtime), spec.clone()))
    }

    /// Types of msgspec have their own reader of JSON.
    fn takes_objects(&self, name: &str) -> bool {
        let decoder = self.runtime.decoders.get(name);
        let ours =
            |decoder: &Py<PyAny>| Python::try_attach(|py| decoder.bind(py).is_exact_instance_of::<JsonDecoder>());
        decoder.and_then(ours).unwrap_or_default()
    }

    fn router(&self, step: usize, name: &str, input: Form, keys: &[serde_json::Value]) -> Box<dyn Router> {
        Box::new(PythonRouter::new(Arc::clone(&self.runtime), step, name, input, keys.to_vec()))
    }
}
