//! What is wrong, where, why and what to do about it.
//!
//! One form serves the checker, the configuration, the connectors and the steps, on the command line and in Python, so that
//! a user learns to read it once. The text is made here and nowhere else.

mod code;
mod suggest;

use std::fmt;

use serde::Serialize;

pub use self::code::{Code, codes, explain};
pub use self::suggest::did_you_mean;
use crate::plan::Place;

/// One finding. It is an error unless its code says otherwise: what is merely odd is not reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Diagnostic {
    /// Which kind of error it is.
    pub code: Code,
    /// What is wrong: one sentence, lower case, names in backticks, no full stop.
    pub message: String,
    /// Where the user wrote it. Boxed, since a finding is passed about as the error of a `Result`.
    pub place: Option<Box<Place>>,
    /// The rule or fact behind it.
    pub why: Option<String>,
    /// What to do.
    pub fix: Option<String>,
}

impl Diagnostic {
    /// A finding of which only the kind and the sentence are known.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, why: None, fix: None }
    }

    /// Says where it is.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place.map(Box::new);
        self
    }

    /// Says why it is an error.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The whole text, as a terminal shows it, without a final line break.
    #[must_use]
    pub fn render(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}[{}]: {}", self.code.severity(), self.code, indent(&self.message, 2))?;
        if let Some(place) = &self.place {
            write!(formatter, "\n  --> {}", locate(place))?;
        }
        for (label, text) in [("why", &self.why), ("fix", &self.fix)] {
            if let Some(text) = text {
                write!(formatter, "\n  {label}: {}", indent(text, 7))?;
            }
        }
        write!(formatter, "\n  more: oxflow explain {}", self.code)
    }
}

/// `file:line:column  text`, as far as they are known.
fn locate(place: &Place) -> String {
    if place.line == 0 {
        return place.file.clone();
    }
    let column = place.column.map(|column| format!(":{column}")).unwrap_or_default();
    format!("{}:{}{column}  {}", place.file, place.line, place.text.trim()).trim_end().to_owned()
}

/// Moves every line but the first to the right, so that the text stays under its label. It may quote a message: what would
/// steer a terminal is written out.
fn indent(text: &str, width: usize) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => shown.extend(std::iter::once('\n').chain(std::iter::repeat_n(' ', width))),
            _ if letter.is_control() && letter != '\t' => shown.extend(letter.escape_default()),
            _ => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(diagnostic: &Diagnostic, expected: &str) {
        assert_eq!(expected, diagnostic.render());
    }

    #[test]
    fn the_whole_text_is_what_place_why_fix_more() {
        let place = Place { file: "app/pipeline.py".into(), line: 41, column: None, text: "    .apply(route)".into() };
        check(
            &Diagnostic::new(Code::EdgeMismatch, "step `enrich` returns `dict[str, Any]`, but `route` takes `Metric`")
                .at(Some(place))
                .because("`rs.Route` is Rust; its input type is fixed when it is built")
                .fix("annotate `enrich` -> Metric"),
            "error[OXF0201]: step `enrich` returns `dict[str, Any]`, but `route` takes `Metric`\n  \
             --> app/pipeline.py:41  .apply(route)\n  \
             why: `rs.Route` is Rust; its input type is fixed when it is built\n  \
             fix: annotate `enrich` -> Metric\n  \
             more: oxflow explain OXF0201",
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        check(
            &Diagnostic::new(Code::Internal, "the plan has form 7"),
            "error[OXF0901]: the plan has form 7\n  more: oxflow explain OXF0901",
        );
    }

    #[test]
    fn further_lines_stay_under_their_label() {
        check(
            &Diagnostic::new(Code::StepFailed, "one\ntwo").because("three\nfour"),
            "error[OXF0501]: one\n  two\n  why: three\n       four\n  more: oxflow explain OXF0501",
        );
    }

    #[test]
    fn what_would_steer_a_terminal_is_written_out() {
        check(
            &Diagnostic::new(Code::StepFailed, "red").because("\x1b[31m\tred\r\0"),
            "error[OXF0501]: red\n  why: \\u{1b}[31m\tred\\r\\u{0}\n  more: oxflow explain OXF0501",
        );
    }

    #[test]
    fn a_place_without_line_is_a_file() {
        let place = Place { file: "oxflow.yaml".into(), line: 0, column: None, text: String::new() };
        check(
            &Diagnostic::new(Code::ConfigUnreadable, "empty").at(Some(place)),
            "error[OXF0301]: empty\n  --> oxflow.yaml\n  more: oxflow explain OXF0301",
        );
    }
}
