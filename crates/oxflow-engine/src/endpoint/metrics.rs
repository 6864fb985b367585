//! A report in the format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use crate::host::{Metric, Reading};
use crate::report::{PartitionReport, Report, StepReport};

/// Name, kind, and what it says.
type Family = (&'static str, &'static str, &'static str);

/// The metrics of a run, each family once.
pub(super) fn text(report: &Report) -> String {
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

const SOURCES: [OfSource; 3] = [
    (("oxflow_source_committed_position", "gauge", "Where reading would go on."), |source| source.committed),
    (("oxflow_source_position_bytes", "gauge", "Bytes of the file that were read."), |source| source.position_bytes),
    (("oxflow_source_size_bytes", "gauge", "Length of the file when it was opened."), |source| source.size_bytes),
];

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, (name, kind, help): Family) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        if labels.is_empty() {
            self.line(format_args!("{name} {value}"));
        } else {
            self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
        }
    }

    /// What steps measure themselves: `module_name`, one family for all attributes.
    fn own(&mut self, metrics: &[Metric]) {
        let mut families: BTreeMap<String, Vec<&Metric>> = BTreeMap::new();
        for metric in metrics {
            families.entry(named(metric)).or_default().push(metric);
        }
        for (name, metrics) in families {
            let Some(first) = metrics.first() else { continue };
            let kind = match first.reading {
                Reading::Counter { .. } => "counter",
                Reading::Gauge { .. } => "gauge",
                Reading::Histogram { .. } => "summary",
            };
            let doc = first.doc.lines().next().unwrap_or_default();
            self.line(format_args!("# HELP {name} {}", doc.replace('\\', "\\\\")));
            self.line(format_args!("# TYPE {name} {kind}"));
            for metric in metrics {
                self.reading(&name, metric);
            }
        }
    }

    fn reading(&mut self, name: &str, metric: &Metric) {
        let keys: Vec<String> = metric.attributes.keys().map(|key| word(key)).collect();
        let labels: Vec<(&str, &str)> =
            keys.iter().map(String::as_str).zip(metric.attributes.values().map(String::as_str)).collect();
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

/// The text with nothing in it that a name can't have.
fn word(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_stands_once_before_its_samples() {
        let text = text(&Report::unstarted());
        let mut named: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let count = named.len();
        named.sort_unstable();
        named.dedup();
        assert_eq!(count, named.len());
        assert!(named.contains(&"oxflow_step_messages_in_total"));
    }

    #[test]
    fn labels_are_escaped() {
        let mut text = Text::default();
        text.sample("a", &[("file", "a\"b\\c\nd")], 1);
        assert_eq!("a{file=\"a\\\"b\\\\c\\nd\"} 1\n", text.0);
    }
}
