//! The thread that is in the consumer group.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};
use std::thread;
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::client;
use super::context::Context;
use super::group::{Queue, Shared};
use crate::crash;

/// How long the thread waits for news of the group.
const POLL: Duration = Duration::from_millis(50);
/// How long a lane may take to give up a partition, and its sinks to acknowledge what they have of it. Far less than what the
/// group gives a member for a rebalance (`max.poll.interval.ms`, five minutes).
const GIVE_UP: Duration = Duration::from_secs(10);
/// How long a client that failed for good is left alone before it is made anew.
const REST: Duration = Duration::from_secs(1);

pub(super) type Reader = BaseConsumer<Context<Member>>;

/// Who is in the group.
pub(super) struct Member {
    shared: Arc<Shared>,
    consumer: OnceLock<Weak<Reader>>,
}

/// A consumer that has not joined yet.
pub(super) fn connect(shared: &Arc<Shared>) -> KafkaResult<Arc<Reader>> {
    let member = Member { shared: Arc::clone(shared), consumer: OnceLock::new() };
    let context = Context::new(&shared.noted, shared.settings.oauth_token.as_ref(), member);
    let config = client::consumer(&shared.settings, shared.queue_bytes(), shared.instance.as_deref());
    let consumer = Arc::new(Reader::from_config_and_context(&config, context)?);
    // It is set once.
    drop(consumer.context().own.consumer.set(Arc::downgrade(&consumer)));
    if shared.settings.oauth_token.is_some() {
        // It has asked for a token, which is given here; nothing else can come before it has joined.
        drop(consumer.poll(Duration::ZERO));
    }
    shared.joins_as(&consumer);
    Ok(consumer)
}

/// Takes part in the group until it is closed. A client that failed for good, as a fenced one does, is made anew: reading goes
/// on where was committed.
pub(super) fn run(shared: &Arc<Shared>, mut consumer: Arc<Reader>) {
    if !shared.has_lanes() {
        return;
    }
    loop {
        if let Err(error) = consumer.subscribe(&shared.topics.subscription()) {
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
            Some(Err(error)) if is_replaced(&error) => shared.fail(shared.failed("read", &error)),
            Some(Err(KafkaError::MessageConsumptionFatal(_))) => return true,
            Some(Err(error)) if ends_the_run(&error) => shared.fail(shared.failed("read", &error)),
            None | Some(Err(_)) => {}
            // Each partition has its queue before it is assigned, so that this would be lost.
            Some(Ok(_)) => shared.fail(shared.failed("read", &KafkaError::Canceled)),
        }
        if let Err(error) = assign_again(consumer, shared) {
            shared.fail(shared.failed("read", &error));
        }
        commit(consumer, &shared.take_settled(), CommitMode::Async, shared);
    }
    commit(consumer, &shared.take_settled(), CommitMode::Sync, shared);
    false
}

/// Whether another worker has come in under the name of this one. To come in again would throw that one out.
fn is_replaced(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::FencedInstanceId)
}

/// Begins partitions anew, where the group has committed, without a word to the group.
fn assign_again(consumer: &Reader, shared: &Shared) -> KafkaResult<()> {
    let mut partitions = shared.take_again();
    if partitions.is_empty() {
        return Ok(());
    }
    let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
    if !cooperative {
        // What is assigned then is all that the member has.
        partitions = shared.all_partitions();
    }
    drop(shared.tell(&partitions));
    let list = shared.topics.listed(partitions.iter().map(|partition| (*partition, Offset::Invalid)));
    if cooperative && consumer.incremental_unassign(&list).is_err() {
        // The group is taking them away, or the client has failed for good and is made anew: then they come again by themselves.
        shared.put_back_again(partitions);
        return Ok(());
    }
    consumer.context().own.assign(consumer, &list, cooperative)
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

fn commit(consumer: &Reader, settled: &BTreeMap<u32, i64>, mode: CommitMode, shared: &Shared) {
    if settled.is_empty() {
        return;
    }
    let list = shared.topics.listed(settled.iter().map(|(slot, offset)| (*slot, Offset::Offset(*offset))));
    crash::point("kafka-commit");
    // In a rebalance the broker refuses commits of the generation before. What was refused is committed the next time.
    if let Err(error) = consumer.commit(&list, mode) {
        refused(shared, &error, settled.iter().map(|(partition, offset)| (*partition, *offset)));
    }
    crash::point("kafka-committed");
}

/// A commit that will never succeed ends the run: what is written would be written again and again.
fn refused(shared: &Shared, error: &KafkaError, offsets: impl Iterator<Item = (u32, i64)>) {
    use RDKafkaErrorCode as Code;
    let is_final = matches!(
        error.rdkafka_error_code(),
        Some(
            Code::GroupAuthorizationFailed
                | Code::TopicAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::OffsetMetadataTooLarge
                | Code::InvalidCommitOffsetSize
        )
    );
    if is_final {
        shared.fail(shared.failed("commit offsets of", error));
    }
    shared.put_back(offsets);
}

impl Member {
    /// A queue for each partition, made before it is assigned, so that no message comes another way.
    fn queues(&self, list: &TopicPartitionList) -> Vec<(u32, Queue)> {
        let Some(consumer) = self.consumer.get().and_then(Weak::upgrade) else { return Vec::new() };
        let queue = |slot: u32| {
            let (topic, partition) = self.shared.topics.place(slot)?;
            Some((slot, consumer.split_partition_queue(&topic, partition)?))
        };
        self.shared.topics.slots(list).into_iter().filter_map(queue).collect()
    }

    fn assign(&self, consumer: &Reader, list: &TopicPartitionList, cooperative: bool) -> KafkaResult<()> {
        self.shared.announce(&self.shared.topics.slots(list));
        let queues = self.queues(list);
        if cooperative { consumer.incremental_assign(list) } else { consumer.assign(list) }?;
        self.shared.assign(queues);
        Ok(())
    }

    fn revoke(&self, consumer: &Reader, list: &TopicPartitionList, cooperative: bool) -> KafkaResult<()> {
        let settled = self.shared.revoke(&self.shared.topics.slots(list), consumer.assignment_lost(), GIVE_UP);
        commit(consumer, &settled, CommitMode::Sync, &self.shared);
        if cooperative { consumer.incremental_unassign(list) } else { consumer.unassign() }
    }
}

impl ConsumerContext for Context<Member> {
    fn rebalance(&self, consumer: &Reader, error: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let done = if error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.own.assign(consumer, list, cooperative)
        } else {
            self.own.revoke(consumer, list, cooperative)
        };
        if let Err(error) = done {
            let shared = &self.own.shared;
            shared.fail(shared.failed("read", &error));
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        if let Err(error) = result {
            let shared = &self.own.shared;
            refused(shared, &error, shared.topics.offsets(offsets).into_iter());
        }
    }
}
