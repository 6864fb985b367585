use std::time::Instant;

use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

use super::*;
use crate::connect::kafka::mocked::{PARTITIONS, client, cluster, wait_until};
use crate::connect::{Partitions, PollLimits, Polled};

/// Far longer than a broker takes.
const LONG: Duration = Duration::from_secs(30);

fn limits(wait: Duration) -> PollLimits {
    PollLimits { messages: 100, bytes: 1 << 20, wait, message_bytes: 1 << 20, decompression_ratio: 1 }
}

/// Lets a lane begin all partitions of `in`; it does what a lane does between two batches.
fn begin(source: &mut dyn Source) {
    let mut begun = 0;
    while begun < PARTITIONS as usize {
        let changes = source.changes();
        source.released(&changes.revoked);
        begun += changes.assigned.len();
        source.poll(&limits(Duration::from_millis(10))).expect("it reads");
    }
}

#[test]
fn a_partition_that_came_again_while_its_lane_was_busy_wakes_it() {
    let cluster = cluster(0);
    let settings =
        KafkaStream { group: Some("woken".to_owned()), ..KafkaStream::new(&cluster.bootstrap_servers(), "in") };
    let stream = (Arc::from("in"), settings);
    let topics = Topics::new(std::slice::from_ref(&stream), &Arc::new(Partitions::default()));
    let group = KafkaGroup::open(&stream, topics, None).expect("a group");
    let mut source = group.split(1).remove(0);
    begin(&mut *source);
    // Everything is undone while the lane is in a step: it asks for no changes.
    group.shared.hold();
    group.shared.assign_again();
    wait_until("to come again", || group.shared.state().ownership.is_offered(0));
    begin(&mut *source);
    let producer: ThreadedProducer<DefaultProducerContext> = client(&cluster).create().expect("a producer");
    let writing = thread::spawn(move || {
        // When the lane waits.
        thread::sleep(Duration::from_millis(300));
        producer.send(BaseRecord::<(), str>::to("in").payload("woken")).map_err(|(error, _)| error).expect("room");
        producer.flush(LONG).expect("an answer");
    });
    let began = Instant::now();
    while matches!(source.poll(&limits(LONG)).expect("it reads"), Polled::Idle) {}
    assert!(began.elapsed() < LONG / 2, "it slept for {:?}", began.elapsed());
    writing.join().expect("it is written");
}
