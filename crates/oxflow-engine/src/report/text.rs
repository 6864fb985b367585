//! A report as people read it: a table of the steps, what was left out, and a summary.
//!
//! It is made of the report's JSON, which is what the Python package keeps, so that a run reads the same wherever it went on.

use serde::Deserialize;
use serde_json::Value;

/// What is shown of a report; it may say more.
#[derive(Deserialize)]
struct Shown {
    status: String,
    ended: bool,
    #[serde(default)]
    stopped_by: Option<String>,
    elapsed_s: f64,
    lanes: u64,
    messages_in: u64,
    messages_out: u64,
    steps: Vec<Step>,
    skipped: Vec<Skipped>,
    checkpoint: Option<String>,
    resumed: bool,
}

#[derive(Deserialize)]
struct Step {
    name: String,
    kind: String,
    language: Option<String>,
    messages_in: u64,
    messages_out: u64,
    errors: u64,
    skipped: u64,
    dead_lettered: u64,
    retried: u64,
    unknown_fields: u64,
    time_s: f64,
}

#[derive(Deserialize)]
struct Skipped {
    step: String,
    origin: String,
    code: String,
    error: String,
}

/// The text, without a final line break; `recorded` are lines of what extensions recorded.
pub fn text(report: &Value, recorded: &[String]) -> String {
    match Shown::deserialize(report) {
        Ok(shown) => shown.text(recorded),
        Err(error) => format!("a report that can't be shown: {error}"),
    }
}

/// A heading, and the counter below it.
type Column = (&'static str, fn(&Step) -> u64);

impl Shown {
    fn text(&self, recorded: &[String]) -> String {
        let mut lines = self.table();
        lines.push(String::new());
        lines.extend(self.skipped());
        lines.extend_from_slice(recorded);
        lines.push(self.summary());
        lines.extend(self.goes_on());
        lines.join("\n")
    }

    fn sum(&self, counter: impl Fn(&Step) -> u64) -> u64 {
        self.steps.iter().map(counter).sum()
    }

    fn table(&self) -> Vec<String> {
        let columns = self.columns();
        let titles = columns.iter().map(|(title, _)| (*title).to_owned());
        let header: Vec<String> = ["step", "kind", "language"].map(str::to_owned).into_iter().chain(titles).collect();
        let header = header.into_iter().chain(["time".to_owned(), "per message".to_owned()]).collect();
        let rows = std::iter::once(header).chain(self.steps.iter().map(|step| row(step, &columns)));
        aligned(&rows.collect::<Vec<Vec<String>>>())
    }

    /// What seldom happens is shown where it did.
    fn columns(&self) -> Vec<Column> {
        let always: [Column; 4] = [
            ("in", |step| step.messages_in),
            ("out", |step| step.messages_out),
            ("errors", |step| step.errors),
            ("skipped", |step| step.skipped),
        ];
        let seldom: [Column; 2] = [("dead letters", |step| step.dead_lettered), ("retried", |step| step.retried)];
        let happened = seldom.into_iter().filter(|(_, counter)| self.steps.iter().any(|step| counter(step) > 0));
        always.into_iter().chain(happened).collect()
    }

    /// The first messages that were left out, and how many more there are.
    fn skipped(&self) -> Vec<String> {
        let line = |item: &Skipped| {
            format!("skipped[{}]: `{}` at {}: {}", item.code, item.step, item.origin, printable(&item.error))
        };
        let mut lines: Vec<String> = self.skipped.iter().map(line).collect();
        let more = self.sum(|step| step.skipped).saturating_sub(lines.len() as u64);
        if !lines.is_empty() && more > 0 {
            lines.push(format!("and {} more", grouped(more)));
        }
        lines
    }

    fn summary(&self) -> String {
        let early = if self.ended { "" } else { " before the end of the source" };
        let stopped =
            self.stopped_by.as_ref().map(|signal| format!(", stopped by {signal}{early},")).unwrap_or_default();
        let lanes = if self.lanes == 1 { "1 lane".to_owned() } else { format!("{} lanes", self.lanes) };
        let resumed = if self.resumed { ", resumed where an earlier run stopped" } else { "" };
        let (status, time, counts) = (&self.status, duration(self.elapsed_s), self.counts());
        format!("{status}{stopped} in {time} on {lanes}{resumed}: {counts}, {} messages/s", grouped(self.rate()))
    }

    fn counts(&self) -> String {
        let counted = |count: u64, one: &str, many: &str| match count {
            0 => String::new(),
            1 => format!(", 1 {one}"),
            _ => format!(", {} {many}", grouped(count)),
        };
        let messages = if self.messages_in == 1 {
            "1 message".to_owned()
        } else {
            format!("{} messages", grouped(self.messages_in))
        };
        let unknown = self.sum(|step| step.unknown_fields);
        [
            format!("{messages} in, {} out", grouped(self.messages_out)),
            counted(self.sum(|step| step.skipped), "skipped", "skipped"),
            counted(self.sum(|step| step.dead_lettered), "dead letter", "dead letters"),
            counted(self.sum(|step| step.retried), "retried", "retried"),
            counted(unknown, "unknown field dropped", "unknown fields dropped"),
        ]
        .concat()
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is shown rounded"
    )]
    fn rate(&self) -> u64 {
        if self.elapsed_s > 0.0 { (self.messages_in as f64 / self.elapsed_s).round_ties_even() as u64 } else { 0 }
    }

    fn goes_on(&self) -> Option<String> {
        let checkpoint = self.checkpoint.as_ref().filter(|_| self.status != "running")?;
        Some(format!("checkpoint {} kept: the same command goes on from it", printable(checkpoint)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a time is shown with three digits")]
fn row(step: &Step, columns: &[Column]) -> Vec<String> {
    let each = match step.messages_in {
        0 => "-".to_owned(),
        messages => duration(step.time_s / messages as f64),
    };
    let texts = [step.name.clone(), step.kind.clone(), step.language.clone().unwrap_or_else(|| "-".to_owned())];
    let counts = columns.iter().map(|(_, counter)| grouped(counter(step)));
    texts.into_iter().chain(counts).chain([duration(step.time_s), each]).collect()
}

/// How many of the columns are text, which stands to the left.
const TEXTS: usize = 3;

fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column < TEXTS { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A number with a comma after each thousand.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time with three digits in a unit that suits it.
pub fn duration(seconds: f64) -> String {
    for (unit, size) in [("s", 1.0), ("ms", 1e-3)] {
        if seconds >= size {
            return format!("{} {unit}", figure(seconds / size));
        }
    }
    format!("{} us", figure(seconds / 1e-6))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time is shown with three digits")]
fn figure(value: f64) -> String {
    if value >= 1000.0 {
        return grouped(value.round_ties_even() as u64);
    }
    let before = if value > 0.0 { value.log10().floor() as i32 } else { 0 };
    let decimals = usize::try_from(2 - before).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Writes out what would steer a terminal, or turn its text around.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        let turns =
            matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        match (letter, u32::from(letter)) {
            ('\n' | '\t', _) => shown.push(letter),
            ('\r', _) => shown.push_str("\\r"),
            (_, code @ 0..=0xff) if letter.is_control() => shown += format!("\\x{code:02x}").as_str(),
            (_, code) if turns => shown += format!("\\u{code:04x}").as_str(),
            _ => shown.push(letter),
        }
    }
    shown
}
