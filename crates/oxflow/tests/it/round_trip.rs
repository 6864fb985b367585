//! Random rows through the tables.

use crate::host::Entry::Apply;
use crate::host::{Input, run};
use oxflow::{Message, Payload};
use proptest::prelude::{Strategy, any, prop, proptest};
use proptest::test_runner::TestCaseError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Anything {
    text: String,
    number: i64,
    float: f64,
    list: Vec<Option<u64>>,
    map: BTreeMap<String, bool>,
}

/// Writes its metadata anew, as it was.
#[oxflow::function]
fn rewritten(msg: Message<Anything>) -> Message<Anything> {
    let headers: Vec<_> = msg.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
    let (key, timestamp) = (msg.key().map(<[u8]>::to_vec), msg.timestamp());
    let msg = msg.with_headers(headers).with_timestamp(timestamp);
    match key {
        Some(key) => msg.with_key(key),
        None => msg.without_key(),
    }
}

fn anything() -> impl Strategy<Value = Anything> {
    let finite = any::<f64>().prop_filter("JSON has no other", |float| float.is_finite());
    let list = prop::collection::vec(any::<Option<u64>>(), 0..4);
    let map = prop::collection::btree_map(any::<String>(), any::<bool>(), 0..4);
    let fields = (any::<String>(), any::<i64>(), finite, list, map);
    fields.prop_map(|(text, number, float, list, map)| Anything { text, number, float, list, map })
}

fn input() -> impl Strategy<Value = (Input, Anything)> {
    let headers = prop::collection::vec((any::<String>(), any::<Vec<u8>>()), 0..3);
    let parts = (anything(), any::<Option<Vec<u8>>>(), headers, any::<i64>());
    parts.prop_map(|(value, key, headers, timestamp)| {
        let payload = serde_json::to_vec(&value).expect("JSON");
        (Input { payload, key, headers, timestamp }, value)
    })
}

proptest! {
    #[test]
    fn rows_come_back_as_they_went(rows in prop::collection::vec(input(), 0..20)) {
        let (inputs, values): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let (outputs, failed) = run(&inputs, &[Apply("rewritten"), Apply("rewritten")]);
        proptest::prop_assert!(failed.is_empty());
        proptest::prop_assert_eq!(inputs.len(), outputs.len());
        for ((input, value), (output, row)) in inputs.into_iter().zip(values).zip(outputs.into_iter().zip(0..)) {
            let found: Anything = serde_json::from_slice(&output.payload).map_err(|error| TestCaseError::fail(error.to_string()))?;
            proptest::prop_assert_eq!((row, value), (output.row, found));
            proptest::prop_assert_eq!(Some((input.key, input.headers, input.timestamp)), output.changed);
        }
    }
}
