//! A report in the format of Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write as _};

use crate::host::{Metric, Reading};
use crate::job::{Health, LaneHealth};
use crate::report::{PartitionReport, Report, StepReport};

/// Name, kind, and what it says.
type Family = (&'static str, &'static str, &'static str);

/// The metrics of a run, each family once.
pub(super) fn text(report: &Report, health: &Health) -> String {
    let mut text = Text::default();
    text.family(("oxflow_run_elapsed_seconds", "gauge", "Seconds since the start of the run."));
    text.sample("oxflow_run_elapsed_seconds", &[], report.elapsed_s);
    text.family(("oxflow_run_lanes", "gauge", "Threads that carry messages."));
    text.sample("oxflow_run_lanes", &[], report.lanes);
    for (family, value) in STEPS {
        text.family(family);
        for step in &report.steps {
            text.sample(family.0, &[("step", &step.name), ("kind", step.kind)], value(step));
        }
    }
    for (family, value) in SOURCES {
        text.family(family);
        for source in &report.sources {
            let partition = source.partition.to_string();
            let labels = [("stream", source.stream.as_str()), ("partition", &partition)];
            if let Some(value) = value(source) {
                text.sample(family.0, &labels, value);
            }
        }
    }
    text.health(health);
    text.family(("oxflow_log_records_total", "counter", "Log records that steps in Rust made."));
    for logs in &report.recorded.logs {
        let step = logs.step.as_deref().unwrap_or_default();
        text.sample("oxflow_log_records_total", &[("step", step), ("level", logs.level)], logs.count);
    }
    text.own(&report.recorded.metrics);
    text.0
}

type OfStep = (Family, fn(&StepReport) -> f64);
type OfSource = (Family, fn(&PartitionReport) -> Option<u64>);
type OfLane = (Family, fn(&LaneHealth) -> Option<f64>);

#[expect(clippy::cast_precision_loss, reason = "what Prometheus reads are floating-point numbers")]
const STEPS: [OfStep; 11] = [
    (("oxflow_step_messages_in_total", "counter", "Messages that came into the step."), |step| step.messages_in as f64),
    (("oxflow_step_messages_out_total", "counter", "Messages that the step gave."), |step| step.messages_out as f64),
    (("oxflow_step_errors_total", "counter", "Messages that failed in the step."), |step| step.errors as f64),
    (("oxflow_step_skipped_total", "counter", "Failed messages that were left out."), |step| step.skipped as f64),
    (("oxflow_step_dead_letters_total", "counter", "Failed messages that became dead letters."), |step| {
        step.dead_lettered as f64
    }),
    (("oxflow_step_retries_total", "counter", "Calls that were made again."), |step| step.retried as f64),
    (("oxflow_step_unknown_fields_total", "counter", "Fields that the step's type doesn't name."), |step| {
        step.unknown_fields as f64
    }),
    (("oxflow_step_time_seconds_total", "counter", "Seconds spent in the step, over all lanes."), |step| step.time_s),
    (("oxflow_step_waiting_seconds_total", "counter", "Seconds of these that waited for the interpreter."), |step| {
        step.waiting_s
    }),
    (("oxflow_step_in_flight_messages", "gauge", "Messages that are in the step."), |step| step.in_flight as f64),
    (("oxflow_step_busy_lanes", "gauge", "Lanes that are in the step."), |step| step.busy_lanes as f64),
];

const SOURCES: [OfSource; 5] = [
    (("oxflow_source_committed_position", "gauge", "Where reading would go on."), |source| source.committed),
    (("oxflow_source_position_bytes", "gauge", "Bytes of the file that were read."), |source| source.position_bytes),
    (("oxflow_source_size_bytes", "gauge", "Length of the file when it was opened."), |source| source.size_bytes),
    (("oxflow_source_end_position", "gauge", "The offset that the topic's next message gets."), |source| source.end),
    (("oxflow_source_lag_messages", "gauge", "Offsets between what is committed and the topic's end."), |source| {
        source.lag
    }),
];

#[expect(clippy::cast_precision_loss, reason = "what Prometheus reads are floating-point numbers")]
const LANES: [OfLane; 4] = [
    (("oxflow_lane_stalled", "gauge", "1 if the lane has not come further for too long."), |lane| {
        Some(f64::from(u8::from(lane.stalled)))
    }),
    (("oxflow_lane_standing_seconds", "gauge", "Seconds since what the lane carries has come no further."), |lane| {
        Some(lane.stands_s)
    }),
    (("oxflow_lane_last_progress_seconds", "gauge", "Seconds since a message came further in the lane."), |lane| {
        lane.last_progress_s
    }),
    (("oxflow_lane_under_way_batches", "gauge", "Batches that are on their way to the sinks."), |lane| {
        Some(lane.under_way as f64)
    }),
];

/// The text, and the names of families that are in it.
#[derive(Default)]
struct Text(String, BTreeSet<String>);

impl Text {
    fn family(&mut self, (name, kind, help): Family) {
        self.1.insert(name.to_owned());
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn health(&mut self, health: &Health) {
        for (family, value) in LANES {
            self.family(family);
            for lane in &health.lanes {
                let number = lane.lane.to_string();
                if let Some(value) = value(lane) {
                    self.sample(family.0, &[("lane", &number)], value);
                }
            }
        }
        self.family(("oxflow_keeping_seconds", "gauge", "Seconds that a checkpoint or commit takes already."));
        self.sample("oxflow_keeping_seconds", &[], health.keeping.as_ref().map_or(0.0, |keeping| keeping.takes_s));
        self.family((
            "oxflow_source_silent_seconds",
            "gauge",
            "Seconds that the source's brokers leave a question unanswered.",
        ));
        if let Some(source) = &health.source {
            self.sample("oxflow_source_silent_seconds", &[("stream", &source.stream)], source.silent_s);
        }
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        if labels.is_empty() {
            self.line(format_args!("{name} {value}"));
        } else {
            self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
        }
    }

    /// What steps measure themselves: `module_name`, one family for all attributes. Names that Prometheus would take for one
    /// are told apart by a number.
    fn own(&mut self, metrics: &[Metric]) {
        let mut families: BTreeMap<(&str, &str, &'static str), Vec<&Metric>> = BTreeMap::new();
        for metric in metrics {
            families.entry((metric.module, metric.name, kind(metric))).or_default().push(metric);
        }
        for ((_, _, kind), metrics) in families {
            let Some(first) = metrics.first() else { continue };
            let name = unique(named(first), |name| self.is_taken(name, kind));
            self.1.insert(name.clone());
            if kind == SUMMARY {
                self.1.extend([format!("{name}_sum"), format!("{name}_count")]);
            }
            let doc = first.doc.lines().next().unwrap_or_default();
            self.line(format_args!("# HELP {name} {}", doc.replace('\\', "\\\\")));
            self.line(format_args!("# TYPE {name} {kind}"));
            let labels = labels(&metrics);
            for metric in metrics {
                self.reading(&name, metric, &labels);
            }
        }
    }

    fn is_taken(&self, name: &str, kind: &str) -> bool {
        let parts = [format!("{name}_sum"), format!("{name}_count")];
        self.1.contains(name) || (kind == SUMMARY && parts.iter().any(|part| self.1.contains(part)))
    }

    fn reading(&mut self, name: &str, metric: &Metric, labels: &BTreeMap<&str, String>) {
        let label = |(key, value)| Some((labels.get(key)?.as_str(), value));
        let attributes = metric.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let labels: Vec<(&str, &str)> = attributes.filter_map(label).collect();
        match metric.reading {
            Reading::Counter { total } => self.sample(name, &labels, total),
            Reading::Gauge { last } => self.sample(name, &labels, last),
            Reading::Histogram { count, sum, .. } => {
                self.sample(&format!("{name}_sum"), &labels, sum);
                self.sample(&format!("{name}_count"), &labels, count);
            }
        }
    }

    fn line(&mut self, line: impl Display) {
        // To write to a text never fails.
        let _ = writeln!(self.0, "{line}");
    }
}

fn named(metric: &Metric) -> String {
    let end = if matches!(metric.reading, Reading::Counter { .. }) && !metric.name.ends_with("_total") {
        "_total"
    } else {
        ""
    };
    format!("{}_{}{end}", word(metric.module), word(metric.name))
}

const SUMMARY: &str = "summary";

fn kind(metric: &Metric) -> &'static str {
    match metric.reading {
        Reading::Counter { .. } => "counter",
        Reading::Gauge { .. } => "gauge",
        Reading::Histogram { .. } => SUMMARY,
    }
}

/// For each attribute of a family the name of its label. Those whose names may stay as they are go first.
fn labels<'m>(metrics: &[&'m Metric]) -> BTreeMap<&'m str, String> {
    let keys: BTreeSet<&str> = metrics.iter().flat_map(|metric| metric.attributes.keys()).map(String::as_str).collect();
    let (same, other): (Vec<&str>, Vec<&str>) = keys.into_iter().partition(|key| word(key) == *key);
    let mut labels = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for key in same.into_iter().chain(other) {
        let label = unique(word(key), |label| taken.contains(label));
        taken.insert(label.clone());
        labels.insert(key, label);
    }
    labels
}

/// The name, with a number behind it if it is taken.
fn unique(name: String, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(&name) {
        return name;
    }
    let numbered = (2..u32::MAX).map(|number| format!("{name}_{number}")).find(|name| !is_taken(name));
    numbered.unwrap_or(name)
}

/// The text with nothing in it that a name can't have, nor at its beginning.
fn word(text: &str) -> String {
    let word: String = text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    // Two underlines at the beginning are Prometheus's own.
    match word.strip_prefix("__") {
        Some(rest) => format!("_{}", rest.trim_start_matches('_')),
        None if word.is_empty() || word.starts_with(|letter: char| letter.is_ascii_digit()) => format!("_{word}"),
        None => word,
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_stands_once_before_its_samples() {
        let text = text(&Report::unstarted(), &Health::unstarted());
        let mut named: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let count = named.len();
        named.sort_unstable();
        named.dedup();
        assert_eq!(count, named.len());
        assert!(named.contains(&"oxflow_step_messages_in_total"));
    }

    fn counter(name: &'static str, attributes: &[(&str, &str)]) -> Metric {
        Metric {
            module: "steps",
            name,
            doc: "",
            attributes: attributes.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            reading: Reading::Counter { total: 1 },
        }
    }

    #[test]
    fn names_that_would_be_one_are_told_apart() {
        let mut text = Text::default();
        text.own(&[
            counter("a.b", &[("http.code", "1"), ("http_code", "2"), ("2nd", "3")]),
            counter("a.b", &[("http.code", "2")]),
            counter("a_b", &[]),
        ]);
        let expected = "\
# HELP steps_a_b_total 
# TYPE steps_a_b_total counter
steps_a_b_total{_2nd=\"3\",http_code_2=\"1\",http_code=\"2\"} 1
steps_a_b_total{http_code_2=\"2\"} 1
# HELP steps_a_b_total_2 
# TYPE steps_a_b_total_2 counter
steps_a_b_total_2 1
";
        assert_eq!(expected, text.0);
    }

    #[test]
    fn labels_are_escaped() {
        let mut text = Text::default();
        text.sample("a", &[("file", "a\"b\\c\nd")], 1);
        assert_eq!("a{file=\"a\\\"b\\\\c\\nd\"} 1\n", text.0);
    }
}
