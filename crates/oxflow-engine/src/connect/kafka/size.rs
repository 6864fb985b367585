//! How large a message may be: what the client sends at most, and what the broker takes.
//!
//! The broker refuses what is larger than `max.message.bytes` of the topic, and with it all that was sent along. So that is
//! asked before anything is sent, and no message that is larger comes as far as that.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;

use super::client;
use crate::config::{Compression, KafkaStream};

/// What librdkafka sends at most, unless it is told otherwise.
pub(super) const DEFAULT_BYTES: usize = 1_000_000;
/// The least that the property may be.
const LEAST_BYTES: usize = 1000;
/// What Kafka's brokers take at most, unless they are told otherwise. A little more than the client sends.
const BROKER_DEFAULT_BYTES: usize = 1_048_588;
/// How long a broker may take to say what a topic allows.
const ANSWER: Duration = Duration::from_secs(5);
/// The client's own property.
const PROPERTY: &str = "message.max.bytes";

/// What a topic takes at most: what the user says, but no more than the broker does. A broker that doesn't let the user ask has
/// its defaults.
pub(super) fn most_bytes(settings: &KafkaStream) -> usize {
    most(own(settings), asked(settings), settings.compression != Compression::None)
}

fn most(own: Option<usize>, topic: Option<usize>, is_compressed: bool) -> usize {
    match (own, topic) {
        (None, None | Some(BROKER_DEFAULT_BYTES)) => DEFAULT_BYTES,
        (None, Some(topic)) => topic,
        (Some(own), None) => own,
        // The broker looks at what is compressed, which the user may know something about.
        (Some(own), Some(_)) if is_compressed => own,
        (Some(own), Some(topic)) => own.min(topic),
    }
}

/// What a client sends at most that was not asked.
pub(super) fn sent(settings: &KafkaStream) -> usize {
    own(settings).unwrap_or(DEFAULT_BYTES)
}

fn own(settings: &KafkaStream) -> Option<usize> {
    settings.properties.get(PROPERTY).and_then(|bytes| bytes.reveal().parse().ok())
}

/// Lets a client send as much, in one message or in several together.
pub(super) fn limit(config: &mut ClientConfig, most_bytes: usize) {
    config
        .set(PROPERTY, most_bytes.max(LEAST_BYTES).to_string())
        .set("batch.size", most_bytes.min(DEFAULT_BYTES).to_string());
}

/// What the broker says that the topic takes.
fn asked(settings: &KafkaStream) -> Option<usize> {
    // Nobody gives this client tokens.
    if settings.oauth_token.is_some() {
        return None;
    }
    let admin: AdminClient<DefaultClientContext> = client::admin(settings).create().ok()?;
    let options = AdminOptions::new().request_timeout(Some(ANSWER));
    let described = wait_for(admin.describe_configs(&[ResourceSpecifier::Topic(&settings.topic)], &options));
    let topic = described.ok()?.into_iter().next()?.ok()?;
    topic.get("max.message.bytes")?.value.as_ref()?.parse().ok()
}

/// Wakes the thread that waits.
struct Waiting(Thread);

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for what the client's own thread will answer.
fn wait_for<T>(answer: impl Future<Output = T>) -> T {
    let mut answer = pin!(answer);
    let waker = Waker::from(Arc::new(Waiting(thread::current())));
    loop {
        if let Poll::Ready(answer) = answer.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_that_the_topic_does_not_take() {
        let cases = [
            (DEFAULT_BYTES, None, None, false),
            (DEFAULT_BYTES, None, Some(BROKER_DEFAULT_BYTES), false),
            (9_000_000, None, Some(9_000_000), false),
            (5_000_000, Some(5_000_000), None, false),
            (BROKER_DEFAULT_BYTES, Some(5_000_000), Some(BROKER_DEFAULT_BYTES), false),
            (5_000_000, Some(5_000_000), Some(BROKER_DEFAULT_BYTES), true),
            (1000, Some(1000), Some(9_000_000), false),
        ];
        for (expected, own, topic, is_compressed) in cases {
            assert_eq!(expected, most(own, topic, is_compressed), "{own:?} {topic:?} {is_compressed}");
        }
    }
}
