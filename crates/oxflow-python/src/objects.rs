//! Python objects as payloads of the engine.

use std::any::Any;
use std::time::Instant;

use oxflow_engine::batch::{Objects, Uncopied};
use oxflow_engine::run::add_waiting;
use pyo3::intern;
use pyo3::prelude::*;

use crate::runtime::described;

/// Attaches the interpreter if it is there, and notes how long this thread waited for it.
pub(crate) fn try_attach<T>(body: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let asked = Instant::now();
    Python::try_attach(|py| {
        add_waiting(asked.elapsed());
        body(py)
    })
}

/// The same, where the interpreter is there for certain.
fn attach<T>(body: impl FnOnce(Python<'_>) -> T) -> T {
    let asked = Instant::now();
    Python::attach(|py| {
        add_waiting(asked.elapsed());
        body(py)
    })
}

/// A column of Python objects.
#[derive(Debug)]
pub(crate) struct PyObjects(pub(crate) Vec<Py<PyAny>>);

impl PyObjects {
    /// The Python objects behind the engine's column; a pipeline has one other language, so it is always these.
    pub(crate) fn of(objects: &dyn Objects) -> &[Py<PyAny>] {
        (objects as &dyn Any).downcast_ref::<Self>().map_or(&[], |column| column.0.as_slice())
    }

    fn copy(&self, py: Python<'_>) -> (Vec<Py<PyAny>>, Vec<Uncopied>) {
        let deepcopy = |object| py.import("copy")?.getattr(intern!(py, "deepcopy"))?.call1((object,));
        let mut uncopied = Vec::new();
        let copies = self.0.iter().zip(0u32..).map(|(object, index)| match deepcopy(object) {
            Ok(copy) => copy.unbind(),
            Err(error) => {
                let (class, text, cause) = described(py, &error);
                uncopied.push(Uncopied { index, class, text, cause: Some(cause) });
                object.clone_ref(py)
            }
        });
        (copies.collect(), uncopied)
    }
}

impl Objects for PyObjects {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn select(&self, indices: &[u32]) -> Box<dyn Objects> {
        attach(|py| {
            let chosen = indices.iter().filter_map(|index| self.0.get(*index as usize));
            Box::new(Self(chosen.map(|object| object.clone_ref(py)).collect()))
        })
    }

    fn copies(&self) -> (Box<dyn Objects>, Vec<Uncopied>) {
        let (copies, uncopied) = attach(|py| self.copy(py));
        (Box::new(Self(copies)), uncopied)
    }

    fn concat(&self, others: &[Box<dyn Objects>]) -> Box<dyn Objects> {
        attach(|py| {
            let all = self.0.iter().chain(others.iter().flat_map(|other| Self::of(&**other)));
            Box::new(Self(all.map(|object| object.clone_ref(py)).collect()))
        })
    }
}

impl Drop for PyObjects {
    fn drop(&mut self) {
        // Released here and now: otherwise the objects would wait for whoever attaches next.
        let objects = std::mem::take(&mut self.0);
        try_attach(move |_| drop(objects));
    }
}
