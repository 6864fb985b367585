//! A configuration value that knows where it comes from.

/// A value and its origin.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// What a `${..}` in it was replaced by. Such a value may be a password and is never shown.
    pub(super) secret: Option<Secret>,
}

/// What a configuration can hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file; no key is there twice.
    Map(Vec<Entry>),
}

/// One key of a map and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) origin: Origin,
    pub(super) node: Node,
}

/// Who said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The file, at this line.
    Line(u32),
    /// An argument `--set KEY=..`.
    Set(String),
    /// A variable `OXFLOW__..`.
    Variable(String),
}

/// Where a value that is not shown comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Secret {
    Variable(String),
    File(String),
}

impl std::fmt::Display for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => write!(formatter, "variable `{name}`"),
            Self::File(path) => write!(formatter, "file `{path}`"),
        }
    }
}

impl Node {
    pub(super) fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, secret: None }
    }
}
