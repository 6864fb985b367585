//! Samplers, as the package names them.

use std::fmt;

use oxflow_telemetry::{AttributeLimits, Attributes, Beginning, Decision, Kind, Sample, Sampler};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::value;

/// A sampler out of its name and its number, or a function of Python's.
pub(super) fn sampler(name: &str, ratio: f64, function: Option<Py<PyAny>>) -> Option<Sampler> {
    let parent = |root| Sampler::ParentBased(Box::new(root));
    Some(match (name, function) {
        ("custom", Some(function)) => Sampler::Custom(std::sync::Arc::new(Function(function))),
        ("always_on", _) => Sampler::AlwaysOn,
        ("always_off", _) => Sampler::AlwaysOff,
        ("traceidratio", _) => Sampler::Ratio(ratio),
        ("parentbased_always_on", _) => parent(Sampler::AlwaysOn),
        ("parentbased_always_off", _) => parent(Sampler::AlwaysOff),
        ("parentbased_traceidratio", _) => parent(Sampler::Ratio(ratio)),
        _ => return None,
    })
}

/// A function of Python's.
struct Function(Py<PyAny>);

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function of Python")
    }
}

impl Sample for Function {
    fn sample(&self, span: &Beginning<'_>) -> Decision {
        // One that raises says nothing against the span; the error is shown where Python shows those that nobody catches.
        let recorded = Decision { is_recorded: true, ..Decision::default() };
        Python::try_attach(|py| {
            self.ask(py, span).unwrap_or_else(|error| {
                error.write_unraisable(py, Some(self.0.bind(py)));
                Decision { is_recorded: true, ..Decision::default() }
            })
        })
        .unwrap_or(recorded)
    }
}

impl Function {
    fn ask(&self, py: Python<'_>, span: &Beginning<'_>) -> PyResult<Decision> {
        let kind = match span.kind {
            Kind::Internal => "internal",
            Kind::Server => "server",
            Kind::Client => "client",
            Kind::Producer => "producer",
            Kind::Consumer => "consumer",
        };
        let pairs: Vec<_> = span.attributes.iter().collect();
        let arguments = PyDict::new(py);
        arguments.set_item("name", span.name)?;
        arguments.set_item("kind", kind)?;
        arguments.set_item("trace_id", format!("{:032x}", span.trace_id))?;
        arguments.set_item("attributes", value::dictionary(py, pairs.iter().map(|(name, value)| (&**name, value)))?)?;
        arguments.set_item("parent_sampled", span.parent.map(oxflow_telemetry::SpanContext::is_sampled))?;
        let answer = self.0.bind(py).call((), Some(&arguments))?;
        let mut attributes = Attributes::new();
        let is_recorded = match answer.cast::<PyDict>() {
            Ok(added) => {
                value::fill(&mut attributes, Some(added), &AttributeLimits::default(), true)?;
                true
            }
            Err(_) => answer.is_truthy()?,
        };
        Ok(Decision { is_recorded, attributes, state: None })
    }
}
