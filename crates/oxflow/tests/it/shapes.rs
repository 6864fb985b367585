//! What Python is told of Rust types.

use crate::host::{functions, module, text, type_of};
use oxflow::abi::{Codec, MAGIC};
use oxflow::shape::{Field, Record, RecordKind, Type};
use oxflow::{Payload, Shape};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

fn field(name: &str, shape: Type, required: bool) -> Field {
    Field { name: name.to_owned(), shape, required, always: false }
}

/// One that need not be there, but is always written.
fn always(name: &str, shape: Type) -> Field {
    Field { always: true, ..field(name, shape, false) }
}

fn record(name: &str, fields: Vec<Field>) -> Type {
    Type::Record(Box::new(Record { name: name.to_owned(), module: String::new(), kind: RecordKind::Rust, fields }))
}

fn list(item: Type) -> Type {
    Type::List(Box::new(item))
}

#[test]
fn standard_types_are_what_serde_makes_of_them() {
    type Nested = HashMap<String, Vec<(u8, f32, Option<String>)>>;
    let tuple = Type::Tuple(vec![Type::Int, Type::Float, Type::Union(vec![Type::Str, Type::None])]);
    assert_eq!(Type::Dict(Box::new(Type::Str), Box::new(list(tuple))), Nested::shape());
    assert_eq!(Type::Any, Option::<serde_json::Value>::shape());
    assert_eq!(Type::Union(vec![Type::Int, Type::Float, Type::None]), Option::<Option<serde_json::Number>>::shape());
}

type Weight = Option<f64>;

#[derive(Serialize, Deserialize, Payload)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    created_at: u64,
    #[serde(rename = "type")]
    kind: Kind,
    r#match: bool,
    weight: Weight,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(skip)]
    cached: Option<u8>,
    value: Amount,
}

#[derive(Serialize, Deserialize, Payload)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
enum Kind {
    FirstOrder,
    #[serde(rename = "again")]
    Repeated,
}

#[derive(Serialize, Deserialize, Payload)]
#[serde(untagged)]
enum Amount {
    One(i64),
    Many(Vec<f64>),
}

#[test]
fn serde_attributes_shape_the_fields() {
    let fields = vec![
        field("createdAt", Type::Int, true),
        field("type", Type::Literal(vec!["FIRST-ORDER".into(), "again".into()]), true),
        field("match", Type::Bool, true),
        always("weight", Type::Union(vec![Type::Float, Type::None])),
        field("tags", Type::Dict(Box::new(Type::Str), Box::new(Type::Str)), false),
        field("value", Type::Union(vec![Type::Int, list(Type::Float)]), true),
    ];
    assert_eq!(record("Order", fields), <Order as Payload>::shape());
}

#[test]
fn a_record_reads_and_writes_what_its_shape_says() {
    let text = br#"{"createdAt":1,"type":"FIRST-ORDER","match":true,"weight":null,"value":[1.5]}"#;
    let mut out = Vec::new();
    let order = Order::decode(text).expect("an order");
    assert_eq!(None, order.cached);
    order.encode(&mut out).expect("JSON");
    assert_eq!(text.as_slice(), out);
}

#[derive(Serialize, Deserialize, Payload)]
struct Tree {
    children: Vec<Tree>,
    parent: Option<Box<Tree>>,
    data: Data,
}

#[derive(Serialize, Deserialize, Payload)]
#[serde(untagged)]
enum Data {
    Leaf(String),
    Nested(Vec<Data>),
    Tree(Box<Tree>),
}

#[test]
fn recursion_ends_at_the_enclosing_record() {
    let tree = || Type::Enclosing("Tree".to_owned());
    let fields = vec![
        field("children", list(tree()), true),
        always("parent", Type::Union(vec![tree(), Type::None])),
        field("data", Type::Union(vec![Type::Str, list(Type::Any), tree()]), true),
    ];
    assert_eq!(record("Tree", fields), <Tree as Payload>::shape());
}

#[test]
fn the_module_table_describes_itself() {
    assert_eq!((MAGIC, env!("CARGO_PKG_VERSION").to_owned()), (module().magic, text(module().sdk)));
    let names: Vec<String> = functions().iter().map(|function| text(function.name)).collect();
    assert!(names.is_sorted() && names.contains(&"Double".to_owned()), "{names:?}");
}

#[test]
fn documentation_is_kept_without_its_slashes() {
    assert_eq!("A measurement.\n\nWith more to say.", text(type_of("Reading").doc));
    let function = |name: &str| text(crate::host::function(name).doc);
    assert_eq!(
        ["Doubles the value.", "Fails on negative values, panics on 13."],
        ["Double", "checked"].map(function).as_slice()
    );
}

#[test]
fn records_are_public_and_have_a_hash_and_others_have_not() {
    let facts = |name| (type_of(name).public, type_of(name).hash != 0, type_of(name).codec);
    let (json, bytes) = (Codec::Json as u32, Codec::Bytes as u32);
    let expected = [(1, true, json), (1, false, json), (0, false, json), (0, false, bytes)];
    assert_eq!(expected, ["Reading", "IngestMetric", "str", "bytes"].map(facts));
    assert!(functions().iter().all(|function| !function.input.is_null() && !function.output.is_null()));
}

mod renamed {
    use super::{Deserialize, Payload, Serialize};

    #[derive(Serialize, Deserialize, Payload)]
    pub(super) struct Left {
        pub(super) a: u8,
    }

    #[derive(Serialize, Deserialize, Payload)]
    pub(super) struct Right {
        pub(super) a: i64,
    }

    #[derive(Serialize, Deserialize, Payload)]
    pub(super) struct Other {
        pub(super) b: i64,
    }
}

#[test]
fn the_hash_is_that_of_the_fields_alone() {
    let sum = i64::from(renamed::Left { a: 1 }.a) + renamed::Right { a: 1 }.a + renamed::Other { b: 1 }.b;
    assert_eq!(3, sum);
    let [left, right, other] = ["Left", "Right", "Other"].map(|name| type_of(name).hash);
    assert_eq!(left, right);
    assert_ne!(left, other);
}
