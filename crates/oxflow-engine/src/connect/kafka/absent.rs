//! Stands for Kafka where the engine is built without the feature `kafka`.

use std::sync::Arc;

use super::{ConnectError, Opened, Partitions, Sink};
use crate::config::KafkaStream;

/// Refuses.
pub(super) fn open(
    streams: &[(Arc<str>, KafkaStream)],
    _known: &Arc<Partitions>,
    _instance: Option<&str>,
) -> Result<Opened, ConnectError> {
    let first = streams.first().map(|(stream, settings)| not_built(stream, settings, "read"));
    first.map_or_else(|| Ok(Opened::default()), Err)
}

/// Refuses.
pub(super) fn sink(stream: &str, settings: &KafkaStream) -> Result<Box<dyn Sink>, ConnectError> {
    Err(not_built(stream, settings, "write"))
}

/// Refuses.
pub(super) fn archive(stream: &Arc<str>, settings: &KafkaStream, _: &Partitions) -> Result<Opened, ConnectError> {
    Err(not_built(stream, settings, "read"))
}

/// Refuses.
pub(super) fn pinned(stream: &str, settings: &KafkaStream) -> Result<Box<dyn Sink>, ConnectError> {
    Err(not_built(stream, settings, "write"))
}

fn not_built(stream: &str, settings: &KafkaStream, doing: &'static str) -> ConnectError {
    ConnectError::Broker {
        stream: stream.to_owned(),
        doing,
        topic: settings.topic.clone(),
        why: "this program was built without Kafka".to_owned(),
        fix: "build `oxflow-engine` with the feature `kafka`",
    }
}
