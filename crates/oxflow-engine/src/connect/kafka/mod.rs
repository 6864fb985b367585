//! Topics of Kafka, by librdkafka.
//!
//! Of a source one thread is in the consumer group (`reader`). It polls whatever the lanes do, so that a slow step or sink
//! never costs the membership; a lane takes its messages from a queue for each of its partitions (`source`), which librdkafka
//! fills only so far. A sink hands messages to a producer that sends in the background; they count as written when the broker
//! has acknowledged them.

mod archive;
mod client;
mod context;
mod deadline;
mod group;
mod headers;
mod lag;
mod membership;
#[cfg(test)]
mod mocked;
mod ownership;
mod reader;
mod sink;
mod size;
mod source;
mod token;
mod topics;
mod transactions;
mod turn;

use std::sync::Arc;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaConfRes;

use self::client::{About, Note};
use self::group::KafkaGroup;
use self::sink::KafkaSink;
use self::topics::Topics;
use self::turn::Turn;
use super::{ConnectError, Group, Opened, Partitions, Sink};
use crate::config::KafkaStream;

/// Topics to read: each partition by its name, `topic[3]`.
pub(super) fn open(
    streams: &[(Arc<str>, KafkaStream)],
    known: &Arc<Partitions>,
    instance: Option<&str>,
) -> Result<Opened, ConnectError> {
    let topics = Topics::new(streams, known);
    let group = streams.first().map(|first| KafkaGroup::open(first, topics, instance)).transpose()?;
    let grows = streams.iter().any(|(_, settings)| settings.is_pattern());
    Ok(Opened { grows, group: group.map(|group| Arc::new(group) as Arc<dyn Group>), ..Opened::default() })
}

/// A topic to read to its present end, in no group.
pub(super) fn archive(stream: &Arc<str>, settings: &KafkaStream, known: &Partitions) -> Result<Opened, ConnectError> {
    archive::open(stream, settings, known)
}

/// A topic to write, each message to the partition that it names. One at a time has it.
pub(super) fn pinned(stream: &str, settings: &KafkaStream) -> Result<Box<dyn Sink>, ConnectError> {
    let turn = Turn::take(stream, settings)?;
    Ok(Box::new(KafkaSink::open(stream, settings)?.pinned(turn)))
}

/// A topic to write.
pub(super) fn sink(stream: &str, settings: &KafkaStream) -> Result<Box<dyn Sink>, ConnectError> {
    Ok(Box::new(KafkaSink::open(stream, settings)?))
}

/// An error of the client, as the user's stream has it. `noted` is what the client said before, which often says more.
fn failed(
    stream: &str,
    settings: &KafkaStream,
    doing: &'static str,
    error: &KafkaError,
    noted: Option<Note>,
) -> ConnectError {
    let said = said(error);
    let about = noted.as_ref().map_or(About::Else, |noted| noted.about);
    let why = noted.map_or_else(|| said.clone(), |noted| format!("{said}; before that: {}", noted.reason));
    let fix = match error.rdkafka_error_code() {
        _ if matches!(error, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_)) => {
            "correct `properties` of the stream: their names and values are librdkafka's"
        }
        _ if matches!(error, KafkaError::Subscription(_)) => {
            "correct the topic: a pattern is a regular expression that begins with `^`"
        }
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            "create the topic, or correct its name"
        }
        Some(RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::GroupAuthorizationFailed) => {
            "let the user of the connection read or write there"
        }
        Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed) => {
            "let the user of the connection write under `transactional.id`s that begin with `oxflow-` and the group"
        }
        Some(RDKafkaErrorCode::FencedInstanceId) => {
            "another worker came in under the same name: give each a `run.instance_id` of its own"
        }
        Some(RDKafkaErrorCode::AutoOffsetReset) => {
            "set `auto_offset_reset` to `earliest` or `latest`, or reset the offsets of the group"
        }
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
            "raise `max.message.bytes` of the topic, and `message.max.bytes` in `properties` where that is set, or send less"
        }
        _ if about == About::Tls => {
            "name the authority that signed the broker's certificate in `ssl.ca.location`, and see that the certificate is in date and for this host"
        }
        _ if about == About::Login => {
            "correct `sasl.mechanism`, `sasl.username` and `sasl.password` in `properties`, or what `oauth_token` gives"
        }
        _ => "check that the brokers run, that `bootstrap_servers` names them, and the properties of TLS and SASL",
    };
    ConnectError::Broker { stream: stream.to_owned(), doing, topic: settings.topic.clone(), why, fix }
}

/// What an error says, less the value of a property, which may be a password: under a name with a mistake in it, for one.
fn said(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(result, _, name, _) => {
            let why = match result {
                RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN => "there is no such property",
                _ => "the property can't have this value",
            };
            format!("`{name}`: {why}")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_no_value_of_a_property() {
        let mut settings = KafkaStream::new("a:1", "t");
        settings.properties = serde_json::from_str(r#"{"sasl.pasword": "hunter2"}"#).expect("properties");
        let error = KafkaSink::open("s", &settings).err().expect("no such property").diagnostic().to_string();
        assert!(error.contains("`sasl.pasword`: there is no such property"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
