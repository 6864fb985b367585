//! Topics of Kafka, by librdkafka.
//!
//! Of a source one thread is in the consumer group (`reader`). It polls whatever the lanes do, so that a slow step or sink
//! never costs the membership; a lane takes its messages from a queue for each of its partitions (`source`), which librdkafka
//! fills only so far. A sink hands messages to a producer that sends in the background; they count as written when the broker
//! has acknowledged them.

mod client;
mod group;
mod headers;
mod reader;
mod sink;
mod source;

use std::sync::Arc;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaConfRes;

use self::group::KafkaGroup;
use self::sink::KafkaSink;
use super::{ConnectError, Opened, Sink};
use crate::config::KafkaStream;

/// A topic to read: each partition by its name, `topic[3]`.
pub(super) fn open(stream: &Arc<str>, settings: &KafkaStream) -> Result<Opened, ConnectError> {
    let (group, partitions) = KafkaGroup::open(stream, settings)?;
    let partitions = (0..partitions).map(|partition| format!("{}[{partition}]", settings.topic)).collect();
    Ok(Opened { partitions, group: Some(Arc::new(group)), ..Opened::default() })
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
    noted: Option<String>,
) -> ConnectError {
    let said = said(error);
    let why = noted.map_or_else(|| said.clone(), |noted| format!("{said}; before that: {noted}"));
    let fix = match error.rdkafka_error_code() {
        _ if matches!(error, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_)) => {
            "correct `properties` of the stream: their names and values are librdkafka's"
        }
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            "create the topic, or correct its name"
        }
        Some(RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::GroupAuthorizationFailed) => {
            "let the user of the connection read or write there"
        }
        Some(RDKafkaErrorCode::AutoOffsetReset) => {
            "set `auto_offset_reset` to `earliest` or `latest`, or reset the offsets of the group"
        }
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
            "raise `message.max.bytes` in `properties` and at the topic, or send less"
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
