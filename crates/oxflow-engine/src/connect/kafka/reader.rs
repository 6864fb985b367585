//! The thread that is in the consumer group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock, Weak};
use std::thread;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::client;
use super::group::{Queue, Shared};
use crate::crash;

/// How long the thread waits for news of the group.
const POLL: Duration = Duration::from_millis(50);
/// How long a lane may take to give up a partition, and its sinks to acknowledge what they have of it. Far less than what the
/// group gives a member for a rebalance (`max.poll.interval.ms`, five minutes).
const GIVE_UP: Duration = Duration::from_secs(10);
/// How long a client that failed for good is left alone before it is made anew.
const REST: Duration = Duration::from_secs(1);

pub(super) type Reader = BaseConsumer<Context>;

/// What librdkafka calls back.
pub(super) struct Context {
    shared: Arc<Shared>,
    consumer: OnceLock<Weak<Reader>>,
}

/// A consumer that has not joined yet.
pub(super) fn connect(shared: &Arc<Shared>) -> KafkaResult<Arc<Reader>> {
    let context = Context { shared: Arc::clone(shared), consumer: OnceLock::new() };
    let consumer = Arc::new(Reader::from_config_and_context(&client::consumer(&shared.settings), context)?);
    // It is set once.
    drop(consumer.context().consumer.set(Arc::downgrade(&consumer)));
    Ok(consumer)
}

/// Takes part in the group until it is closed. A client that failed for good, as a fenced one does, is made anew: reading goes
/// on where was committed.
pub(super) fn run(shared: &Arc<Shared>, mut consumer: Arc<Reader>) {
    if !shared.has_lanes() {
        return;
    }
    loop {
        if let Err(error) = consumer.subscribe(&[shared.settings.topic.as_str()]) {
            return shared.fail(shared.failed("read", &error));
        }
        if !poll(shared, &consumer) {
            // The lanes have ended, so that nothing holds it any more.
            return;
        }
        shared.revoke(&shared.all_partitions(), true, GIVE_UP);
        drop(consumer);
        thread::sleep(REST);
        consumer = match connect(shared) {
            Ok(consumer) => consumer,
            Err(error) => return shared.fail(shared.failed("read", &error)),
        };
    }
}

/// Polls until the group is closed (false) or the client has failed for good.
fn poll(shared: &Shared, consumer: &Reader) -> bool {
    while !shared.is_closing() {
        match consumer.poll(POLL) {
            Some(Err(KafkaError::MessageConsumptionFatal(_))) => return true,
            Some(Err(error)) if ends_the_run(&error) => shared.fail(shared.failed("read", &error)),
            None | Some(Err(_)) => {}
            // Each partition has its queue before it is assigned, so that this would be lost.
            Some(Ok(_)) => shared.fail(shared.failed("read", &KafkaError::Canceled)),
        }
        commit(consumer, &shared.settings.topic, &shared.take_settled(), CommitMode::Async, shared);
    }
    commit(consumer, &shared.settings.topic, &shared.take_settled(), CommitMode::Sync, shared);
    false
}

/// Whether a person has to do something about an error. All others pass: librdkafka goes on trying.
pub(super) fn ends_the_run(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::AutoOffsetReset
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::InconsistentGroupProtocol
                | Code::InvalidTopic
                | Code::UnsupportedVersion
        )
    )
}

fn commit(consumer: &Reader, topic: &str, settled: &BTreeMap<u32, i64>, mode: CommitMode, shared: &Shared) {
    let list = listed(topic, settled);
    if settled.is_empty() {
        return;
    }
    crash::point("kafka-commit");
    // In a rebalance the broker refuses commits of the generation before. What was refused is committed the next time.
    if consumer.commit(&list, mode).is_err() {
        shared.put_back(settled.iter().map(|(partition, offset)| (*partition, *offset)));
    }
    crash::point("kafka-committed");
}

fn listed(topic: &str, offsets: &BTreeMap<u32, i64>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        if let Ok(partition) = i32::try_from(*partition) {
            // A valid offset can be represented.
            drop(list.add_partition_offset(topic, partition, Offset::Offset(*offset)));
        }
    }
    list
}

fn numbers(list: &TopicPartitionList) -> BTreeSet<u32> {
    list.elements().iter().filter_map(|element| u32::try_from(element.partition()).ok()).collect()
}

impl Context {
    /// A queue for each partition, made before it is assigned, so that no message comes another way.
    fn queues(&self, list: &TopicPartitionList) -> Vec<(u32, Queue)> {
        let Some(consumer) = self.consumer.get().and_then(Weak::upgrade) else { return Vec::new() };
        let queue = |partition: u32| {
            let number = i32::try_from(partition).ok()?;
            let mut queue = consumer.split_partition_queue(&self.shared.settings.topic, number)?;
            let signal = self.shared.signal(partition)?;
            queue.set_nonempty_callback(move || signal.raise());
            Some((partition, queue))
        };
        numbers(list).into_iter().filter_map(queue).collect()
    }

    fn assign(&self, consumer: &Reader, list: &TopicPartitionList, cooperative: bool) -> KafkaResult<()> {
        let queues = self.queues(list);
        if cooperative { consumer.incremental_assign(list) } else { consumer.assign(list) }?;
        self.shared.assign(queues);
        Ok(())
    }

    fn revoke(&self, consumer: &Reader, list: &TopicPartitionList, cooperative: bool) -> KafkaResult<()> {
        let settled = self.shared.revoke(&numbers(list), consumer.assignment_lost(), GIVE_UP);
        commit(consumer, &self.shared.settings.topic, &settled, CommitMode::Sync, &self.shared);
        if cooperative { consumer.incremental_unassign(list) } else { consumer.unassign() }
    }
}

impl ClientContext for Context {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, message: &str) {
        self.shared.noted.note(message);
    }

    fn error(&self, _error: KafkaError, reason: &str) {
        self.shared.noted.note(reason);
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &Reader, error: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let done = if error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.assign(consumer, list, cooperative)
        } else {
            self.revoke(consumer, list, cooperative)
        };
        if let Err(error) = done {
            self.shared.fail(self.shared.failed("read", &error));
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        if result.is_err() {
            let elements = offsets.elements();
            let offset = |offset| if let Offset::Offset(offset) = offset { Some(offset) } else { None };
            self.shared.put_back(
                elements
                    .iter()
                    .filter_map(|element| Some((u32::try_from(element.partition()).ok()?, offset(element.offset())?))),
            );
        }
    }
}
