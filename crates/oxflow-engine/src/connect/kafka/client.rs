//! Settings of librdkafka's clients, and how they are first asked for a topic.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};

use crate::config::{GroupProtocol, KafkaStream};

/// How long a broker may take to answer when a run starts.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// How long one that refuses the connection; there may be others.
const REFUSED: Duration = Duration::from_secs(2);
/// How long an answer is waited for in one piece.
const TURN: Duration = Duration::from_millis(500);
/// How long a topic may be unknown that somebody has just made.
const NEW_TOPIC: Duration = Duration::from_secs(3);

/// Most time between two signs of life, as librdkafka has it.
const HEARTBEAT_MS: u32 = 3000;

/// Of a partition no more is fetched ahead, and no less may be.
const QUEUE_BYTES: u32 = 8 << 20;
const LEAST_QUEUE_BYTES: u32 = 64 << 10;
/// How much of a partition is asked for at once.
const FETCH_BYTES: u32 = 1 << 20;

/// How much of each of so many partitions may be fetched ahead.
pub(super) fn share(settings: &KafkaStream, partitions: u32) -> u32 {
    (settings.queue_bytes.0.get() / partitions.max(1)).clamp(LEAST_QUEUE_BYTES, QUEUE_BYTES)
}

/// The settings of a consumer that fetches so many bytes of a partition ahead.
///
/// `instance`: the name of the member, if it stays.
pub(super) fn consumer(settings: &KafkaStream, queue_bytes: u32, instance: Option<&str>) -> ClientConfig {
    let mut config = shared(settings);
    config
        .set("group.id", settings.group.as_deref().unwrap_or_default())
        .set("group.protocol", settings.group_protocol.name())
        .set("auto.offset.reset", settings.auto_offset_reset.name())
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        // So soon it is seen that there are new topics that fit a pattern, or more partitions.
        .set("topic.metadata.refresh.interval.ms", "30000")
        // A partition's queue holds no more: a lane that is slow stops the fetching.
        .set("queued.max.messages.kbytes", (queue_bytes >> 10).to_string())
        .set("fetch.message.max.bytes", queue_bytes.min(FETCH_BYTES).to_string())
        .set("queued.min.messages", "10000")
        // How long a full queue is left alone. A second, as is the default, would be a second without messages.
        .set("fetch.queue.backoff.ms", "10");
    if let Some(instance) = instance {
        config.set("group.instance.id", instance);
    }
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

/// The settings of a client that asks about topics.
pub(super) fn admin(settings: &KafkaStream) -> ClientConfig {
    let mut config = shared(settings);
    // What the client is told of consumers and producers it would complain about.
    for (name, value) in settings.properties.iter().filter(|(name, _)| is_about_connections(name)) {
        config.set(name, value.reveal());
    }
    config
}

fn is_about_connections(name: &str) -> bool {
    ["ssl.", "sasl.", "security.", "socket.", "enable.ssl", "https.", "broker.", "client."]
        .iter()
        .any(|kind| name.starts_with(kind))
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
    if settings.oauth_token.is_some() {
        config.set("security.protocol", "sasl_ssl").set("sasl.mechanism", "OAUTHBEARER");
    }
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
pub(super) struct Noted(Mutex<Option<Note>>);

/// Something that went wrong.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) reason: String,
    pub(super) about: About,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// A certificate, or no TLS where there should be.
    Tls,
    /// A name and password, or a token.
    Login,
    Else,
}

impl Noted {
    /// Notes a line of the client's log.
    pub(super) fn note(&self, reason: &str) {
        self.lock().get_or_insert_with(|| Note { reason: reason.to_owned(), about: About::Else });
    }

    /// Notes an error, which says more than the log. What was refused is told, and not that there is no connection then.
    pub(super) fn error(&self, error: &KafkaError, reason: &str) {
        let about = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::SSL) => About::Tls,
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed) => About::Login,
            _ => About::Else,
        };
        let mut noted = self.lock();
        // It follows from what was noted for each of them.
        if noted.is_some() && error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            return;
        }
        if about != About::Else || !noted.as_ref().is_some_and(|noted| noted.about != About::Else) {
            *noted = Some(Note { reason: reason.to_owned(), about });
        }
    }

    pub(super) fn take(&self) -> Option<Note> {
        self.lock().take()
    }

    /// True if a broker refused the connection, so that it is not likely to answer.
    fn is_refused(&self) -> bool {
        self.lock().as_ref().is_some_and(|noted| noted.about != About::Else)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of partitions of all topics.
pub(super) fn all_partitions<C: ClientContext>(
    client: &Client<C>,
    noted: &Noted,
    serve: impl Fn(),
) -> Result<u32, KafkaError> {
    let topics = asked(client, None, noted, &serve)?;
    let own = topics.topics().iter().filter(|topic| !topic.name().starts_with("__"));
    Ok(u32::try_from(own.map(|topic| topic.partitions().len()).sum::<usize>()).unwrap_or(u32::MAX))
}

/// What a broker says of a topic. One that doesn't answer is given up after a while, and sooner where it says why.
fn asked<C: ClientContext>(
    client: &Client<C>,
    topic: Option<&str>,
    noted: &Noted,
    serve: &impl Fn(),
) -> Result<Metadata, KafkaError> {
    let began = Instant::now();
    loop {
        serve();
        match client.fetch_metadata(topic, TURN) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => {
                serve();
                let patience = if noted.is_refused() { REFUSED } else { FIRST_ANSWER };
                if began.elapsed() > patience {
                    return Err(error);
                }
            }
        }
    }
}

/// The number of partitions of a topic. `serve` lets the client say what it has to.
pub(super) fn partitions<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    noted: &Noted,
    serve: impl Fn(),
) -> Result<u32, KafkaError> {
    let began = Instant::now();
    loop {
        let metadata = asked(client, Some(topic), noted, &serve)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_share_what_may_be_fetched_ahead() {
        let settings = KafkaStream::new("a:1", "t");
        let of = |partitions| share(&settings, partitions);
        assert_eq!([8 << 20, 8 << 20, 2 << 20, 64 << 10], [of(0), of(8), of(32), of(100_000)]);
    }

    #[test]
    fn what_says_more_is_kept() {
        let noted = Noted::default();
        let told = |code, reason: &str| noted.error(&KafkaError::Global(code), reason);
        told(RDKafkaErrorCode::BrokerTransportFailure, "connection refused");
        told(RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down");
        assert_eq!("connection refused", noted.lock().clone().expect("a note").reason);
        told(RDKafkaErrorCode::Authentication, "wrong password");
        told(RDKafkaErrorCode::BrokerTransportFailure, "connection lost");
        assert!(noted.is_refused());
        assert_eq!("wrong password", noted.take().expect("a note").reason);
    }
}
