//! The job as a plain loop over librdkafka, on one thread: consume, decode, encode, produce, and commit once a second.
//!
//! `loop job|copy BROKERS TOPIC TOPIC COUNT`: `copy` sends on what it reads. It promises what oxflow does: all replicas acknowledge,
//! none is written twice by a retry, and what is committed is acknowledged.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use kafka_programs::{IngestMetric, transformed};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

const USAGE: &str = "usage: loop job|copy BROKERS TOPIC TOPIC COUNT";
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, brokers, from, to, count] = arguments.as_slice() else { return Err(USAGE.into()) };
    let work = match work.as_str() {
        "job" => job,
        "copy" => copy,
        _ => return Err(USAGE.into()),
    };
    let count: u64 = count.parse()?;
    let consumer = consumer(brokers, &format!("loop-{to}"))?;
    consumer.subscribe(&[from])?;
    let producer: ThreadedProducer<DefaultProducerContext> = producer(brokers)?;
    let (mut read, mut offsets, mut committed) = (0, BTreeMap::new(), Instant::now());
    while read < count {
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        let message = message?;
        if let Some(payload) = work(message.payload().unwrap_or_default())? {
            send(&producer, to, &payload)?;
        }
        offsets.insert(message.partition(), message.offset() + 1);
        read += 1;
        if committed.elapsed() > Duration::from_secs(1) {
            commit(&consumer, &producer, from, &offsets)?;
            committed = Instant::now();
        }
    }
    commit(&consumer, &producer, from, &offsets)
}

fn job(payload: &[u8]) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    let metric: IngestMetric = serde_json::from_slice(payload)?;
    if metric.metric_type != "c" {
        return Ok(None);
    }
    Ok(Some(serde_json::to_vec(&transformed(metric)?)?))
}

fn copy(payload: &[u8]) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    Ok(Some(payload.to_vec()))
}

fn send(
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    payload: &[u8],
) -> Result<(), Box<dyn Error>> {
    let mut record = BaseRecord::<(), [u8]>::to(topic).payload(payload);
    while let Err((error, back)) = producer.send(record) {
        if error.rdkafka_error_code() != Some(rdkafka::types::RDKafkaErrorCode::QueueFull) {
            return Err(error.into());
        }
        std::thread::sleep(Duration::from_millis(1));
        record = back;
    }
    Ok(())
}

fn commit(
    consumer: &BaseConsumer,
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    offsets: &BTreeMap<i32, i64>,
) -> Result<(), Box<dyn Error>> {
    producer.flush(PATIENCE)?;
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
    }
    consumer.commit(&list, CommitMode::Sync)?;
    Ok(())
}

fn consumer(brokers: &str, group: &str) -> Result<BaseConsumer, Box<dyn Error>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", group);
    config.set("auto.offset.reset", "earliest").set("enable.auto.commit", "false");
    Ok(config.create()?)
}

fn producer(brokers: &str) -> Result<ThreadedProducer<DefaultProducerContext>, Box<dyn Error>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("acks", "all").set("enable.idempotence", "true");
    config.set("queue.buffering.max.messages", "1000000");
    Ok(config.create()?)
}
