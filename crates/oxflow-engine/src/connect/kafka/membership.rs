//! Whether a consumer is in its group. The safe interface hands its membership on without showing it.
#![allow(unsafe_code)]

use std::ffi::CStr;

use rdkafka::bindings::{
    rd_kafka_consumer_group_metadata, rd_kafka_consumer_group_metadata_destroy,
    rd_kafka_consumer_group_metadata_generation_id, rd_kafka_consumer_group_metadata_member_id,
};
use rdkafka::consumer::Consumer;

use super::reader::Reader;

/// True if the group knows the consumer by a name and a generation. Without both a broker takes offsets in a transaction from
/// anybody: a worker that was thrown out would not be fenced.
pub(super) fn is_member(consumer: &Reader) -> bool {
    // SAFETY: the client is alive; what it gives is ours until it is destroyed.
    let metadata = unsafe { rd_kafka_consumer_group_metadata(consumer.client().native_ptr()) };
    if metadata.is_null() {
        return false;
    }
    // SAFETY: it was not null, and is alive.
    let generation = unsafe { rd_kafka_consumer_group_metadata_generation_id(metadata) };
    // SAFETY: the same.
    let member = unsafe { rd_kafka_consumer_group_metadata_member_id(metadata) };
    // SAFETY: a name ends in a zero, and lives as long as the metadata.
    let is_named = !member.is_null() && unsafe { !CStr::from_ptr(member).is_empty() };
    // SAFETY: it is used no more.
    unsafe { rd_kafka_consumer_group_metadata_destroy(metadata) };
    generation >= 0 && is_named
}
