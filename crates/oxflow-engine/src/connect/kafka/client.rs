//! Settings of librdkafka's clients, and how they are first asked for a topic.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;

use crate::config::{GroupProtocol, KafkaStream};

/// How long a broker may take to answer when a run starts.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// How long a topic may be unknown that somebody has just made.
const NEW_TOPIC: Duration = Duration::from_secs(3);

/// Most time between two signs of life, as librdkafka has it.
const HEARTBEAT_MS: u32 = 3000;

/// The settings of a consumer.
pub(super) fn consumer(settings: &KafkaStream) -> ClientConfig {
    let mut config = shared(settings);
    config
        .set("group.id", settings.group.as_deref().unwrap_or_default())
        .set("group.protocol", settings.group_protocol.name())
        .set("auto.offset.reset", settings.auto_offset_reset.name())
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        // A partition's queue holds no more: a lane that is slow stops the fetching.
        .set("queued.max.messages.kbytes", "8192")
        .set("queued.min.messages", "10000")
        // How long a full queue is left alone. A second, as is the default, would be a second without messages.
        .set("fetch.queue.backoff.ms", "10");
    if settings.group_protocol == GroupProtocol::Classic {
        let session_ms = settings.session_timeout_ms.0.get();
        config
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", session_ms.to_string())
            // So that two may be lost.
            .set("heartbeat.interval.ms", (session_ms / 3).min(HEARTBEAT_MS).to_string());
    }
    with_properties(config, settings)
}

/// The settings of a producer.
pub(super) fn producer(settings: &KafkaStream) -> ClientConfig {
    let mut config = shared(settings);
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        // As Java's clients do, so that a key has one partition whoever writes.
        .set("partitioner", "murmur2_random")
        .set("compression.type", settings.compression.name())
        // None is given up: while no broker answers nothing is read, and nothing committed.
        .set("message.timeout.ms", "0")
        .set("queue.buffering.max.messages", "1000000");
    with_properties(config, settings)
}

fn shared(settings: &KafkaStream) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set_log_level(RDKafkaLogLevel::Critical);
    config
        .set("bootstrap.servers", &settings.bootstrap_servers)
        .set("client.id", "oxflow")
        .set("reconnect.backoff.max.ms", "2000");
    config
}

fn with_properties(mut config: ClientConfig, settings: &KafkaStream) -> ClientConfig {
    for (name, value) in &settings.properties {
        config.set(name, value.reveal());
    }
    config
}

/// What a client last said that went wrong: why it can't connect, for one.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<Option<String>>);

impl Noted {
    pub(super) fn note(&self, reason: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
    }

    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The number of partitions of a topic.
pub(super) fn partitions<C: ClientContext>(client: &Client<C>, topic: &str) -> Result<u32, KafkaError> {
    let began = Instant::now();
    loop {
        let metadata = client.fetch_metadata(Some(topic), FIRST_ANSWER.saturating_sub(began.elapsed()))?;
        let found = metadata.topics().first();
        let error = found.and_then(MetadataTopic::error).map(RDKafkaErrorCode::from);
        let count = found.map_or(0, |found| found.partitions().len());
        match error {
            None if count > 0 => return Ok(u32::try_from(count).unwrap_or(u32::MAX)),
            // A broker that makes topics by itself says so until it has.
            _ if began.elapsed() < NEW_TOPIC => thread::sleep(Duration::from_millis(100)),
            _ => return Err(KafkaError::MetadataFetch(error.unwrap_or(RDKafkaErrorCode::UnknownTopic))),
        }
    }
}
