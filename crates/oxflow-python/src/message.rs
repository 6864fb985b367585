//! `Message`: what the functions of a pipeline are given.

use std::sync::Arc;

use oxflow_engine::batch::Meta;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

/// Where a message was read.
#[pyclass(frozen, eq, hash, get_all, from_py_object, module = "oxflow")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    /// Logical name of the stream.
    pub(crate) stream: String,
    /// Partition of the stream; of several files the number in the order of their names.
    pub(crate) partition: u32,
    /// Offset in the partition; in a file the number of the line, from 0.
    pub(crate) offset: i64,
}

impl Origin {
    pub(crate) fn at(stream: &str, partition: u32, offset: i64) -> Self {
        Self { stream: stream.to_owned(), partition, offset }
    }
}

#[pymethods]
impl Origin {
    #[new]
    fn new(stream: String, partition: u32, offset: i64) -> Self {
        Self { stream, partition, offset }
    }

    fn __repr__(&self) -> String {
        format!("Origin(stream='{}', partition={}, offset={})", self.stream, self.partition, self.offset)
    }

    fn __getnewargs__(&self) -> (String, u32, i64) {
        (self.stream.clone(), self.partition, self.offset)
    }
}

/// A step of the controlled clock, among the messages of a stream in memory.
#[pyclass(frozen, eq, get_all, from_py_object, module = "oxflow._oxflow")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Advance {
    /// How far the clock moves.
    pub(crate) seconds: f64,
}

#[pymethods]
impl Advance {
    #[new]
    fn new(seconds: f64) -> PyResult<Self> {
        if std::time::Duration::try_from_secs_f64(seconds).is_err() {
            return Err(PyValueError::new_err(format!("a clock cannot advance by {seconds} seconds")));
        }
        Ok(Self { seconds })
    }

    fn __repr__(&self) -> String {
        format!("Advance({})", self.seconds)
    }
}

/// A payload on its way through a pipeline, with what is known about it.
///
/// A message does not change; `replace` makes another one. Functions of steps take a message and return the new payload,
/// or a message where key, headers or timestamp are to change too.
#[pyclass(frozen, generic, module = "oxflow")]
#[derive(Debug)]
pub(crate) struct Message {
    /// What the message carries.
    #[pyo3(get)]
    pub(crate) payload: Py<PyAny>,
    pub(crate) metadata: Metadata,
}

/// The rest of a message: a row of a batch as long as nothing in it changed.
#[derive(Clone, Debug)]
pub(crate) enum Metadata {
    Row { meta: Arc<Meta>, row: u32 },
    Own(Arc<OwnMetadata>),
}

/// Metadata that does not lie in a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OwnMetadata {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) timestamp_us: Option<i64>,
    pub(crate) origin: Option<Origin>,
    pub(crate) is_tombstone: bool,
}

impl Metadata {
    /// The same, copied only where it lies in a batch.
    pub(crate) fn shared(&self) -> Arc<OwnMetadata> {
        match self {
            Self::Own(own) => Arc::clone(own),
            Self::Row { .. } => Arc::new(self.own()),
        }
    }

    /// A copy that is independent of any batch.
    pub(crate) fn own(&self) -> OwnMetadata {
        match self {
            Self::Own(own) => (**own).clone(),
            Self::Row { meta, row } => meta.row(*row).map(OwnMetadata::from_row).unwrap_or_default(),
        }
    }

    /// The same with the time and origin of `before`, where a message that was made by hand has none.
    pub(crate) fn inherit(&self, before: &Self) -> Self {
        match self {
            Self::Own(own) if own.timestamp_us.is_none() || own.origin.is_none() => {
                let (own, before) = (own.as_ref().clone(), before.own());
                let timestamp_us = own.timestamp_us.or(before.timestamp_us);
                let origin = own.origin.or(before.origin);
                Self::Own(Arc::new(OwnMetadata { timestamp_us, origin, ..own }))
            }
            _ => self.clone(),
        }
    }
}

impl OwnMetadata {
    fn from_row(row: oxflow_engine::batch::Metadata<'_>) -> Self {
        Self {
            key: row.key().map(<[u8]>::to_vec),
            headers: row.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
            timestamp_us: Some(row.timestamp_us()),
            origin: Some(Origin { stream: row.stream().to_string(), partition: row.partition(), offset: row.offset() }),
            is_tombstone: row.is_tombstone(),
        }
    }
}

/// Microseconds of a time in seconds.
fn micros(seconds: f64) -> PyResult<i64> {
    let micros = (seconds * 1e6).round();
    if !(-9.2e18..=9.2e18).contains(&micros) {
        return Err(PyValueError::new_err(format!("{seconds} seconds is not a time that a message can have")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    Ok(micros as i64)
}

#[expect(clippy::cast_precision_loss, reason = "a time of this century in microseconds is exact in an f64")]
pub(crate) fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// An argument of `replace` that tells "left out" from `None`.
pub(crate) enum Replacement<'py> {
    Keep,
    By(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Replacement<'py> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self::By(value.to_owned()))
    }
}

/// A key: bytes, and nothing that could be turned into them.
fn key_of(key: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if key.is_none() {
        return Ok(None);
    }
    let bytes = key
        .cast::<PyBytes>()
        .map_err(|_| PyTypeError::new_err(format!("`key` is `bytes` or `None`, not `{}`", spelled(key))))?;
    Ok(Some(bytes.as_bytes().to_vec()))
}

/// Headers from any iterable of pairs.
fn headers_of(headers: &Bound<'_, PyAny>) -> PyResult<Vec<(String, Vec<u8>)>> {
    let wrong = |given: &Bound<'_, PyAny>| {
        let given = given.repr().map_or_else(|_| spelled(given), |text| text.to_string());
        PyTypeError::new_err(format!("`headers` are pairs of `str` and `bytes`, not {given}"))
    };
    let pair = |header: PyResult<Bound<'_, PyAny>>| {
        let header = header?;
        let (name, value): (String, Bound<'_, PyBytes>) = header.extract().map_err(|_| wrong(&header))?;
        Ok((name, value.as_bytes().to_vec()))
    };
    headers.try_iter().map_err(|_| wrong(headers))?.map(pair).collect()
}

fn spelled(value: &Bound<'_, PyAny>) -> String {
    value.get_type().qualname().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}

#[pymethods]
impl Message {
    #[new]
    #[pyo3(signature = (payload: "T", *, key: "bytes | None"=None, headers: "Iterable[tuple[str, bytes]]"=None, timestamp=None, origin=None))]
    fn new(
        payload: Py<PyAny>,
        key: Option<Bound<'_, PyAny>>,
        headers: Option<Bound<'_, PyAny>>,
        timestamp: Option<f64>,
        origin: Option<Origin>,
    ) -> PyResult<Self> {
        let key = key.map_or(Ok(None), |key| key_of(&key))?;
        let headers = headers.map(|headers| headers_of(&headers)).transpose()?.unwrap_or_default();
        let timestamp_us = timestamp.map(micros).transpose()?;
        let own = OwnMetadata { key, headers, timestamp_us, origin, is_tombstone: false };
        Ok(Self { payload, metadata: Metadata::Own(Arc::new(own)) })
    }

    /// The key, or `None`.
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        match &self.metadata {
            Metadata::Own(own) => own.key.as_deref().map(|key| PyBytes::new(py, key)),
            Metadata::Row { meta, row } => meta.row(*row)?.key().map(|key| PyBytes::new(py, key)),
        }
    }

    /// The headers in their order, each a name and a value; a name may occur more than once.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let pair = |name: &str, value: &[u8]| (name, PyBytes::new(py, value)).into_pyobject(py);
        let headers: Vec<_> = match &self.metadata {
            Metadata::Own(own) => own.headers.iter().map(|(name, value)| pair(name, value)).collect::<PyResult<_>>()?,
            Metadata::Row { meta, row } => match meta.row(*row) {
                Some(row) => row.headers().map(|(name, value)| pair(name, value)).collect::<PyResult<_>>()?,
                None => Vec::new(),
            },
        };
        PyTuple::new(py, headers)
    }

    /// Seconds since 1970-01-01 UTC, or `None` for a message that was made without a time.
    #[getter]
    fn timestamp(&self) -> Option<f64> {
        match &self.metadata {
            Metadata::Own(own) => own.timestamp_us.map(seconds),
            Metadata::Row { meta, row } => meta.row(*row).map(|row| seconds(row.timestamp_us())),
        }
    }

    /// Where the message was read, or `None` for a message that was made by hand.
    #[getter]
    fn origin(&self) -> Option<Origin> {
        self.metadata.own().origin
    }

    /// Whether the message was read without a payload, as Kafka's deletions are. Its payload then reads as `b""`.
    #[getter]
    fn is_tombstone(&self) -> bool {
        match &self.metadata {
            Metadata::Own(own) => own.is_tombstone,
            Metadata::Row { meta, row } => meta.row(*row).is_some_and(oxflow_engine::batch::Metadata::is_tombstone),
        }
    }

    /// Make a message that differs in what is given.
    #[pyo3(signature = (*, payload=Replacement::Keep, key=Replacement::Keep, headers=Replacement::Keep, timestamp=Replacement::Keep))]
    fn replace(
        &self,
        py: Python<'_>,
        payload: Replacement<'_>,
        key: Replacement<'_>,
        headers: Replacement<'_>,
        timestamp: Replacement<'_>,
    ) -> PyResult<Self> {
        let old = self.metadata.own();
        let key = match key {
            Replacement::Keep => old.key,
            Replacement::By(key) => key_of(&key)?,
        };
        let headers = match headers {
            Replacement::Keep => old.headers,
            Replacement::By(headers) => headers_of(&headers)?,
        };
        let timestamp_us = match timestamp {
            Replacement::Keep => old.timestamp_us,
            Replacement::By(time) => time.extract::<Option<f64>>()?.map(micros).transpose()?,
        };
        let is_tombstone = old.is_tombstone && matches!(payload, Replacement::Keep);
        let own = OwnMetadata { key, headers, timestamp_us, origin: old.origin, is_tombstone };
        let payload = match payload {
            Replacement::Keep => self.payload.clone_ref(py),
            Replacement::By(payload) => payload.unbind(),
        };
        Ok(Self { payload, metadata: Metadata::Own(Arc::new(own)) })
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(other) = other.cast::<Self>() else { return Ok(false) };
        let other = other.get();
        Ok(self.metadata.own() == other.metadata.own() && self.payload.bind(py).eq(&other.payload)?)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut parts = vec![self.payload.bind(py).repr()?.to_string()];
        if let Some(key) = self.key(py) {
            parts.push(format!("key={}", key.repr()?));
        }
        let headers = self.headers(py)?;
        if !headers.is_empty() {
            parts.push(format!("headers={}", headers.repr()?));
        }
        if let Some(timestamp) = self.timestamp() {
            parts.push(format!("timestamp={}", timestamp.into_pyobject(py)?.repr()?));
        }
        parts.extend(self.origin().map(|origin| format!("origin={}", origin.__repr__())));
        Ok(format!("Message({})", parts.join(", ")))
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let named = PyDict::new(py);
        named.set_item("key", self.key(py))?;
        named.set_item("headers", self.headers(py)?)?;
        named.set_item("timestamp", self.timestamp())?;
        named.set_item("origin", self.origin())?;
        Ok((PyTuple::new(py, [self.payload.bind(py)])?, named))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.payload)
    }
}
