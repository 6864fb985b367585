//! Payloads of every form, each given back as it came.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use oxflow::{Bytes, Message, Payload};
use serde::{Deserialize, Serialize};

/// The types that JSON has.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Scalars {
    pub truth: bool,
    pub small: i8,
    pub large: i64,
    pub larger: u64,
    pub largest: i128,
    pub single: f32,
    pub double: f64,
    pub text: String,
    pub nothing: (),
    pub any: Scalar,
}

/// One of several scalars.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
#[serde(untagged)]
pub enum Scalar {
    Truth(bool),
    Whole(i64),
    Real(f64),
    Text(String),
}

/// Lists, sets, tuples and maps.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Containers {
    pub list: Vec<Option<i64>>,
    pub queue: VecDeque<Arc<str>>,
    pub slice: Box<[bool]>,
    pub array: [i64; 3],
    pub tuple: (i64, String, Vec<f64>),
    pub map: BTreeMap<String, Vec<i64>>,
    pub bytes: Bytes,
    pub period: Duration,
}

/// Types whose JSON is narrower than their shape.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Narrow {
    pub letter: char,
    pub set: BTreeSet<u8>,
    pub numbers: BTreeMap<i16, bool>,
    pub flags: BTreeMap<bool, u8>,
    pub colours: BTreeMap<Colour, u8>,
    pub address: IpAddr,
    pub when: chrono::DateTime<chrono::Utc>,
    pub day: time::Date,
    pub id: uuid::Uuid,
}

/// Plain names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Payload)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    Red,
    LightBlue,
}

/// Fields that need not be there.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
#[serde(rename_all = "camelCase")]
pub struct Sparse {
    pub always_there: i64,
    pub optional: Option<i64>,
    #[serde(default)]
    pub defaulted: Vec<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sometimes: Option<String>,
}

/// A place, to be held by others.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Place {
    pub x: i64,
    pub y: f64,
}

/// A value under the name of its variant.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub enum External {
    Nothing,
    One(i64),
    Two(i64, String),
    Named { place: Place },
}

/// A variant's name among its fields.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Internal {
    Started,
    TimedOut { after: i64 },
    Moved(Place),
}

/// A variant's name beside what it holds.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
#[serde(tag = "t", content = "c")]
pub enum Adjacent {
    Nothing,
    One(Place),
    Two(i64, bool),
}

/// All enums.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Choices {
    pub colour: Colour,
    pub external: External,
    pub internal: Vec<Internal>,
    pub adjacent: Option<Adjacent>,
    pub scalar: Scalar,
}

/// Fields of others among its own.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Flattened {
    pub id: i64,
    #[serde(flatten)]
    pub place: Place,
    #[serde(flatten)]
    pub maybe: Option<Maybe>,
}

/// What may be flattened.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Maybe {
    pub note: String,
}

/// Itself, in itself.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Tree {
    pub value: i64,
    pub children: Vec<Tree>,
    pub parent: Option<Box<Tree>>,
}

/// Has pets, which have an owner.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Owner {
    pub pets: Vec<Pet>,
}

/// Has an owner, who has pets.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Pet {
    pub owner: Option<Box<Owner>>,
}

/// A pair without names.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Pair(pub i64, pub String);

/// Items of any type.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<i64>,
}

/// What no other field names is kept.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Open {
    pub id: i64,
    #[serde(flatten)]
    #[payload(rest)]
    pub rest: BTreeMap<String, Scalar>,
}

/// What no field names is refused.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
#[payload(unknown = "reject")]
pub struct Strict {
    pub id: i64,
    pub places: Vec<Place>,
}

/// What `metrics_steps` calls an `IngestMetric`: another name, another order, fewer values.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Metric {
    pub timestamp: u64,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub value: i64,
    pub tags: BTreeMap<String, String>,
    pub org_id: u64,
    pub project_id: u64,
    pub retention_days: u16,
}

macro_rules! same {
    ($($name:ident: $type:ty),+ $(,)?) => {$(
        #[oxflow::function]
        fn $name(msg: Message<$type>) -> $type {
            msg.take().0
        }
    )+};
}

same! {
    same_scalars: Scalars,
    same_containers: Containers,
    same_narrow: Narrow,
    same_sparse: Sparse,
    same_choices: Choices,
    same_flattened: Flattened,
    same_tree: Tree,
    same_owner: Owner,
    same_pet: Pet,
    same_pair: Pair,
    same_page: Page<Place>,
    same_internal: Internal,
    same_open: Open,
    same_place: Place,
    same_strict: Strict,
    same_metric: Metric,
}
