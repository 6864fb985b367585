//! What the package read from the user and the environment, as the telemetry crate takes it.

use std::path::PathBuf;
use std::time::Duration;

use oxflow_telemetry::{
    Aggregation, AttributeLimits, Backend, BatchLimits, Compression, Config, ConsoleConfig, Credentials, Endpoint,
    Format, HeaderName, HeaderValue, InstrumentKind, MOST_TRACE_SINKS, OtlpConfig, Protocol, Resource, RetryLimits,
    Severity, SignalConfig, SinkConfig, SlsCompression, SlsConfig, SlsSignature, SpanLimits, Temporality, TlsFiles,
    View,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::sampler::sampler;
use super::{process, value};

/// `oxflow.telemetry._settings.Settings`.
#[derive(FromPyObject)]
pub(crate) struct Settings<'py> {
    resource: Bound<'py, PyAny>,
    schema_url: String,
    sinks: Vec<Sink>,
    console: Option<Console>,
    limits: Limits,
    views: Vec<Seen>,
}

#[derive(FromPyObject)]
struct Sink {
    signal: String,
    endpoint: String,
    is_insecure: bool,
    protocol: String,
    headers: Vec<(String, String)>,
    compression: String,
    timeout_ms: u64,
    retry_ms: u64,
    certificate: Option<PathBuf>,
    client_certificate: Option<PathBuf>,
    client_key: Option<PathBuf>,
    queue: u64,
    batch: u64,
    delay_ms: u64,
    sampler: String,
    sampler_arg: f64,
    sample: Option<Py<PyAny>>,
    temporality: String,
    least_severity: u8,
    /// A logstore, in place of a collector.
    sls: Option<Sls>,
}

#[derive(FromPyObject)]
struct Sls {
    project: String,
    logstore: String,
    topic: String,
    source: String,
    key_id: String,
    key_secret: String,
    token: Option<String>,
    /// For signatures of version 4.
    region: Option<String>,
}

#[derive(FromPyObject)]
struct Console {
    format: String,
    least_severity: u8,
    has_colours: bool,
}

#[derive(FromPyObject)]
struct Limits {
    attributes: u32,
    attribute_length: Option<usize>,
    events: u32,
    links: u32,
    event_attributes: u32,
    link_attributes: u32,
    log_attributes: u32,
    log_attribute_length: Option<usize>,
}

#[derive(FromPyObject)]
struct Seen {
    instrument: Option<String>,
    kind: Option<String>,
    unit: Option<String>,
    meter: Option<String>,
    name: Option<String>,
    description: Option<String>,
    attribute_keys: Option<Vec<String>>,
    aggregation: Option<String>,
    boundaries: Option<Vec<f64>>,
    buckets: usize,
    scale: i8,
}

fn wrong(what: &str, found: &str) -> PyErr {
    PyValueError::new_err(format!("there is no {what} `{found}`"))
}

impl Settings<'_> {
    /// The same to the crate; an error says what can't be used.
    pub(super) fn read(self) -> PyResult<Config> {
        let Self { resource, schema_url, sinks, console, limits, views } = self;
        let mut attributes = oxflow_telemetry::Attributes::new();
        value::fill(&mut attributes, Some(&resource), &AttributeLimits::default(), true)?;
        if sinks.iter().filter(|sink| sink.signal == "traces").count() > MOST_TRACE_SINKS {
            return Err(PyValueError::new_err(format!("a process has {MOST_TRACE_SINKS} sinks for traces at most")));
        }
        let log_limits = AttributeLimits { count: limits.log_attributes, value_length: limits.log_attribute_length };
        Ok(Config {
            resource: Resource { attributes, schema_url },
            sinks: sinks.into_iter().map(Sink::read).collect::<PyResult<_>>()?,
            console: console.map(Console::read).transpose()?,
            span_limits: limits.read(),
            log_limits,
            metrics: Some(process::metrics()),
            views: views.into_iter().map(Seen::read).collect::<PyResult<_>>()?,
        })
    }
}

impl Sink {
    fn read(self) -> PyResult<SinkConfig> {
        let backend = match &self.sls {
            Some(sls) => Backend::Sls(Box::new(self.sls(sls)?)),
            None => Backend::Otlp(Box::new(self.otlp()?)),
        };
        let batch = BatchLimits {
            queue_records: self.queue,
            batch_records: self.batch.clamp(1, self.queue.max(1)),
            delay: Duration::from_millis(self.delay_ms.max(1)),
            ..BatchLimits::default()
        };
        let signal = match self.signal.as_str() {
            "traces" => {
                let made = sampler(&self.sampler, self.sampler_arg, self.sample);
                SignalConfig::Traces(made.ok_or_else(|| wrong("sampler", &self.sampler))?)
            }
            "metrics" => SignalConfig::Metrics(match self.temporality.as_str() {
                "cumulative" => Temporality::Cumulative,
                "delta" => Temporality::Delta,
                "lowmemory" => Temporality::LowMemory,
                other => return Err(wrong("temporality", other)),
            }),
            _ => SignalConfig::Logs(Severity(self.least_severity)),
        };
        Ok(SinkConfig { signal, backend, batch })
    }

    fn sls(&self, sls: &Sls) -> PyResult<SlsConfig> {
        let endpoint = SlsConfig::endpoint(&self.endpoint, &sls.project);
        let endpoint = endpoint.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(SlsConfig {
            tls: self.tls(&endpoint)?,
            endpoint,
            logstore: sls.logstore.clone(),
            topic: sls.topic.clone(),
            source: sls.source.clone(),
            credentials: Credentials {
                id: sls.key_id.clone(),
                secret: sls.key_secret.clone(),
                token: sls.token.clone(),
            },
            signature: sls.region.clone().map_or(SlsSignature::V1, |region| SlsSignature::V4 { region }),
            compression: match self.compression.as_str() {
                "lz4" => SlsCompression::Lz4,
                "zstd" => SlsCompression::Zstd,
                other => return Err(wrong("compression", other)),
            },
            timeout: Duration::from_millis(self.timeout_ms),
            retry: self.retry(),
        })
    }

    fn retry(&self) -> RetryLimits {
        RetryLimits { total: Duration::from_millis(self.retry_ms), ..RetryLimits::default() }
    }

    /// The certificates, which can be read if they are needed.
    fn tls(&self, endpoint: &Endpoint) -> PyResult<TlsFiles> {
        let files = TlsFiles {
            trusted: self.certificate.clone(),
            certificate: self.client_certificate.clone(),
            key: self.client_key.clone(),
        };
        if endpoint.is_secure() {
            files.check().map_err(|error| PyValueError::new_err(error.to_string()))?;
        }
        Ok(files)
    }

    fn otlp(&self) -> PyResult<OtlpConfig> {
        let endpoint = Endpoint::parse(&self.endpoint, self.is_insecure);
        let header = |(name, value): &(String, String)| {
            let bad = |()| PyValueError::new_err(format!("`{name}` is no header, or its value isn't one"));
            let name = name.parse::<HeaderName>().map_err(|_| bad(()))?;
            let mut value = value.parse::<HeaderValue>().map_err(|_| bad(()))?;
            value.set_sensitive(true);
            Ok::<_, PyErr>((name, value))
        };
        let endpoint = endpoint.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(OtlpConfig {
            tls: self.tls(&endpoint)?,
            endpoint,
            protocol: match self.protocol.as_str() {
                "grpc" => Protocol::Grpc,
                "http/protobuf" => Protocol::HttpProtobuf,
                other => return Err(wrong("protocol", other)),
            },
            headers: self.headers.iter().map(header).collect::<PyResult<_>>()?,
            compression: match self.compression.as_str() {
                "none" => Compression::None,
                "gzip" => Compression::Gzip,
                "zstd" => Compression::Zstd,
                other => return Err(wrong("compression", other)),
            },
            timeout: Duration::from_millis(self.timeout_ms),
            retry: self.retry(),
        })
    }
}

impl Console {
    fn read(self) -> PyResult<ConsoleConfig> {
        let format = match self.format.as_str() {
            "compact" => Format::Compact,
            "pretty" => Format::Pretty,
            "json" => Format::Json,
            other => return Err(wrong("format of the console", other)),
        };
        Ok(ConsoleConfig { format, least: Severity(self.least_severity), has_colours: self.has_colours })
    }
}

impl Limits {
    fn read(&self) -> SpanLimits {
        let of = |count| AttributeLimits { count, value_length: self.attribute_length };
        SpanLimits {
            attributes: of(self.attributes),
            events: self.events,
            links: self.links,
            event_attributes: of(self.event_attributes),
            link_attributes: of(self.link_attributes),
        }
    }
}

impl Seen {
    fn read(self) -> PyResult<View> {
        let aggregation = match self.aggregation.as_deref() {
            None => None,
            Some("drop") => Some(Aggregation::Drop),
            Some("sum") => Some(Aggregation::Sum),
            Some("last_value") => Some(Aggregation::LastValue),
            Some("histogram") => Some(Aggregation::Histogram(self.boundaries.unwrap_or_default())),
            Some("exponential_histogram") => {
                Some(Aggregation::Exponential { buckets: self.buckets, scale: self.scale })
            }
            Some(other) => return Err(wrong("aggregation", other)),
        };
        let kind = self.kind.map(|kind| InstrumentKind::of(&kind).ok_or_else(|| wrong("instrument", &kind)));
        Ok(View {
            instrument: self.instrument,
            kind: kind.transpose()?,
            unit: self.unit,
            meter: self.meter,
            name: self.name,
            description: self.description,
            keys: self.attribute_keys,
            aggregation,
        })
    }
}
