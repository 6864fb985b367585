//! The events of the benchmark, for the steps and for the plain loop.

use std::collections::BTreeMap;

use oxflow::Payload;
use serde::{Deserialize, Serialize};

/// An event as it is read.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Event {
    pub id: String,
    pub active: bool,
    pub user: i64,
    pub at: i64,
    pub price: i64,
    pub count: i64,
    pub score: f64,
    pub text: String,
    pub parts: Vec<i64>,
    pub tags: BTreeMap<String, String>,
}

/// An event as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Enriched {
    pub id: String,
    pub active: bool,
    pub user: i64,
    pub at: i64,
    pub price: i64,
    pub count: i64,
    pub score: f64,
    pub text: String,
    pub parts: Vec<i64>,
    pub tags: BTreeMap<String, String>,
    pub total: i64,
    pub minute: i64,
}

impl From<Event> for Enriched {
    fn from(event: Event) -> Self {
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
