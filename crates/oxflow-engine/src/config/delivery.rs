//! What is promised about each message, and what has to be so that it can be kept.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bounded, Config, KafkaStream, Stream};
use crate::connect::StreamUrl;
use crate::diagnostic::{Code, Diagnostic};

/// What is promised about each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// None is lost; after a failure some are delivered again.
    AtLeastOnce,
    /// None is lost and none is delivered twice. From files to files, or from topics to topics of one cluster.
    ExactlyOnce,
}

/// Milliseconds until the broker undoes a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TransactionTimeoutMs(pub Bounded<1000, 900_000>);

impl Default for TransactionTimeoutMs {
    fn default() -> Self {
        Self(Bounded::new::<10_000>())
    }
}

impl Config {
    /// What keeps a run from writing in transactions that is to, as one that is exactly once from Kafka is.
    pub(super) fn transactional<'s>(&self, source: &str, sinks: impl Iterator<Item = &'s str>) -> Vec<Diagnostic> {
        let Some(read) = self.topic(source).filter(|_| self.run.delivery == Some(Delivery::ExactlyOnce)) else {
            return Vec::new();
        };
        let sinks: BTreeSet<&str> = sinks.collect();
        let first = sinks.iter().find_map(|sink| Some((*sink, self.topic(sink)?)));
        let outside = sinks.iter().filter_map(|sink| self.outside(sink, &read, first.as_ref()));
        let interval = self.run.checkpoint_ms.0.get() >= self.run.transaction_timeout_ms.0.get();
        let uncommitted =
            read.properties.get("isolation.level").is_some_and(|level| level.reveal() != "read_committed");
        outside.chain(interval.then(too_rare)).chain(uncommitted.then(|| reads_uncommitted(source))).collect()
    }

    pub(crate) fn topic(&self, stream: &str) -> Option<Box<KafkaStream>> {
        match self.stream(stream).map(Stream::place) {
            Some(Ok(StreamUrl::Kafka(topic))) => Some(topic),
            _ => None,
        }
    }

    /// Why a sink can't be part of the transactions.
    fn outside(&self, sink: &str, read: &KafkaStream, first: Option<&(&str, Box<KafkaStream>)>) -> Option<Diagnostic> {
        let why = match self.stream(sink)?.place().ok()? {
            StreamUrl::Null => return None,
            StreamUrl::Kafka(topic) if brokers(&topic) != brokers(read) => {
                "its `bootstrap_servers` are not those of the source: a transaction is of one cluster".to_owned()
            }
            StreamUrl::Kafka(topic) => {
                let (name, first) = first?;
                if topic.properties == first.properties && topic.compression == first.compression {
                    return None;
                }
                format!("its `properties` or `compression` are not those of `{name}`: one client writes all topics")
            }
            _ => "only topics are part of a transaction".to_owned(),
        };
        let message = format!("`run.delivery` is `exactly_once`, but `{sink}` can't be written in its transactions");
        let fix =
            "bind it to a topic of the same cluster, with the same settings, or set `run.delivery: at_least_once`";
        Some(Diagnostic::new(Code::InvalidValue, message).because(why).fix(fix))
    }
}

fn brokers(topic: &KafkaStream) -> BTreeSet<&str> {
    topic.bootstrap_servers.split(',').map(str::trim).collect()
}

fn too_rare() -> Diagnostic {
    Diagnostic::new(Code::InvalidValue, "`run.checkpoint_ms` is not less than `run.transaction_timeout_ms`")
        .because("the broker would undo each transaction before it is committed")
        .fix("lower `run.checkpoint_ms`, or raise `run.transaction_timeout_ms`")
}

fn reads_uncommitted(source: &str) -> Diagnostic {
    let message = format!("`run.delivery` is `exactly_once`, but `{source}` is read with another `isolation.level`");
    Diagnostic::new(Code::InvalidValue, message)
        .because("what is read of a transaction that is undone later would stay in the outputs")
        .fix("remove `isolation.level` from its `properties`")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What is said of a run from `in` to `out` and `other`, exactly once.
    #[track_caller]
    fn check(expected: &str, run: &str, streams: &str) {
        let text = format!("run: {{delivery: exactly_once{run}}}\nstreams: {{{streams}}}");
        let config = Config::load(&text, "oxflow.yaml", &[], &BTreeMap::new()).expect("a configuration");
        let found = config.transactional("in", ["out", "other"].into_iter().filter(|name| streams.contains(*name)));
        let found: Vec<String> = found.into_iter().map(|found| format!("{}: {:?}", found.message, found.why)).collect();
        assert!(if expected.is_empty() { found.is_empty() } else { found.join("").contains(expected) }, "{found:?}");
    }

    const IN: &str = "in: 'kafka://a:1,b:1/t?group=g'";

    #[test]
    fn topics_of_one_cluster_with_the_same_settings_go_together() {
        check("", "", &format!("{IN}, out: 'kafka://b:1,a:1/u', other: 'null:'"));
        check("", "", "in: 'file:in.jsonl', out: 'file:out.jsonl'");
    }

    #[test]
    fn what_is_outside_of_the_transactions_is_told() {
        let outside = "`out` can't be written in its transactions: Some(\"";
        check(&format!("{outside}only topics"), "", &format!("{IN}, out: 'file:out.jsonl'"));
        check(&format!("{outside}its `bootstrap_servers`"), "", &format!("{IN}, out: 'kafka://c:1/u'"));
        let others = "out: 'kafka://a:1,b:1/u', other: 'kafka://a:1,b:1/v?compression=zstd'";
        check("`compression` are not those of `other`", "", &format!("{IN}, {others}"));
    }

    #[test]
    fn a_transaction_may_not_last_longer_than_the_broker_lets_it() {
        let streams = format!("{IN}, out: 'kafka://a:1,b:1/u'");
        check("`run.checkpoint_ms` is not less", ", checkpoint_ms: 5000, transaction_timeout_ms: 5000", &streams);
    }

    #[test]
    fn what_may_be_undone_is_not_read() {
        let read = "in: {kafka: {bootstrap_servers: 'a:1', topic: t, group: g, properties: {isolation.level: read_uncommitted}}}";
        check("another `isolation.level`", "", &format!("{read}, out: 'kafka://a:1/u'"));
    }
}
