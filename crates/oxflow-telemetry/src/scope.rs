//! What makes records: the process as a whole, and the library in it.

use crate::attributes::Attributes;
use crate::wire;

/// The library, module or logger that records something.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Its name.
    pub name: String,
    /// Its version, may be empty.
    pub version: String,
    /// The address of the schema of its records, may be empty.
    pub schema_url: String,
    /// What else is known of it.
    pub attributes: Attributes,
}

impl Scope {
    /// One that has a name only.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Writes an `InstrumentationScope`.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        wire::text(to, 1, &self.name);
        wire::text(to, 2, &self.version);
        self.attributes.write(to, 3);
        wire::count(to, 4, self.attributes.dropped().into());
    }
}

/// The process, as attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// What is known of it.
    pub attributes: Attributes,
    /// The address of the schema of its attributes, may be empty.
    pub schema_url: String,
}

impl Resource {
    /// Writes a `Resource`.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        self.attributes.write(to, 1);
        wire::count(to, 2, self.attributes.dropped().into());
    }
}
