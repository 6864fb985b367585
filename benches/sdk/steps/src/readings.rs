//! The same work on payloads that differ in how they are converted.

use std::collections::BTreeMap;

use oxflow::{Bytes, Message, Payload, Text, convert_via_json};
use serde::{Deserialize, Serialize};

/// A measurement.
#[derive(Serialize, Deserialize, Payload)]
pub struct Reading {
    pub org_id: u64,
    pub project_id: u64,
    pub name: String,
    pub timestamp: i64,
    pub value: f64,
    pub tags: BTreeMap<String, String>,
}

/// A measurement, and whether it is large.
#[derive(Serialize, Deserialize, Payload)]
pub struct Judged {
    pub org_id: u64,
    pub project_id: u64,
    pub name: String,
    pub timestamp: i64,
    pub value: f64,
    pub tags: BTreeMap<String, String>,
    pub large: bool,
}

/// A measurement that lies in its message.
#[derive(Serialize, Deserialize, Payload)]
pub struct Lent<'a> {
    pub org_id: u64,
    pub project_id: u64,
    #[serde(borrow)]
    pub name: Text<'a>,
    pub timestamp: i64,
    pub value: f64,
    #[serde(borrow)]
    pub tags: BTreeMap<Text<'a>, Text<'a>>,
}

/// The same, and whether it is large.
#[derive(Serialize, Deserialize, Payload)]
pub struct LentJudged<'a> {
    pub org_id: u64,
    pub project_id: u64,
    #[serde(borrow)]
    pub name: Text<'a>,
    pub timestamp: i64,
    pub value: f64,
    #[serde(borrow)]
    pub tags: BTreeMap<Text<'a>, Text<'a>>,
    pub large: bool,
}

/// A measurement that is handed over as JSON text.
#[derive(Serialize, Deserialize)]
pub struct Written(Reading);

convert_via_json!(Written);

/// The same, and whether it is large.
#[derive(Serialize, Deserialize)]
pub struct WrittenJudged(Judged);

convert_via_json!(WrittenJudged);

fn judged(reading: Reading) -> Judged {
    let Reading { org_id, project_id, name, timestamp, value, tags } = reading;
    Judged { org_id, project_id, name, timestamp, value, tags, large: value > 100.0 }
}

/// Owns its payload.
#[oxflow::function]
fn judge(msg: Message<Reading>) -> Judged {
    judged(msg.take().0)
}

/// Borrows its payload.
#[oxflow::function]
fn judge_lent<'a>(msg: Message<Lent<'a>>) -> LentJudged<'a> {
    let Lent { org_id, project_id, name, timestamp, value, tags } = msg.take().0;
    LentJudged { org_id, project_id, name, timestamp, value, tags, large: value > 100.0 }
}

/// Is handed JSON text.
#[oxflow::function]
fn judge_written(msg: Message<Written>) -> WrittenJudged {
    WrittenJudged(judged(msg.take().0.0))
}

/// Only looks.
#[oxflow::function]
fn is_large(msg: &Message<Reading>) -> bool {
    msg.payload().value > 100.0
}

/// Bytes as they are.
#[oxflow::function]
fn same_bytes(msg: Message<Bytes>) -> Bytes {
    msg.take().0
}

/// A second step behind the one that borrows.
#[oxflow::function]
fn judge_again<'a>(msg: Message<LentJudged<'a>>) -> LentJudged<'a> {
    let judged = msg.take().0;
    LentJudged { large: judged.large && judged.value < 1000.0, ..judged }
}

/// Gives every other reading a value that has no JSON but `null`.
#[oxflow::function]
fn judge_oddly(msg: Message<Reading>) -> Judged {
    let mut judged = judged(msg.take().0);
    if judged.org_id % 2 == 1 {
        judged.value = f64::NAN;
    }
    judged
}
