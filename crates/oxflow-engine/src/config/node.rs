//! A configuration value that knows where it comes from.

/// A value and its origin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
    /// What a `${..}` in it was replaced by. Such a value may be a password and is never shown.
    pub(crate) secret: Option<Secret>,
}

/// What a configuration can hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
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
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) origin: Origin,
    pub(crate) node: Node,
}

/// Who said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The file, at this line and column.
    File(u32, u32),
    /// An argument `--set KEY=..`.
    Set(String),
    /// A variable `OXFLOW__..`.
    Variable(String),
}

/// Where a value that is not shown comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Secret {
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
    pub(crate) fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, secret: None }
    }
}
