//! The configuration and the variables `OTEL_*`, as one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use oxflow_telemetry::propagate::read_baggage;
use oxflow_telemetry::{
    AttributeLimits, Attributes, Backend, BatchLimits, Compression, Config, Endpoint, HeaderName, HeaderValue, Metrics,
    OtlpConfig, Protocol, Resource, RetryLimits, Sampler, Severity, SignalConfig, SinkConfig, Temporality, TlsFiles,
};

use crate::config::{OtlpProtocol, TelemetryConfig};

/// How long a request may take, where nobody says.
const TIMEOUT_MS: u64 = 10_000;
/// How often metrics are sent, where nobody says.
const INTERVAL_MS: u64 = 60_000;

/// What a run is to be exported by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) is_disabled: bool,
    resource: BTreeMap<String, String>,
    traces: Target,
    metrics: Target,
    /// None if `OTEL_LOGS_EXPORTER` wants none.
    logs: Option<Target>,
    ratio: f64,
    interval_ms: u64,
}

/// A collector of one signal.
#[derive(Clone, Debug, PartialEq)]
struct Target {
    address: String,
    protocol: OtlpProtocol,
    headers: BTreeMap<String, String>,
    is_compressed: bool,
    timeout_ms: u64,
    certificates: [Option<PathBuf>; 3],
}

/// Looks up a variable.
type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// What the configuration leaves out is taken from the variables; an error says which one can't be used.
    pub(super) fn read(config: &TelemetryConfig, variables: Variables<'_>) -> Result<Self, String> {
        let found = |name: &str| variables(name).filter(|value| !value.trim().is_empty());
        let interval = config.export_interval_ms.map(|interval| Ok(u64::from(interval.get())));
        Ok(Self {
            is_disabled: found("OTEL_SDK_DISABLED").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")),
            resource: resource(config, &found),
            traces: Target::read(config, "traces", &found)?,
            metrics: Target::read(config, "metrics", &found)?,
            logs: match found("OTEL_LOGS_EXPORTER").as_deref().map(str::trim) {
                Some("none") => None,
                _ => Some(Target::read(config, "logs", &found)?),
            },
            ratio: config.sample_ratio.map_or_else(|| ratio(&found), |ratio| Ok(ratio.get()))?,
            interval_ms: interval.unwrap_or_else(|| number("OTEL_METRIC_EXPORT_INTERVAL", INTERVAL_MS, &found))?,
        })
    }

    /// Whether all of it can be used.
    pub(super) fn check(&self) -> Result<(), String> {
        [&self.traces, &self.metrics].into_iter().chain(&self.logs).try_for_each(|target| target.otlp().map(drop))
    }

    /// The same to the crate.
    pub(super) fn telemetry(&self, metrics: &'static Metrics) -> Result<Config, String> {
        let mut attributes = Attributes::new();
        for (name, value) in &self.resource {
            attributes.set(name, &value.as_str().into(), &AttributeLimits::default());
        }
        let sampler = Sampler::ParentBased(Box::new(Sampler::Ratio(self.ratio)));
        let delay = Duration::from_millis(self.interval_ms);
        let sink = |signal, target: &Target, batch| {
            Ok::<_, String>(SinkConfig { signal, backend: Backend::Otlp(Box::new(target.otlp()?)), batch })
        };
        let mut sinks = vec![
            sink(SignalConfig::Traces(sampler), &self.traces, BatchLimits::default())?,
            sink(
                SignalConfig::Metrics(Temporality::Cumulative),
                &self.metrics,
                BatchLimits { delay, ..BatchLimits::default() },
            )?,
        ];
        if let Some(logs) = &self.logs {
            // The levels were asked about before: what comes is wanted.
            sinks.push(sink(SignalConfig::Logs(Severity::TRACE), logs, BatchLimits::default())?);
        }
        let resource = Resource { attributes, ..Resource::default() };
        Ok(Config { resource, sinks, metrics: Some(metrics), ..Config::default() })
    }
}

impl Target {
    fn read(config: &TelemetryConfig, signal: &str, found: Variables<'_>) -> Result<Self, String> {
        let prefix = format!("OTEL_EXPORTER_OTLP_{}_", signal.to_uppercase());
        let general = |name: &str| found(&format!("OTEL_EXPORTER_OTLP_{name}"));
        let variable = |name: &str| found(&format!("{prefix}{name}")).or_else(|| general(name));
        let protocol = config.protocol.map_or_else(|| protocol(variable("PROTOCOL").as_deref()), Ok)?;
        let own = found(&format!("{prefix}ENDPOINT")).filter(|_| config.endpoint.is_none());
        let address = own.unwrap_or_else(|| {
            let base = config.endpoint.clone().or_else(|| general("ENDPOINT"));
            address(base, protocol, signal)
        });
        let mut headers: BTreeMap<_, _> = read_baggage(&variable("HEADERS").unwrap_or_default()).into_iter().collect();
        headers.extend(config.headers.clone());
        let timeout = number(&format!("{prefix}TIMEOUT"), 0, found)?;
        Ok(Self {
            address,
            protocol,
            headers,
            is_compressed: variable("COMPRESSION").is_some_and(|value| value.trim() == "gzip"),
            timeout_ms: if timeout > 0 { timeout } else { number("OTEL_EXPORTER_OTLP_TIMEOUT", TIMEOUT_MS, found)? },
            certificates: ["CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"]
                .map(|name| variable(name).map(PathBuf::from)),
        })
    }

    fn otlp(&self) -> Result<OtlpConfig, String> {
        let endpoint = Endpoint::parse(&self.address, false).map_err(|error| error.to_string())?;
        let [trusted, certificate, key] = self.certificates.clone();
        let tls = TlsFiles { trusted, certificate, key };
        if endpoint.is_secure() {
            tls.check().map_err(|error| error.to_string())?;
        }
        Ok(OtlpConfig {
            endpoint,
            protocol: match self.protocol {
                OtlpProtocol::Grpc => Protocol::Grpc,
                OtlpProtocol::HttpProtobuf => Protocol::HttpProtobuf,
            },
            headers: self.headers.iter().map(header).collect::<Result<_, _>>()?,
            compression: if self.is_compressed { Compression::Gzip } else { Compression::None },
            timeout: Duration::from_millis(self.timeout_ms),
            retry: RetryLimits::default(),
            tls,
        })
    }
}

/// A header, whose value is nobody's business.
fn header((name, value): (&String, &String)) -> Result<(HeaderName, HeaderValue), String> {
    let bad = || format!("`{name}` is no header, or its value isn't one");
    let mut value = value.parse::<HeaderValue>().map_err(|_| bad())?;
    value.set_sensitive(true);
    Ok((name.parse::<HeaderName>().map_err(|_| bad())?, value))
}

fn protocol(named: Option<&str>) -> Result<OtlpProtocol, String> {
    match named.map(str::trim) {
        None | Some("grpc") => Ok(OtlpProtocol::Grpc),
        Some("http/protobuf") => Ok(OtlpProtocol::HttpProtobuf),
        Some(other) => Err(format!("`OTEL_EXPORTER_OTLP_PROTOCOL` is `{other}`: there are `grpc` and `http/protobuf`")),
    }
}

/// Where a signal goes: with HTTP each has a path of its own.
fn address(base: Option<String>, protocol: OtlpProtocol, signal: &str) -> String {
    match protocol {
        OtlpProtocol::Grpc => base.unwrap_or_else(|| "http://localhost:4317".to_owned()),
        OtlpProtocol::HttpProtobuf => {
            let base = base.unwrap_or_else(|| "http://localhost:4318".to_owned());
            format!("{}/v1/{signal}", base.trim_end_matches('/'))
        }
    }
}

/// The share that `OTEL_TRACES_SAMPLER` takes of batches, whose spans have no parent.
fn ratio(found: Variables<'_>) -> Result<f64, String> {
    let named = found("OTEL_TRACES_SAMPLER").unwrap_or_default();
    match named.trim() {
        "" | "always_on" | "parentbased_always_on" => Ok(1.0),
        "always_off" | "parentbased_always_off" => Ok(0.0),
        "traceidratio" | "parentbased_traceidratio" => {
            let text = found("OTEL_TRACES_SAMPLER_ARG").unwrap_or_else(|| "1".to_owned());
            let ratio = text.trim().parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
            ratio.ok_or_else(|| format!("`OTEL_TRACES_SAMPLER_ARG` is `{text}`, which is no number from 0 to 1"))
        }
        other => Err(format!("`OTEL_TRACES_SAMPLER` is `{other}`, which oxflow doesn't know")),
    }
}

fn number(name: &str, otherwise: u64, found: Variables<'_>) -> Result<u64, String> {
    let Some(text) = found(name) else { return Ok(otherwise) };
    text.trim().parse().map_err(|_| format!("`{name}` is `{text}`, which is no number of milliseconds"))
}

fn resource(config: &TelemetryConfig, found: Variables<'_>) -> BTreeMap<String, String> {
    let version = env!("CARGO_PKG_VERSION");
    let own =
        [("telemetry.sdk.name", "oxflow"), ("telemetry.sdk.language", "rust"), ("telemetry.sdk.version", version)];
    let mut resource: BTreeMap<String, String> = own.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    resource.insert("service.name".to_owned(), "oxflow".to_owned());
    resource.extend(read_baggage(&found("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default()));
    resource.extend(config.resource_attributes.clone());
    let service = config.service_name.clone().or_else(|| found("OTEL_SERVICE_NAME"));
    resource.extend(service.map(|service| ("service.name".to_owned(), service)));
    resource
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(config: &TelemetryConfig, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::read(config, &find)
    }

    #[test]
    fn the_configuration_goes_before_the_variables() {
        let config = TelemetryConfig {
            endpoint: Some("http://here:1".to_owned()),
            service_name: Some("ours".to_owned()),
            ..TelemetryConfig::default()
        };
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://there:2"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://there:3/traces"),
            ("OTEL_SERVICE_NAME", "theirs"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,team=blue%20sky"),
        ];
        let settings = read(&config, &variables).expect("it can be used");
        assert_eq!(["http://here:1"; 2], [&*settings.traces.address, &*settings.metrics.address]);
        assert_eq!(["ours", "blue sky"], ["service.name", "team"].map(|name| &*settings.resource[name]));
    }

    #[test]
    fn over_http_each_signal_has_a_path_of_its_own() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://there:4318/"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://there:9/metrics"),
        ];
        let settings = read(&TelemetryConfig::default(), &variables).expect("it can be used");
        assert_eq!("http://there:4318/v1/traces", settings.traces.address);
        assert_eq!("http://there:9/metrics", settings.metrics.address);
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "smoke"),
            ("OTEL_TRACES_SAMPLER", "dice"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "often"),
        ] {
            let why = read(&TelemetryConfig::default(), &[(name, value)]).expect_err("it can't be used");
            assert!(why.contains(name) && why.contains(value), "{why}");
        }
    }
}
