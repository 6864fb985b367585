//! The same events, lying in the message that they are read from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use oxflow::{Payload, Text};
use serde::{Deserialize, Serialize};

/// An event as it is read.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct BorrowedEvent<'e> {
    #[serde(borrow)]
    pub id: Cow<'e, str>,
    pub active: bool,
    pub user: i64,
    pub at: i64,
    pub price: i64,
    pub count: i64,
    pub score: f64,
    #[serde(borrow)]
    pub text: Cow<'e, str>,
    pub parts: Vec<i64>,
    #[serde(borrow)]
    pub tags: BTreeMap<Text<'e>, Text<'e>>,
}

/// An event as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct BorrowedEnriched<'e> {
    #[serde(borrow)]
    pub id: Cow<'e, str>,
    pub active: bool,
    pub user: i64,
    pub at: i64,
    pub price: i64,
    pub count: i64,
    pub score: f64,
    #[serde(borrow)]
    pub text: Cow<'e, str>,
    pub parts: Vec<i64>,
    #[serde(borrow)]
    pub tags: BTreeMap<Text<'e>, Text<'e>>,
    pub total: i64,
    pub minute: i64,
}

impl<'e> From<BorrowedEvent<'e>> for BorrowedEnriched<'e> {
    fn from(event: BorrowedEvent<'e>) -> Self {
        Self {
            total: event.price * event.count,
            minute: event.at.div_euclid(60_000),
            id: event.id,
            active: event.active,
            user: event.user,
            at: event.at,
            price: event.price,
            count: event.count,
            score: event.score,
            text: event.text,
            parts: event.parts,
            tags: event.tags,
        }
    }
}
