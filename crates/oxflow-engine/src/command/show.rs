//! Texts in and out: data to standard output, everything else to standard error.

use std::io::{IsTerminal as _, Write as _};

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::job::{exit, exit_code};

/// What ended a command.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) code: u8,
    pub(super) findings: Vec<Diagnostic>,
}

impl Failed {
    /// Plan, configuration or streams are wrong.
    pub(super) fn wrong(findings: Vec<Diagnostic>) -> Self {
        Self { code: exit_code(&findings), findings }
    }

    /// Tells it; gives the exit code.
    pub(super) fn show(&self) -> u8 {
        note(&texts(&self.findings));
        self.code
    }
}

/// The text in a file, or why it can't be had, in the words of `oxflow`.
pub(super) fn text_of(file: &str) -> Result<String, String> {
    let bytes = std::fs::read(file).map_err(|error| {
        let text = error.to_string();
        text.rsplit_once(" (os error").map_or(text.as_str(), |(reason, _)| reason).to_owned()
    })?;
    String::from_utf8(bytes).map_err(|error| format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

/// What is wrong, as people read it.
pub(super) fn texts(findings: &[Diagnostic]) -> String {
    findings.iter().map(Diagnostic::render).collect::<Vec<_>>().join("\n\n")
}

/// What is wrong, as programs read it.
pub(super) fn as_json(findings: &[Diagnostic]) -> Value {
    let shown = |finding: &Diagnostic| {
        let place = finding
            .place
            .as_ref()
            .map(|place| json!({"file": place.file, "line": place.line, "column": place.column, "text": place.text}));
        json!({
            "code": finding.code,
            "message": finding.message,
            "place": place,
            "why": finding.why,
            "fix": finding.fix,
            "text": finding.render(),
        })
    };
    findings.iter().map(shown).collect()
}

/// Writes a text and a line break to standard output; gives the exit code.
pub(super) fn out(text: &str) -> u8 {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => 0,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => exit::FAILED,
        Err(error) => {
            note(&format!("error: cannot write to standard output: {error}"));
            exit::FAILED
        }
    }
}

/// Writes a text and a line break to standard error, with heads of errors in colour where a user wants it.
pub(super) fn note(text: &str) {
    let mut stream = std::io::stderr();
    let coloured = stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let text = if coloured { painted(text) } else { text.to_owned() };
    // Who can't be told can't be told so.
    let _ = writeln!(stream, "{text}");
}

fn painted(text: &str) -> String {
    let paint = |line: &str| {
        for (word, colour) in [("error", "\x1b[1;31m"), ("warning", "\x1b[1;33m")] {
            let Some(rest) = line.strip_prefix(word) else { continue };
            let head = if rest.starts_with(':') { 0 } else { rest.find("]: ").map_or(0, |end| end + 1) };
            let (head, rest) = rest.split_at(head);
            return format!("{colour}{word}{head}\x1b[0m{rest}");
        }
        line.to_owned()
    };
    text.split('\n').map(paint).collect::<Vec<_>>().join("\n")
}
