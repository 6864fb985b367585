//! Reads a topic from its beginning to where it ends now, without a group: nobody's offsets move.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, Noted};
use super::context::{Alone, Context};
use super::failed;
use super::reader::ends_the_run;
use super::source::Taken;
use crate::config::{GroupProtocol, KafkaStream, OffsetReset};
use crate::connect::{ConnectError, Opened, Partitions, PollLimits, Polled, Source};

/// How long a broker may be silent.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it waits before it asks again.
const AGAIN: Duration = Duration::from_millis(100);
/// A consumer has to have one; it never joins it, nor commits.
const GROUP: &str = "oxflow-dead-letters";

type Consumer = BaseConsumer<Context<Alone>>;

/// A topic, each partition by its name.
pub(super) fn open(stream: &Arc<str>, settings: &KafkaStream, known: &Partitions) -> Result<Opened, ConnectError> {
    let noted = Arc::new(Noted::default());
    let alone = KafkaStream {
        group: Some(GROUP.to_owned()),
        group_protocol: GroupProtocol::Classic,
        auto_offset_reset: OffsetReset::Earliest,
        ..settings.clone()
    };
    let refused = |error: &KafkaError| failed(stream, settings, "connect to", error, noted.take());
    let mut config = client::consumer(&alone, client::share(&alone, 1), None);
    config.set("enable.partition.eof", "true");
    let context = Context::new(&noted, settings.oauth_token.as_ref(), Alone);
    let consumer = Consumer::from_config_and_context(&config, context);
    let consumer = consumer.map_err(|error| refused(&error))?;
    // Nothing is assigned yet, so that no message can come.
    let serve = || drop(consumer.poll(Duration::ZERO));
    let count =
        client::partitions(consumer.client(), &settings.topic, &noted, serve).map_err(|error| refused(&error))?;
    let ends = assigned(&consumer, &settings.topic, count).map_err(|error| refused(&error))?;
    for partition in 0..count {
        known.slot(stream, &settings.topic, partition);
    }
    let source = TopicSource {
        stream: Arc::clone(stream),
        settings: settings.clone(),
        noted,
        consumer,
        ends,
        heard: Instant::now(),
    };
    Ok(Opened { readers: vec![Box::new(source)], ..Opened::default() })
}

/// Takes all partitions that hold something; for each where it ends.
fn assigned(consumer: &Consumer, topic: &str, count: u32) -> KafkaResult<BTreeMap<i32, i64>> {
    let (mut ends, mut list) = (BTreeMap::new(), TopicPartitionList::new());
    for partition in 0..i32::try_from(count).unwrap_or(i32::MAX) {
        let (low, high) = watermarks(consumer, topic, partition)?;
        if low < high {
            list.add_partition_offset(topic, partition, Offset::Offset(low))?;
            ends.insert(partition, high);
        }
    }
    consumer.assign(&list)?;
    Ok(ends)
}

/// Where a partition begins and ends. A broker that has just started, or a topic that was just made, needs a moment.
fn watermarks(consumer: &Consumer, topic: &str, partition: i32) -> KafkaResult<(i64, i64)> {
    let until = Instant::now() + PATIENCE;
    loop {
        match consumer.fetch_watermarks(topic, partition, until.saturating_duration_since(Instant::now())) {
            Err(error) if !ends_the_run(&error) && Instant::now() < until => thread::sleep(AGAIN),
            found => return found,
        }
    }
}

struct TopicSource {
    stream: Arc<str>,
    settings: KafkaStream,
    noted: Arc<Noted>,
    consumer: Consumer,
    /// For each partition that isn't read to its end where that is.
    ends: BTreeMap<i32, i64>,
    /// When the broker gave something last.
    heard: Instant,
}

impl TopicSource {
    fn take(&mut self, limits: &PollLimits) -> Result<Taken, KafkaError> {
        let mut taken = Taken::default();
        let until = Instant::now() + limits.wait;
        while taken.has_room(limits) && !self.ends.is_empty() {
            match self.consumer.poll(until.saturating_duration_since(Instant::now())) {
                None => break,
                Some(Ok(message)) => {
                    self.heard = Instant::now();
                    let partition = message.partition();
                    // What came after this was opened is for the next time.
                    let Some(end) = self.ends.get(&partition).copied() else { continue };
                    taken.push(u32::try_from(partition).unwrap_or_default(), &message, limits.message_bytes);
                    if message.offset() + 1 >= end {
                        self.ends.remove(&partition);
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => drop(self.ends.remove(&partition)),
                Some(Err(error)) if ends_the_run(&error) || self.heard.elapsed() > PATIENCE => return Err(error),
                Some(Err(_)) => {}
            }
        }
        Ok(taken)
    }

    fn silent(&self) -> ConnectError {
        let said = self.noted.take().map(|noted| format!("; before that: {}", noted.reason)).unwrap_or_default();
        ConnectError::Broker {
            stream: self.stream.to_string(),
            doing: "read",
            topic: self.settings.topic.clone(),
            why: format!("no broker gave anything for {} s{said}", PATIENCE.as_secs()),
            fix: "check that the brokers run, and try again",
        }
    }
}

impl Source for TopicSource {
    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError> {
        if self.ends.is_empty() {
            return Ok(Polled::End);
        }
        let taken = self.take(limits);
        let taken = taken.map_err(|error| failed(&self.stream, &self.settings, "read", &error, self.noted.take()))?;
        if !taken.is_empty() {
            return Ok(Polled::Read(Box::new(taken.read(&self.stream))));
        }
        if self.ends.is_empty() {
            return Ok(Polled::End);
        }
        if self.heard.elapsed() > PATIENCE { Err(self.silent()) } else { Ok(Polled::Idle) }
    }
}
