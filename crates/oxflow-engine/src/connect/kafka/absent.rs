//! Stands for Kafka where the engine is built without the feature `kafka`.

use std::sync::Arc;

use super::{ConnectError, Opened, Sink};
use crate::config::KafkaStream;

/// Refuses.
pub(super) fn open(stream: &Arc<str>, settings: &KafkaStream) -> Result<Opened, ConnectError> {
    Err(not_built(stream, settings, "read"))
}

/// Refuses.
pub(super) fn sink(stream: &str, settings: &KafkaStream) -> Result<Box<dyn Sink>, ConnectError> {
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
