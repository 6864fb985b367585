//! What the operator decides: where streams are, what happens to a message that fails, how the run is cut.
//!
//! A configuration is YAML, and strict: a key that oxflow doesn't know is an error, since a misspelt one would be ignored
//! in silence. Values may come from several places; the nearer to the command wins:
//!
//! ```text
//! --set run.lanes=4  >  OXFLOW__RUN__LANES=4  >  the file  >  the default
//! ```
//!
//! The way is text -> [`node::Node`] (values that know where they come from) -> overlays -> `${..}` -> the types below.

mod bounds;
mod check;
mod delivery;
mod endpoint;
pub(crate) mod failure;
mod interpolate;
mod kafka;
pub(crate) mod node;
mod on_error;
mod overlay;
mod reading;
mod stream;
mod telemetry;
pub(crate) mod typed;
pub(crate) mod yaml;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::bounds::Bounded;
pub use self::delivery::{Delivery, TransactionTimeoutMs};
pub use self::endpoint::{EndpointConfig, StalledS};
use self::failure::Failure;
pub use self::kafka::{
    Compression, GroupProtocol, KafkaStream, OffsetReset, Property, QueueBytes, SessionTimeoutMs, TokenSource,
};
pub use self::on_error::{DeadLetters, OnError, Policy, Retry};
pub use self::reading::{DecompressionRatio, MessageBytes};
pub use self::stream::Stream;
pub use self::telemetry::{OtlpProtocol, Ratio, TelemetryConfig};
use crate::diagnostic::Diagnostic;

/// Settings of a run of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Configuration of oxflow")]
pub struct Config {
    /// Where each stream of the pipeline is, by its logical name.
    #[schemars(example = example_streams())]
    pub streams: BTreeMap<String, Stream>,
    /// Settings of single steps, by the name of the step.
    pub steps: BTreeMap<String, StepConfig>,
    /// How the pipeline runs.
    pub run: RunConfig,
    /// Where the run sends its spans and metrics. Default: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<TelemetryConfig>,
}

/// Settings of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepConfig {
    /// What happens when the step fails on a message. Default: `fail`.
    pub on_error: OnError,
}

/// How a pipeline runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// Number of lanes, each a thread; 1 to 256. Default: as many as the machine has cores, and at most one a partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lanes: Option<Lanes>,
    /// How messages are gathered on their way through.
    pub batch: BatchConfig,
    /// Most bytes of a message, 1 KiB to 256 MiB. Default: 16 MiB. A longer one is an error of the source.
    pub message_bytes: MessageBytes,
    /// How many times as long a compressed file may become, 1 to 1,000,000. Default: 100. The first 8 MiB are free.
    pub decompression_ratio: DecompressionRatio,
    /// What is promised about each message. Default: `exactly_once` from files to files, else `at_least_once`. From Kafka to
    /// Kafka `exactly_once` writes in transactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Path of the checkpoint. Default: that of the first file that is written, and `.oxflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<PathBuf>,
    /// Milliseconds between two checkpoints, commits or transactions, 10 to 3,600,000. Default: 1000.
    pub checkpoint_ms: CheckpointMs,
    /// Milliseconds after which the broker undoes a transaction that was not committed, 1,000 to 900,000. Default: 10,000.
    pub transaction_timeout_ms: TransactionTimeoutMs,
    /// A name that this worker has again when it is started anew, and no other one has: its member of the group stays, and its
    /// `transactional.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Where messages go that steps with `on_error: dead_letter` failed on.
    pub dead_letters: DeadLetters,
    /// Seconds that a lane may carry messages without any of them coming further, 1 to 86,400. Default: 60. After that the log
    /// names the step, and `/health` fails. To wait for input is no stall.
    pub stalled_s: StalledS,
    /// Where the run answers `/health`, `/ready` and `/metrics` over HTTP. Default: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointConfig>,
}

/// Milliseconds between two checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CheckpointMs(pub Bounded<10, 3_600_000>);

impl Default for CheckpointMs {
    fn default() -> Self {
        Self(Bounded::new::<1000>())
    }
}

/// Number of lanes.
pub type Lanes = Bounded<1, 256>;

/// When a batch is handed on: at the first limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BatchConfig {
    /// Number of messages, 1 to 1,000,000. Default: 1024.
    pub messages: Bounded<1, 1_000_000>,
    /// Sum of the payloads in bytes, 1 KiB to 256 MiB. Default: 1 MiB.
    pub bytes: Bounded<1024, 268_435_456>,
    /// Milliseconds that the first message waits for others, 1 to 60,000. Default: 100.
    pub wait_ms: Bounded<1, 60_000>,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self { messages: Bounded::new::<1024>(), bytes: Bounded::new::<1_048_576>(), wait_ms: Bounded::new::<100>() }
    }
}

impl Config {
    /// Reads a configuration.
    ///
    /// `file` is the name of `text` in errors; `sets` are the dotted keys and values of `--set`; `environment` is looked
    /// through for `OXFLOW__A__B` and serves `${VAR}`. Files of `${file:PATH}` are relative to the working directory.
    pub fn load(
        text: &str,
        file: &str,
        sets: &[(String, String)],
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, Diagnostic> {
        Self::read(text, sets, environment).map_err(|failure| failure.diagnose(file, text))
    }

    fn read(text: &str, sets: &[(String, String)], environment: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let mut node = yaml::parse(text)?;
        overlay::environment(&mut node, environment);
        overlay::sets(&mut node, sets);
        interpolate::resolve(&mut node, environment)?;
        typed::read(&node)
    }

    /// Where a stream is. Exact names go first; an environment variable cannot spell every name, so without one case is
    /// ignored and `_` stands for `-`.
    pub fn stream(&self, name: &str) -> Option<&Stream> {
        find(&self.streams, name)
    }

    /// The settings of a step, found as [`Config::stream`] finds.
    pub fn step(&self, name: &str) -> StepConfig {
        find(&self.steps, name).copied().unwrap_or_default()
    }
}

fn find<'c, T>(entries: &'c BTreeMap<String, T>, name: &str) -> Option<&'c T> {
    entries.get(name).or_else(|| {
        let mut same = entries.iter().filter(|(known, _)| overlay::same_name(known, name));
        same.next().map(|(_, entry)| entry)
    })
}

fn example_streams() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([("ingest-metrics", "file:in.jsonl"), ("transformed-metrics", "file:out.jsonl")])
}

/// The JSON Schema of the configuration, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Config).to_value()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
