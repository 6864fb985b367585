//! The functions of getsentry/streams' example `rust_simple_map_filter`, as that team writes them: the `use` line names
//! oxflow, and the Python module is left out.

#![allow(unreachable_pub)]

use crate::host::Entry::{Apply, Select};
use crate::host::{inputs, run};
use oxflow::{Message, convert_via_json, rust_function};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct IngestMetric {
    #[serde(rename = "type")]
    pub metric_type: String,
    pub name: String,
    pub value: f64,
    pub tags: std::collections::HashMap<String, String>,
    pub timestamp: u64,
}

convert_via_json!(IngestMetric);

rust_function!(RustFilterEvents, IngestMetric, bool, |msg: Message<IngestMetric>| -> bool {
    let (payload, _) = msg.take();
    payload.metric_type == "c"
});

#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct TransformedIngestMetric {
    #[serde(rename = "type")]
    pub metric_type: String,
    pub name: String,
    pub value: f64,
    pub tags: std::collections::HashMap<String, String>,
    pub timestamp: u64,
    pub transformed: bool,
}

convert_via_json!(TransformedIngestMetric);

rust_function!(
    RustTransformMsg,
    IngestMetric,
    TransformedIngestMetric,
    |msg: Message<IngestMetric>| -> TransformedIngestMetric {
        let (payload, _) = msg.take();
        TransformedIngestMetric {
            metric_type: payload.metric_type,
            name: payload.name,
            value: payload.value,
            tags: payload.tags,
            timestamp: payload.timestamp,
            transformed: true,
        }
    }
);

#[test]
fn their_filter_and_their_transform_run_fused() {
    let metric = |kind| format!(r#"{{"type":"{kind}","name":"n","value":1.0,"tags":{{}},"timestamp":1}}"#);
    let (outputs, failed) =
        run(&inputs([metric("c"), metric("d")]), &[Select("RustFilterEvents"), Apply("RustTransformMsg")]);
    assert!(failed.is_empty());
    let expected = r#"{"type":"c","name":"n","value":1.0,"tags":{},"timestamp":1,"transformed":true}"#;
    assert_eq!(
        [(0, expected.as_bytes())],
        outputs.iter().map(|output| (output.row, &*output.payload)).collect::<Vec<_>>()[..]
    );
}
