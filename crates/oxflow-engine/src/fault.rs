//! A message that a step could not handle, as a value.

use std::any::Any;
use std::fmt;

use crate::config::OnError;
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::Place;
use crate::report::SOURCE;
use crate::shorten;

/// What went wrong with one message in one step.
#[derive(Debug)]
pub struct Fault {
    /// Number of the step in the report.
    pub step: usize,
    /// Index of the message in the batch that the run was given.
    pub row: u32,
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// Name of the error's class or type.
    pub class: String,
    /// What the error says.
    pub text: String,
    /// Where a panic began, and its backtrace if `RUST_BACKTRACE` asks for one.
    pub detail: Option<String>,
    /// The error itself, for the language that raised it.
    pub cause: Option<Cause>,
    /// What the error wants done, in place of what the configuration says of its step.
    pub wish: Option<Box<OnError>>,
}

/// An error object of another language's runtime, carried to where it is raised again.
pub struct Cause(pub Box<dyn Raised>);

/// An error object of another language's runtime.
pub trait Raised: Any + Send + Sync {
    /// How the error came about, call by call, if that can still be told.
    fn traceback(&self) -> Option<String>;
}

impl fmt::Debug for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cause(..)")
    }
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The function raised or returned an error.
    Raised,
    /// The function panicked.
    Panicked,
    /// The payload could not be decoded.
    Undecodable,
    /// The result could not be encoded.
    Unencodable,
    /// The function returned something that the step can't use.
    WrongValue,
    /// A branch could not get a copy of its own.
    Uncopyable,
    /// The source read a message that is longer than allowed; only its beginning is there.
    TooLong {
        /// Bytes of the whole message.
        bytes: u64,
    },
    /// The sink can't write the payload.
    Unwritable,
    /// No branch has the key that the routing function gave.
    Unrouted,
}

impl FaultKind {
    /// The code that the documentation explains.
    pub fn code(self) -> Code {
        match self {
            Self::Raised => Code::StepFailed,
            Self::Panicked => Code::StepPanicked,
            Self::Undecodable => Code::Undecodable,
            Self::Unencodable => Code::Unencodable,
            Self::WrongValue | Self::Uncopyable => Code::WrongResult,
            Self::TooLong { .. } => Code::TooLong,
            Self::Unwritable => Code::SinkFailed,
            Self::Unrouted => Code::NoRoute,
        }
    }

    /// What the step did, after its name.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Raised => "failed",
            Self::Panicked => "panicked",
            Self::Undecodable => "could not decode the payload",
            Self::Unencodable => "could not encode the result",
            Self::WrongValue => "returned the wrong kind of value",
            Self::Uncopyable => "could not copy the payload",
            Self::TooLong { .. } => "read a message that is too long",
            Self::Unwritable => "cannot write the payload",
            Self::Unrouted => "has no branch for the key",
        }
    }

    /// How to mend it.
    fn fix(self) -> &'static str {
        match self {
            Self::Raised | Self::Panicked => "mend the function",
            Self::Undecodable => "mend the data or the type",
            Self::Unencodable => {
                "return values that the codec can express: JSON has no NaN, infinity or custom objects"
            }
            Self::WrongValue => "return what the step expects: `oxflow explain` shows it for each step",
            Self::Uncopyable => "send payloads that `copy.deepcopy` takes",
            Self::TooLong { .. } => "raise `run.message_bytes`",
            Self::Unwritable => "serialise to one line",
            Self::Unrouted => "add the key to `routing_table`, or let the function return one that is in it",
        }
    }
}

/// A function asked the process to end. That says nothing about the message, which is left for a later run.
#[derive(Clone, Debug)]
pub struct ExitRequest {
    /// Number of the step in the report.
    pub step: usize,
    /// Index of the message in the batch that the run was given.
    pub row: u32,
    /// How it asked, `SystemExit`.
    pub class: &'static str,
    /// What it passed along, as it would be written in its language; empty if nothing.
    pub passed: String,
    /// The exit code that it asked for.
    pub code: u8,
}

/// A fault that ended a run, with all that an error message needs.
#[derive(Debug)]
pub struct StepError {
    /// Name of the step.
    pub step: String,
    /// Where the user wrote the step.
    pub place: Option<Place>,
    /// Where the message came from: `in.jsonl, line 17` or `ingest, partition 3, offset 41`.
    pub origin: String,
    /// The fault.
    pub fault: Fault,
}

impl Fault {
    /// The source read a message of more bytes than `limit`.
    pub fn too_long(row: u32, bytes: u64, limit: usize) -> Self {
        Self {
            step: SOURCE,
            row,
            kind: FaultKind::TooLong { bytes },
            class: "ValueError".to_owned(),
            text: format!("it has {bytes} bytes, and `run.message_bytes` is {limit}"),
            detail: None,
            cause: None,
            wish: None,
        }
    }

    /// Whether it ends the run of the pipeline. `fatal`: for each step whether a fault in it does, unless the error wants
    /// something else.
    pub(crate) fn ends(&self, fatal: &[bool]) -> bool {
        match self.wish.as_deref() {
            Some(wish) => *wish == OnError::Fail,
            None => fatal.get(self.step).copied().unwrap_or(true),
        }
    }

    /// The fault, with no more of its text than people read.
    #[must_use]
    pub(crate) fn shortened(self) -> Self {
        let detail = self.detail.map(|detail| shorten::traceback(&detail));
        Self { text: shorten::text(&self.text).into_owned(), detail, ..self }
    }

    /// What happened, in one line or, with a backtrace, several.
    pub fn summary(&self) -> String {
        let said = match self.kind {
            FaultKind::Raised | FaultKind::Panicked => self.error(),
            _ => self.text.clone(),
        };
        self.located(said)
    }

    /// The error's class and what it says, if anything; the text alone if the class only holds one.
    pub fn error(&self) -> String {
        let holds_text = ["alloc::string::String", "&str", "&'static str"].contains(&self.class.as_str());
        if holds_text || self.class.starts_with("alloc::boxed::Box<") {
            return self.text.clone();
        }
        if self.text.is_empty() { self.class.clone() } else { format!("{}: {}", self.class, self.text) }
    }

    /// How it came about: the traceback of an exception, the place and backtrace of a panic.
    pub fn traceback(&self) -> Option<String> {
        let traceback = self.cause.as_ref().and_then(|cause| cause.0.traceback());
        traceback.map(|traceback| shorten::traceback(&traceback)).or_else(|| self.detail.clone())
    }

    /// A text about the fault, with the place where it began.
    pub fn located(&self, said: String) -> String {
        self.detail.iter().fold(said, |said, detail| format!("{said}, {detail}"))
    }
}

impl StepError {
    /// The error for people.
    pub fn diagnostic(&self) -> Diagnostic {
        let kind = self.fault.kind;
        Diagnostic::new(kind.code(), format!("step `{}` {} at {}", self.step, kind.verb(), self.origin))
            .at(self.place.clone())
            .because(self.fault.summary())
            .fix(format!(
                "{}; or set `steps.{}.on_error`: `skip` leaves such messages out, `dead_letter` keeps them",
                kind.fix(),
                self.step
            ))
    }
}
