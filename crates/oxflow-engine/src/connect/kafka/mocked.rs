//! Whole runs on librdkafka's mock cluster: errors that a real broker can't be made to give.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::types::{RDKafkaApiKey as Request, RDKafkaRespErr as Answer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::config::Config;
use crate::connect::ConnectError;
use crate::job::{Job, JobError, Running, exit};
use crate::lower::Bindings;

pub(super) type Cluster = MockCluster<'static, DefaultProducerContext>;

pub(super) const PARTITIONS: i32 = 2;
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster with messages in `in`.
pub(super) fn cluster(count: usize) -> Cluster {
    let cluster = MockCluster::new(1).expect("a cluster");
    for topic in ["in", "out"] {
        cluster.create_topic(topic, PARTITIONS, 1).expect("a topic");
    }
    produce(&cluster, count);
    cluster
}

fn produce(cluster: &Cluster, count: usize) {
    let producer: ThreadedProducer<DefaultProducerContext> = client(cluster).create().expect("a producer");
    for number in 0..count {
        let payload = number.to_string();
        producer.send(BaseRecord::<(), str>::to("in").payload(&payload)).map_err(|(error, _)| error).expect("room");
    }
    producer.flush(PATIENCE).expect("an answer");
}

pub(super) fn client(cluster: &Cluster) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cluster.bootstrap_servers()).set("group.id", "copying");
    config
}

/// A run that copies `in` to `out`.
fn start(cluster: &Cluster) -> Result<Running, JobError> {
    start_with(cluster, &json!({"checkpoint_ms": 50, "lanes": 2}))
}

fn start_with(cluster: &Cluster, run: &Value) -> Result<Running, JobError> {
    let plan = json!({"version": 1, "source": {"name": "source", "stream": "in"}, "steps": [
        {"name": "sink", "operation": {"sink": "out"}},
    ]});
    let at = cluster.bootstrap_servers();
    let config = json!({"run": run, "steps": {"sink": {"on_error": "skip"}}, "streams": {
        "in": {"kafka": {"bootstrap_servers": at, "topic": "in", "group": "copying", "session_timeout_ms": 6000}},
        "out": {"kafka": {"bootstrap_servers": at, "topic": "out"}},
    }});
    Job {
        plan: serde_json::from_value(plan).expect("a plan"),
        config: serde_json::from_value::<Config>(config).expect("a configuration"),
        bindings: Bindings::default(),
        streams: HashMap::new(),
        clock: Clock::system(),
        drain: Arc::new(AtomicBool::new(false)),
        telemetry: None,
    }
    .start()
}

pub(super) fn wait_until(what: &str, over: impl Fn() -> bool) {
    let began = Instant::now();
    while !over() {
        assert!(began.elapsed() < PATIENCE, "{what} took more than a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Up to where the group has committed, all partitions together.
fn committed(consumer: &BaseConsumer) -> i64 {
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition("in", partition);
    }
    let found = consumer.committed_offsets(list, Duration::from_secs(5)).expect("offsets");
    let offset = |offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
    found.elements().iter().map(|element| offset(element.offset())).sum()
}

/// What lies in `out`.
fn written(cluster: &Cluster) -> Vec<usize> {
    let consumer: BaseConsumer = client(cluster).set("enable.partition.eof", "true").create().expect("a consumer");
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset("out", partition, Offset::Beginning).expect("an offset");
    }
    consumer.assign(&list).expect("an assignment");
    let (mut found, mut ends) = (Vec::new(), 0);
    while ends < PARTITIONS {
        match consumer.poll(PATIENCE).expect("an answer") {
            Ok(message) => {
                let text = message.payload_view::<str>().expect("a payload").expect("text");
                found.push(text.parse().expect("a number"));
            }
            Err(_) => ends += 1,
        }
    }
    found
}

/// Copies through errors that pass; how often messages came that came before.
fn check_copies(request: Request, answers: &[Answer]) -> usize {
    let count = 1000;
    let cluster = cluster(count);
    cluster.request_errors(request, answers);
    let running = start(&cluster).expect("a run");
    let asking: BaseConsumer = client(&cluster).create().expect("a consumer");
    wait_until("all of it", || committed(&asking) == 1000);
    running.drain();
    assert!(running.wait(PATIENCE), "it doesn't end");
    assert!(running.take_error().is_none(), "it failed");
    let mut found = written(&cluster);
    let all = found.len();
    found.sort_unstable();
    found.dedup();
    assert_eq!(count, found.len(), "messages are lost");
    all - count
}

#[test]
fn producing_goes_on_after_errors_that_pass_and_repeats_nothing() {
    use Answer::{
        RD_KAFKA_RESP_ERR__TRANSPORT as CutOff, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS as FewReplicas,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION as NotLeader, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT as TimedOut,
    };
    assert_eq!(0, check_copies(Request::Produce, &[NotLeader, FewReplicas, TimedOut, CutOff]));
}

#[test]
fn commits_that_are_refused_are_made_again() {
    use Answer::{
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS as Loading,
        RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION as OldGeneration, RD_KAFKA_RESP_ERR_NOT_COORDINATOR as NotCoordinator,
        RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS as Rebalancing,
    };
    check_copies(Request::OffsetCommit, &[OldGeneration, NotCoordinator, Loading, Rebalancing]);
}

#[test]
#[ignore = "it waits for long, by the group's clock: `make faults`"]
fn a_member_that_the_group_forgot_joins_again() {
    use Answer::{
        RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE as NoCoordinator,
        RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION as OldGeneration, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID as Forgotten,
    };
    check_copies(Request::Heartbeat, &[OldGeneration, Forgotten]);
    check_copies(Request::JoinGroup, &[NoCoordinator, Forgotten]);
    check_copies(Request::SyncGroup, &[Forgotten]);
}

#[test]
#[ignore = "it waits for long, by the group's clock: `make faults`"]
fn fetching_goes_on_after_errors_that_pass() {
    use Answer::{
        RD_KAFKA_RESP_ERR__TRANSPORT as CutOff, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION as NotLeader,
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART as Unknown,
    };
    assert_eq!(0, check_copies(Request::Fetch, &[NotLeader, CutOff, Unknown, CutOff]));
}

#[test]
#[ignore = "it waits for long, by the group's clock: `make faults`"]
fn a_broker_that_is_slow_costs_time() {
    let cluster = cluster(100);
    cluster.broker_round_trip_time(-1, Duration::from_millis(300)).expect("a broker");
    let running = start(&cluster).expect("a run");
    let asking: BaseConsumer = client(&cluster).create().expect("a consumer");
    wait_until("all of it", || committed(&asking) == 100);
    running.drain();
    assert!(running.wait(PATIENCE), "it doesn't end");
    assert_eq!(100, written(&cluster).len());
}

/// What a person has to do something about ends the run, and nothing that was not written is committed.
#[track_caller]
fn check_ends(request: Request, answers: &[Answer], fix: &str) {
    let cluster = cluster(10);
    cluster.request_errors(request, answers);
    let running = start(&cluster).expect("a run");
    assert!(running.wait(PATIENCE), "it doesn't end");
    let error = running.take_error().expect("an error");
    assert_eq!(exit::STREAM, error.exit_code());
    assert!(matches!(error, JobError::Connect(ConnectError::Broker { .. })), "{error}");
    let told = error.diagnostics().iter().map(ToString::to_string).collect::<String>();
    assert!(told.contains(fix), "{told}");
    let asking: BaseConsumer = client(&cluster).create().expect("a consumer");
    assert_eq!(0, committed(&asking));
}

#[test]
fn a_message_that_the_broker_finds_too_large_after_all_ends_the_run() {
    check_ends(
        Request::Produce,
        &[Answer::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE; 4],
        "raise `max.message.bytes` of the topic",
    );
}

#[test]
fn what_is_refused_is_the_measure_where_the_broker_does_not_tell_what_it_takes() {
    let cluster = cluster(10);
    // First all that is sent together, then a message that goes alone; all of them are as large.
    cluster.request_errors(Request::Produce, &[Answer::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE; 2 * PARTITIONS as usize]);
    let run = json!({"checkpoint_ms": 50, "lanes": 1, "delivery": "exactly_once"});
    let running = start_with(&cluster, &run).expect("a run");
    wait_until("all of it", || running.report().skipped.len() == 10);
    running.drain();
    assert!(running.wait(PATIENCE), "it doesn't end");
    assert!(running.take_error().is_none(), "it failed");
}

#[test]
fn a_transaction_whose_offsets_find_no_coordinator_is_made_again() {
    use Answer::{
        RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE as NoCoordinator,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR as NotCoordinator,
    };
    let cluster = cluster(10);
    let run = json!({
        "checkpoint_ms": 50, "lanes": 1, "delivery": "exactly_once", "transaction_timeout_ms": 3000,
    });
    let running = start_with(&cluster, &run).expect("a run");
    wait_until("the first transaction", || written(&cluster).len() == 10);
    // The client asks three times, and then no more: without an end of our own this takes until a connection comes or goes.
    cluster.request_errors(Request::TxnOffsetCommit, &[NotCoordinator]);
    cluster.request_errors(Request::FindCoordinator, &[NoCoordinator; 10]);
    produce(&cluster, 10);
    // This cluster keeps what is undone, and no offsets of transactions: all of it is read again.
    wait_until("the third transaction", || written(&cluster).len() == 40);
    running.drain();
    assert!(running.wait(PATIENCE), "it doesn't end");
    assert!(running.take_error().is_none(), "it failed");
}

#[test]
fn a_topic_that_may_not_be_written_ends_the_run() {
    check_ends(Request::Produce, &[Answer::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 4], "let the user");
}

#[test]
fn a_group_that_may_not_be_joined_ends_the_run() {
    check_ends(Request::JoinGroup, &[Answer::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED; 4], "let the user");
}
