//! Instruments.

use std::fmt;
use std::sync::Arc;

use oxflow_telemetry::{AttributeLimits, Attributes, Draft, InstrumentKind, Number, Observation, Observe};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt};

use super::{process, scope, value};

/// Something that is measured. The classes of `oxflow.telemetry` are its faces.
#[pyclass(frozen, subclass, module = "oxflow._oxflow")]
pub(crate) struct Instrument {
    instrument: &'static oxflow_telemetry::Instrument,
}

#[pymethods]
impl Instrument {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "`oxflow.telemetry.Meter` makes them")]
    #[pyo3(signature = (kind, name, unit, description, bounds, meter, version, schema_url, attributes: "Mapping[str, Any] | None", callback: "Callable[[], Any] | None"))]
    fn new(
        kind: &str,
        name: String,
        unit: String,
        description: String,
        bounds: Option<Vec<f64>>,
        meter: &str,
        version: Option<&str>,
        schema_url: Option<&str>,
        attributes: Option<&Bound<'_, PyAny>>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let unknown = || PyValueError::new_err(format!("there is no instrument `{kind}`"));
        let kind = InstrumentKind::of(kind).ok_or_else(unknown)?;
        if bounds.as_ref().is_some_and(|bounds| !bounds.is_sorted_by(|one, next| one < next)) {
            return Err(PyValueError::new_err("the boundaries of a histogram ascend"));
        }
        let scope = scope::scope(meter, version, schema_url, attributes)?;
        let instrument = process::metrics().instrument(&scope, Draft { kind, name, unit, description, bounds });
        if let Some(callback) = callback {
            instrument.ask(Arc::new(Callback(callback)));
        }
        Ok(Self { instrument })
    }

    /// Take a measurement; what isn't finite, or would make a counter shrink, is passed over. A `context` changes nothing: points have no exemplars.
    #[pyo3(signature = (amount: "float", attributes: "Mapping[str, Any] | None" = None, context: "Any" = None))]
    fn _record(
        &self,
        amount: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = context;
        if self.instrument.is_read() {
            let number = number(amount)?;
            let mut kept = Attributes::new();
            value::fill(&mut kept, attributes, &LIMITS, true)?;
            self.instrument.record(number, kept);
        }
        Ok(())
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &'static str {
        &self.instrument.draft().name
    }
}

const LIMITS: AttributeLimits = AttributeLimits { count: 128, value_length: None };

fn number(amount: &Bound<'_, PyAny>) -> PyResult<Number> {
    if let Ok(whole) = amount.cast::<PyInt>()
        && !amount.is_instance_of::<PyBool>()
    {
        // One that has no room is a number still.
        return whole.extract().map(Number::Int).or_else(|_| amount.extract().map(Number::Float));
    }
    if let Ok(number) = amount.cast::<PyFloat>() {
        return Ok(Number::Float(number.value()));
    }
    let wrong =
        |_| PyTypeError::new_err(format!("a number is measured, not `{}`", value::text(amount.get_type().as_any())));
    amount.extract().map(Number::Float).map_err(wrong)
}

/// A function of Python's that is asked.
struct Callback(Py<PyAny>);

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function of Python")
    }
}

impl Observe for Callback {
    fn observe(&self) -> Vec<Observation> {
        // None while the interpreter ends.
        Python::try_attach(|py| {
            self.values(py).unwrap_or_else(|error| {
                error.write_unraisable(py, Some(self.0.bind(py)));
                Vec::new()
            })
        })
        .unwrap_or_default()
    }
}

impl Callback {
    /// A number, or some: each a number or a pair of one and a dictionary.
    fn values(&self, py: Python<'_>) -> PyResult<Vec<Observation>> {
        let answer = self.0.bind(py).call0()?;
        if answer.is_none() {
            return Ok(Vec::new());
        }
        if let Ok(number) = number(&answer) {
            return Ok(vec![Observation { number, attributes: Attributes::new() }]);
        }
        let one = |item: PyResult<Bound<'_, PyAny>>| {
            let item = item?;
            let (amount, attributes) = match item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() {
                Ok((amount, attributes)) => (amount, Some(attributes)),
                Err(_) => (item, None),
            };
            let mut kept = Attributes::new();
            value::fill(&mut kept, attributes.as_ref(), &LIMITS, true)?;
            Ok(Observation { number: number(&amount)?, attributes: kept })
        };
        answer.try_iter()?.map(one).collect()
    }
}
