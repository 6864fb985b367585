//! Routing by a Python function.

use std::sync::Arc;

use oxflow_engine::batch::{Batch, Payloads};
use oxflow_engine::fault::FaultKind;
use oxflow_engine::run::{Context, Form, Router, RunFailed, unrouted};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;

use super::Runtime;
use super::emit::metadata;
use super::fault::Trouble;
use super::payload::{Decode, Reader};
use super::program::known;
use crate::message::Message;
use crate::objects::try_attach;

/// A Python routing function of one lane.
#[derive(Debug)]
pub(super) struct PythonRouter {
    runtime: Arc<Runtime>,
    step: usize,
    name: String,
    input: Form,
    keys: Vec<Value>,
    /// Made for the first batch.
    reader: Option<Reader>,
}

impl PythonRouter {
    pub(super) fn new(runtime: Arc<Runtime>, step: usize, name: &str, input: Form, keys: Vec<Value>) -> Self {
        Self { runtime, step, name: name.to_owned(), input, keys, reader: None }
    }

    fn reader(&self, py: Python<'_>) -> Reader {
        let decoder = self.runtime.decoders.get(&self.name).filter(|_| self.input == Form::Json);
        Reader { step: self.step, decode: decoder.map(|decoder| Decode::by(decoder.bind(py))) }
    }

    /// `payloads`: those of the batch, in the form that the function takes.
    fn attached(
        &self,
        py: Python<'_>,
        reader: &mut Reader,
        batch: &Batch,
        payloads: &Payloads,
        context: &mut Context<'_>,
    ) -> PyResult<Vec<Option<u32>>> {
        let function = known(py, &self.runtime.functions, &self.name)?;
        let table = self.table(py)?;
        let mut chosen = vec![None; batch.len()];
        for ((index, slot), row) in chosen.iter_mut().enumerate().zip(0u32..) {
            if context.leaves(index) {
                break;
            }
            let answer = reader.object(py, payloads, index).and_then(|payload| {
                let message = Message { payload, metadata: metadata(batch, index) };
                function.call1((message,)).map_err(|error| Trouble::raised(py, self.step, FaultKind::Raised, &error))
            });
            match answer.and_then(|key| self.find(&table, &key)) {
                Ok(branch) => *slot = Some(branch),
                Err(trouble) => {
                    if trouble.tell(row, context) {
                        break;
                    }
                }
            }
        }
        Ok(chosen)
    }

    /// Branch numbers by key.
    fn table<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let table = PyDict::new(py);
        for (branch, key) in self.keys.iter().enumerate() {
            match key {
                Value::Bool(key) => table.set_item(key, branch)?,
                Value::Number(key) => table.set_item(key.as_i64(), branch)?,
                key => table.set_item(key.as_str(), branch)?,
            }
        }
        Ok(table)
    }

    fn find(&self, table: &Bound<'_, PyDict>, key: &Bound<'_, PyAny>) -> Result<u32, Trouble> {
        // A key that can't be hashed is no key of the table either.
        let found = table.get_item(key).ok().flatten();
        let branch = found.and_then(|branch| branch.extract::<u32>().ok());
        branch.ok_or_else(|| {
            let shown = key.repr().map_or_else(|_| "an object".to_owned(), |text| text.to_string());
            Trouble::Fault(Box::new(unrouted(self.step, 0, &shown, &self.keys)))
        })
    }
}

impl Router for PythonRouter {
    fn route(&mut self, batch: &Batch, context: &mut Context<'_>) -> Result<Vec<Option<u32>>, RunFailed> {
        // Joins lists, so the interpreter must not be held.
        let joined = if self.input == Form::Json { batch.payloads().json_column() } else { None };
        let joined = joined.map(Payloads::Bytes);
        let payloads = joined.as_ref().unwrap_or(batch.payloads());
        context.live.waits_for_interpreter();
        let routed = try_attach(|py| {
            context.live.works();
            let mut reader = self.reader.take().unwrap_or_else(|| self.reader(py));
            let chosen = self.attached(py, &mut reader, batch, payloads, context);
            self.reader = Some(reader);
            chosen
        });
        let ended = || RunFailed { text: "the interpreter ended while the pipeline ran".to_owned() };
        routed.ok_or_else(ended)?.map_err(|error| RunFailed { text: error.to_string() })
    }
}
