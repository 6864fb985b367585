//! Python objects as payloads of the engine.

use std::any::Any;

use oxflow_engine::batch::Objects;
use pyo3::prelude::*;

/// A column of Python objects.
#[derive(Debug)]
pub(crate) struct PyObjects(pub(crate) Vec<Py<PyAny>>);

impl PyObjects {
    /// The Python objects behind the engine's column; a pipeline has one other language, so it is always these.
    pub(crate) fn of(objects: &dyn Objects) -> &[Py<PyAny>] {
        (objects as &dyn Any).downcast_ref::<Self>().map_or(&[], |column| column.0.as_slice())
    }

    fn copy(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let deepcopy = py.import("copy")?.getattr("deepcopy")?;
        self.0.iter().map(|object| Ok(deepcopy.call1((object,))?.unbind())).collect()
    }
}

impl Objects for PyObjects {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn select(&self, indices: &[u32]) -> Box<dyn Objects> {
        Python::attach(|py| {
            let chosen = indices.iter().filter_map(|index| self.0.get(*index as usize));
            Box::new(Self(chosen.map(|object| object.clone_ref(py)).collect()))
        })
    }

    fn copies(&self) -> Result<Box<dyn Objects>, String> {
        Python::attach(|py| match self.copy(py) {
            Ok(copies) => Ok(Box::new(Self(copies)) as Box<dyn Objects>),
            Err(error) => Err(format!("a payload could not be copied for a branch: {error}")),
        })
    }

    fn concat(&self, others: &[Box<dyn Objects>]) -> Box<dyn Objects> {
        Python::attach(|py| {
            let all = self.0.iter().chain(others.iter().flat_map(|other| Self::of(&**other)));
            Box::new(Self(all.map(|object| object.clone_ref(py)).collect()))
        })
    }
}

impl Drop for PyObjects {
    fn drop(&mut self) {
        // Released here and now: otherwise the objects would wait for whoever attaches next.
        let objects = std::mem::take(&mut self.0);
        Python::try_attach(move |_| drop(objects));
    }
}
