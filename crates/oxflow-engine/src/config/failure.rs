//! What can be wrong with a configuration, and how it is told.
//!
//! A value that came out of a variable or a secret file is never repeated: the text says where it came from instead.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::node::{Node, Origin, Secret};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::plan::Place;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// What the operator decides.
    Configuration,
    /// What a pipeline is.
    Pipeline,
}

impl Document {
    fn name(self) -> &'static str {
        match self {
            Self::Configuration => "the configuration",
            Self::Pipeline => "the pipeline",
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    document: Document,
    problem: Box<Problem>,
    /// Keys from the root to the value.
    path: Vec<String>,
    origin: Option<Origin>,
    secret: Option<Secret>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// Not YAML, or beyond the limits.
    Unreadable(String),
    /// A key that nothing reads.
    UnknownKey { key: String, known: &'static [&'static str] },
    /// A key that has to be there.
    MissingKey(&'static str),
    /// A value of another type or outside its limits.
    Wrong { found: String, expected: String },
    /// A word that is none of the known ones.
    UnknownWord { found: String, known: &'static [&'static str] },
    /// What a type says for itself.
    Custom(String),
    /// `${` without `}`.
    Unclosed,
    /// `${VAR}` without such a variable.
    NoVariable(String),
    /// `${file:PATH}` without such a file.
    NoFile { path: String, reason: String },
}

impl Failure {
    pub(super) fn new(problem: Problem, origin: Option<Origin>) -> Self {
        let document = Document::Configuration;
        Self { document, problem: Box::new(problem), path: Vec::new(), origin, secret: None }
    }

    /// The same, at this node, if no place further in is known.
    pub(super) fn at(mut self, node: &Node) -> Self {
        if self.origin.is_none() {
            self.origin = Some(node.origin.clone());
            self.secret.clone_from(&node.secret);
        }
        self
    }

    /// The same, at a key, if no place further in is known.
    pub(super) fn at_key(mut self, origin: &Origin) -> Self {
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }

    /// The same, seen from one level further out.
    pub(super) fn inside(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_owned());
        self
    }

    /// The same, in this document.
    pub(crate) fn of(mut self, document: Document) -> Self {
        self.document = document;
        self
    }

    /// The finding that the user sees.
    pub(crate) fn diagnose(&self, file: &str, text: &str) -> Diagnostic {
        let (code, fix) = self.code_and_fix();
        let mut diagnostic = Diagnostic::new(code, format!("{self}")).at(self.place(file, text));
        diagnostic.fix = fix.or_else(|| self.set_key_by_key());
        diagnostic.why = match (&*self.problem, &self.origin) {
            (Problem::Unreadable(reason) | Problem::NoFile { reason, .. }, _) => Some(reason.clone()),
            (_, Some(Origin::Set(path))) => Some(format!("it is set by `--set {path}=...`")),
            (_, Some(Origin::Variable(name))) => Some(format!("it is set by the environment variable `{name}`")),
            (Problem::UnknownKey { known, .. }, _) => Some(format!("{} takes {}", self.subject(), list(known, "and"))),
            _ => None,
        };
        diagnostic
    }

    fn code_and_fix(&self) -> (Code, Option<String>) {
        let (code, fix) = self.code_and_fix_of_configuration();
        match self.document {
            Document::Configuration => (code, fix),
            Document::Pipeline => (Code::BadDefinition, fix),
        }
    }

    fn code_and_fix_of_configuration(&self) -> (Code, Option<String>) {
        match &*self.problem {
            Problem::Unreadable(_) => (Code::ConfigUnreadable, None),
            Problem::UnknownKey { key, known } => {
                (Code::UnknownKey, Some(suggest(key, known).unwrap_or_else(|| "remove it".into())))
            }
            // The suggestion would give away what a secret nearly is.
            Problem::UnknownWord { found, known } if self.secret.is_none() => {
                (Code::InvalidValue, suggest(found, known))
            }
            Problem::NoVariable(name) => {
                (Code::MissingVariable, Some(format!("set it, or give a default: `${{{name}:-...}}`")))
            }
            Problem::NoFile { .. } => {
                (Code::MissingVariable, Some("check the path and that this user may read it".into()))
            }
            Problem::Unclosed => {
                (Code::InvalidValue, Some("close it with `}`, or write `$${` for the text itself".into()))
            }
            _ => (Code::InvalidValue, None),
        }
    }

    /// `--set` was given a map.
    fn set_key_by_key(&self) -> Option<String> {
        let (Problem::Wrong { found, .. } | Problem::UnknownWord { found, .. }) = &*self.problem else { return None };
        let is_map = found.strip_prefix("the text `").unwrap_or(found).starts_with('{');
        match &self.origin {
            Some(Origin::Set(path)) if is_map => Some(format!("set it key by key: `--set {path}.KEY=VALUE`")),
            _ => None,
        }
    }

    fn place(&self, file: &str, text: &str) -> Option<Place> {
        let (line, column) = match self.origin {
            // In a configuration a line has one value; a step of a pipeline may stand in one line with others.
            Some(Origin::File(line, column)) => (line, (self.document == Document::Pipeline).then_some(column)),
            None => (0, None),
            Some(Origin::Set(_) | Origin::Variable(_)) => return None,
        };
        Some(place_in(file, text, line, column))
    }

    /// The value, as the user knows it.
    fn subject(&self) -> String {
        if self.path.is_empty() { self.document.name().into() } else { format!("`{}`", self.path.join(".")) }
    }

    fn key(&self, key: &str) -> String {
        self.path.iter().map(String::as_str).chain([key]).collect::<Vec<_>>().join(".")
    }

    fn shown(&self, found: &str) -> String {
        self.secret.as_ref().map_or_else(|| found.to_owned(), |secret| format!("what {secret} holds"))
    }
}

/// The sentence. Never holds a value that came from a variable or a secret file.
impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.subject();
        match &*self.problem {
            Problem::Unreadable(_) => write!(formatter, "{} cannot be read", self.document.name()),
            Problem::UnknownKey { key, .. } => write!(formatter, "unknown key `{}`", self.key(key)),
            Problem::MissingKey(key) => write!(formatter, "{subject} has no `{key}`"),
            Problem::Wrong { found, expected } => {
                write!(formatter, "{subject} is {}, but must be {expected}", self.shown(found))
            }
            Problem::UnknownWord { found, known } => {
                let found = self.shown(&format!("`{found}`"));
                write!(formatter, "{subject} is {found}, but must be {}", list(known, "or"))
            }
            Problem::Custom(_) if self.secret.is_some() => write!(formatter, "{subject} is not valid"),
            Problem::Custom(text) => write!(formatter, "{subject}: {text}"),
            Problem::Unclosed => write!(formatter, "a `${{` is not closed"),
            Problem::NoVariable(name) => write!(formatter, "there is no variable `{name}`"),
            Problem::NoFile { path, .. } => write!(formatter, "the secret file `{path}` cannot be read"),
        }
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new(Problem::Custom(text.to_string()), None)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::Wrong { found: spell(found), expected: expected.to_string() }, None)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Self::new(Problem::UnknownWord { found: found.to_owned(), known }, None)
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::new(Problem::UnknownKey { key: key.to_owned(), known }, None)
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(Problem::MissingKey(key), None)
    }
}

/// A place in a text that is at hand.
pub(crate) fn place_in(file: &str, text: &str, line: u32, column: Option<u32>) -> Place {
    let index = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
    let text = index.and_then(|index| text.lines().nth(index)).unwrap_or_default();
    Place { file: file.to_owned(), line, column, text: text.trim().to_owned() }
}

fn spell(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Str("") => "an empty text".into(),
        Unexpected::Str(text) => format!("the text `{text}`"),
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("`{value}`"),
        Unexpected::Float(value) => format!("`{value}`"),
        Unexpected::Unit => "empty".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a map".into(),
        other => other.to_string(),
    }
}

fn suggest(word: &str, known: &[&'static str]) -> Option<String> {
    did_you_mean(word, known.iter().copied()).map(|near| format!("did you mean `{near}`?"))
}

/// "`a`, `b` and `c`".
pub(super) fn list(words: &[&str], last: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "nothing".into(),
        Some((only, [])) => only.clone(),
        Some((end, others)) => format!("{} {last} {end}", others.join(", ")),
    }
}
