//! One log record, and the values in it.

use std::borrow::Cow;
use std::time::SystemTime;

/// A text that a module lent for good, or a copy.
pub(super) type Text = Cow<'static, str>;

/// Most of a message or of a value that is kept, in bytes.
pub(super) const TEXT_BYTES: usize = 16 << 10;
/// Most fields of a record or a span.
pub(super) const FIELDS: usize = 64;

/// A value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A flag.
    Bool(bool),
    /// A number with a sign.
    Signed(i64),
    /// A number without one.
    Unsigned(u64),
    /// A number with a fraction.
    Float(f64),
}

/// A name and its value.
pub(super) type Fields = Vec<(Text, Value)>;

/// Where something was recorded, and how important it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) level: u32,
    pub(super) name: Text,
    pub(super) target: Text,
    pub(super) module: Option<Text>,
    pub(super) file: Option<Text>,
    pub(super) line: u32,
}

/// A log record of an extension.
#[derive(Clone, Debug)]
pub struct Record {
    /// When it was made.
    pub time: SystemTime,
    pub(super) site: Site,
    /// What it says.
    pub message: String,
    pub(super) fields: Fields,
    /// The step that the thread was in, if it was in one.
    pub step: Option<String>,
    /// The lane that the thread is.
    pub lane: Option<usize>,
    /// Name of a thread that is no lane.
    pub thread: Option<String>,
    pub(super) span: Option<Text>,
    pub(super) span_fields: Fields,
    /// Identity of the trace, 0 for none.
    pub trace_id: u128,
    /// Identity of the span that it was made in, 0 for none.
    pub span_id: u64,
    /// Identity of that span's parent, 0 for none.
    pub parent_id: u64,
    /// Whether the exporter of the run or of the process was given it.
    pub is_exported: bool,
}

impl Record {
    /// How important it is: from 1, an error, to 5, everything.
    pub fn level(&self) -> u32 {
        self.site.level
    }

    /// What it is about, `my_steps::parser`.
    pub fn target(&self) -> &str {
        &self.site.target
    }

    /// The Rust module.
    pub fn module(&self) -> Option<&str> {
        self.site.module.as_deref()
    }

    /// The file and the line, 0 where it is unknown.
    pub fn place(&self) -> Option<(&str, u32)> {
        self.site.file.as_deref().map(|file| (file, self.site.line))
    }

    /// The named values.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(name, value)| (&**name, value))
    }

    /// The named values of the span that it was made in, as they were then.
    pub fn span_fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.span_fields.iter().map(|(name, value)| (&**name, value))
    }

    /// Name of the span that it was made in, if the extension made one.
    pub fn span(&self) -> Option<&str> {
        self.span.as_deref()
    }

    /// About how much memory it takes.
    pub(super) fn size_bytes(&self) -> usize {
        let value = |value: &Value| if let Value::Text(text) = value { text.len() } else { 0 };
        let all = self.fields.iter().chain(&self.span_fields).map(|(name, field)| 48 + name.len() + value(field));
        let fields: usize = all.sum();
        size_of::<Self>() + self.message.len() + fields + self.site.target.len()
    }
}

/// The beginning of a text that is too long, cut between two letters.
pub(super) fn shortened(text: &str) -> String {
    if text.len() <= TEXT_BYTES {
        return text.to_owned();
    }
    let end = (0..=TEXT_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    let rest = text.len() - end;
    format!("{}... and {rest} bytes more", text.get(..end).unwrap_or_default())
}
