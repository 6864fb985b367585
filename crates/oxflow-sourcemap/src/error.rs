//! What is wrong with a source map, each fault of one kind whatever the way in.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a map is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no JSON, or a field is of a type that the standard doesn't allow.
    #[error("line {line}, column {column}: {reason}")]
    Json {
        /// Line in the text, from 1.
        line: usize,
        /// Byte in the line, from 1.
        column: usize,
        /// What is there, and what should be.
        reason: String,
    },
    /// `version` is not 3.
    #[error("`version` is {found}, and only 3 is known")]
    Version {
        /// What is there, as JSON, or `missing`.
        found: String,
    },
    /// A segment of `mappings` is not as the standard has it.
    #[error("`mappings`, byte {offset} (line {line}, segment {segment}): {reason}")]
    Mappings {
        /// Byte in `mappings`, from 0.
        offset: usize,
        /// Generated line, from 0.
        line: u32,
        /// Segment in that line, from 0.
        segment: u32,
        /// What is wrong with it.
        reason: Reason,
    },
    /// An index leads nowhere.
    #[error("{kind} {index} does not exist: there are {limit}")]
    Reference {
        /// Index of what.
        kind: ReferenceKind,
        /// The index that was read.
        index: i64,
        /// How many there are.
        limit: usize,
    },
    /// A section of an index map is malformed, out of order, or overlaps the one before it.
    #[error("section {index}: {reason}")]
    Section {
        /// Which one, from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A field beside `mappings` that has a text of its own is not as its proposal has it.
    #[error("`{field}`, byte {offset}: {reason}")]
    Field {
        /// Which field.
        field: &'static str,
        /// Byte in its text, from 0.
        offset: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// Bytes or files are no RAM bundle, or a damaged one.
    #[error("the RAM bundle can't be read: {reason}")]
    Bundle {
        /// What is wrong with it.
        reason: String,
    },
    /// An index file of a format that this version doesn't know.
    #[error("the index has format {found}, and only 1 is known")]
    IndexVersion {
        /// Its major version.
        found: u16,
    },
    /// A file is no index, or not what was written.
    #[error("{what} of the index is damaged")]
    IndexCorrupt {
        /// Which part.
        what: &'static str,
    },
    /// An index can't be written.
    #[error("the index can't be written: {reason}")]
    Write {
        /// What the system says.
        reason: String,
    },
    /// A file or folder can't be read or written.
    #[error("`{}`: {reason}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A map that lies in a file can't be read.
    #[error("`{}`: {error}", path.display())]
    Of {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<Error>,
    },
    /// The map is larger than the limits allow.
    #[error("{what} is over the limit of {limit}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
}

impl Error {
    /// The same of a map in a file, unless it names one already.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        match self {
            Self::File { .. } | Self::Of { .. } => self,
            error => Self::Of { path: path.to_owned(), error: Box::new(error) },
        }
    }
}

/// What is wrong with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A byte that is no digit of base64 and no separator.
    NotBase64(u8),
    /// The last digit of a value says that another follows.
    Unfinished,
    /// A value that needs more than 32 bits with its sign.
    TooLarge,
    /// A sign without a value.
    NegativeZero,
    /// Neither 1, 4 nor 5 fields.
    Fields(u32),
    /// The running value of a field fell below 0.
    Negative(Field),
    /// The running value of a field needs more than 31 bits.
    Over31Bits(Field),
}

/// A field of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Column in the generated code.
    Column,
    /// Index of the source.
    Source,
    /// Line in the source.
    SourceLine,
    /// Column in the source.
    SourceColumn,
    /// Index of the name.
    Name,
}

/// What an index is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    /// `sources`, from a segment.
    Source,
    /// `names`, from a segment.
    Name,
    /// `sources`, from `ignoreList`.
    Ignored,
    /// A segment, from `rangeMappings`.
    Range,
    /// `names`, from `scopes` or `x_facebook_sources`.
    ScopeName,
    /// A scope of a source, from a range of `scopes`.
    Definition,
    /// `sources`, from `scopes` or `x_facebook_sources`.
    ScopeSource,
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Column => "generated column",
            Self::Source => "source index",
            Self::SourceLine => "original line",
            Self::SourceColumn => "original column",
            Self::Name => "name index",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64(byte) => write!(formatter, "`{}` is no base64", byte.escape_ascii()),
            Self::Unfinished => formatter.write_str("a value ends with a digit that announces another"),
            Self::TooLarge => formatter.write_str("a value has more than 32 bits"),
            Self::NegativeZero => formatter.write_str("a value is minus zero"),
            Self::Fields(count) => write!(formatter, "a segment has 1, 4 or 5 fields, not {count}"),
            Self::Negative(field) => write!(formatter, "the {field} becomes negative"),
            Self::Over31Bits(field) => write!(formatter, "the {field} becomes 2^31 or more"),
        }
    }
}

impl fmt::Display for ReferenceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Source => "source",
            Self::Name => "name",
            Self::Ignored => "source of `ignoreList`",
            Self::Range => "segment of `rangeMappings`",
            Self::ScopeName => "name of a scope",
            Self::Definition => "scope that a range is of",
            Self::ScopeSource => "source of a scope",
        })
    }
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

/// How large a map may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole map.
    pub bytes: u64,
    /// Segments of all its mappings.
    pub segments: u64,
    /// How deep its JSON is nested.
    pub depth: u32,
    /// Sources, their contents and names, of all sections.
    pub strings: u64,
    /// Bytes of all sources and names, each source with its root: a root stands once in the map, and in front of each source.
    pub string_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 512 << 20, segments: 1 << 31, depth: 128, strings: 1 << 24, string_bytes: 256 << 20 }
    }
}
