//! The runtime's side of the C ABI: a safe view of a user's extension module.
//!
//! A [`Module`] is checked once, when its table is taken (`taken`), and from then on trusted as the ABI describes it. What is
//! used of it are whole tables of this runtime's own version, whatever the module's is. Their entries lead to statics of a
//! library that is never unloaded.
#![allow(unsafe_code)]

mod function;
mod taken;

pub use function::{Function, NotMade};

use std::slice;

use oxflow::abi::{self, Bytes, GatherTable, ModuleTable, ObjectTable, OfferTable, TypeTable};
use oxflow::shape::Type;

use crate::diagnostic::{Code, Diagnostic};

/// All that an extension module offers.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    table: &'static ModuleTable,
}

/// A table that this runtime can't use.
#[derive(Debug, thiserror::Error)]
pub enum Incompatible {
    /// The magic number is not there.
    #[error("this is not the table of an oxflow extension")]
    NotAModule,
    /// A table is cut short.
    #[error(
        "it says that it was built for ABI {}.{minor}, but the table of {of} is shorter than that one's: the module is \
         damaged, or was not built by oxflow",
        abi::MAJOR
    )]
    TooShort {
        /// What the table is of.
        of: &'static str,
        /// The module's minor version.
        minor: u32,
    },
    /// A function has a type that the module doesn't have.
    #[error(
        "a function of it takes or gives a type that it doesn't have: the module is damaged, or was not built by oxflow"
    )]
    Untyped,
    /// The ABI differs.
    #[error(
        "it was built for ABI {major}.{minor}; this oxflow speaks ABI {}.{} and reads modules from {}.{} on",
        abi::MAJOR,
        abi::MINOR,
        abi::MAJOR,
        abi::OLDEST_MINOR
    )]
    Version {
        /// The extension's major version.
        major: u32,
        /// The extension's minor version.
        minor: u32,
    },
    /// The module relies on a newer runtime.
    #[error(
        "it was built for ABI {}.{minor} and needs a runtime of {}.{needs} or later; this oxflow speaks ABI {}.{}",
        abi::MAJOR,
        abi::MAJOR,
        abi::MAJOR,
        abi::MINOR
    )]
    Needs {
        /// The extension's minor version.
        minor: u32,
        /// The minor version of the oldest runtime that may call it.
        needs: u32,
    },
}

impl Incompatible {
    /// The error for people; `module` is what they call it, where that is known.
    pub fn diagnostic(&self, module: Option<&str>) -> Diagnostic {
        let code = match self {
            Self::NotAModule => Code::NotAnExtension,
            _ => Code::WrongAbi,
        };
        let subject = module.map_or_else(|| "the module".to_owned(), |module| format!("the module `{module}`"));
        Diagnostic {
            code,
            message: format!("{subject} cannot be used as an extension"),
            place: None,
            why: Some(self.to_string()),
            fix: Some(self.fix().to_owned()),
        }
    }

    fn fix(&self) -> &'static str {
        match self {
            Self::NotAModule => "end the crate with `oxflow::module!(name);` and build it again",
            Self::Needs { .. } => NEWER,
            Self::Version { major, .. } if *major > abi::MAJOR => NEWER,
            Self::Version { .. } | Self::TooShort { .. } | Self::Untyped => {
                "build it again with the SDK of this oxflow (`oxflow update-sdk` in its project)"
            }
        }
    }
}

const NEWER: &str = "update oxflow to the release that it was built for, or build it again with the SDK of this one (`oxflow update-sdk`)";

impl Module {
    /// Checks the table behind a module's capsule.
    ///
    /// # Safety
    ///
    /// `table` is null or points to a table that lives as long as the process. It follows [`oxflow::abi`] in its first three
    /// fields, and if these are of a version that this runtime reads, in all of it.
    pub unsafe fn from_table(table: *const ModuleTable) -> Result<Self, Incompatible> {
        // SAFETY: the caller's promise.
        unsafe { taken::take(table) }.map(|table| Self { table })
    }

    /// What is linked into this program.
    pub fn linked() -> Result<Self, Incompatible> {
        // SAFETY: the tables of the SDK live as long as the process, and are made as its ABI says.
        unsafe { Self::from_table(oxflow::module_table()) }
    }

    /// What a pipeline was built of in Rust.
    pub(crate) fn of_closures(table: &'static ModuleTable) -> Result<Self, Incompatible> {
        // SAFETY: as above.
        unsafe { Self::from_table(table) }
    }

    /// A number of its own, the same whenever the module is taken: that of its tables, not of its name.
    pub fn identity(&self) -> usize {
        std::ptr::from_ref(self.table).addr()
    }

    /// Major and minor version of the ABI that the module was built for.
    pub fn abi(&self) -> (u32, u32) {
        (self.table.major, self.table.minor)
    }

    /// Gives the module the way to the runtime, once: from then on what it records arrives. `name` is what users call it.
    pub fn connect(&self, name: &str) {
        crate::host::introduce(self.table, name);
    }

    /// Version of the SDK that the module was built with.
    pub fn sdk(&self) -> &'static str {
        text(self.table.sdk)
    }

    /// True if the module was built without optimisation.
    pub fn is_debug(&self) -> bool {
        self.table.debug != 0
    }

    /// The functions.
    pub fn functions(&self) -> Vec<Function> {
        // SAFETY: `take` made the array.
        let tables = unsafe { array(self.table.functions, self.table.functions_len) };
        // SAFETY: it made the tables, too, and never frees them.
        tables.iter().map(|table| Function { table: unsafe { &**table }, made: None }).collect()
    }

    /// The types.
    pub fn types(&self) -> Vec<PayloadType> {
        // SAFETY: as above.
        let tables = unsafe { array(self.table.types, self.table.types_len) };
        // SAFETY: as above.
        tables.iter().map(|table| PayloadType { table: unsafe { &**table } }).collect()
    }
}

/// An array of pointers to tables.
///
/// # Safety
///
/// `pointers` has `len` entries, and lives as long as the process.
unsafe fn array<T: 'static>(pointers: *const *const T, len: u32) -> &'static [*const T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller says so.
    unsafe { slice::from_raw_parts(pointers, len as usize) }
}

/// A payload type of an extension.
#[derive(Clone, Copy, Debug)]
pub struct PayloadType {
    table: &'static TypeTable,
}

impl PayloadType {
    /// The type of a table that a test made.
    #[cfg(test)]
    pub(crate) fn of(table: &'static TypeTable) -> Self {
        Self { table }
    }

    /// Its table.
    pub fn table(&self) -> &'static TypeTable {
        self.table
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        text(self.table.name)
    }

    /// Its documentation.
    pub fn doc(&self) -> &'static str {
        text(self.table.doc)
    }

    /// True if Python sees it as a class of the module.
    pub fn is_public(&self) -> bool {
        self.table.public != 0
    }

    /// True if its payloads are bytes as they are, not JSON.
    pub fn is_bytes(&self) -> bool {
        self.table.codec == abi::Codec::Bytes as u32
    }

    /// Hash of its field list, equal for types of equal fields in all modules; 0 for a type without one.
    pub fn hash(&self) -> u64 {
        self.table.hash
    }

    /// The codec of its payloads between steps; that of its JSON for one that a newer SDK invented.
    pub fn codec(&self) -> abi::Codec {
        abi::Codec::of(self.table.codec).unwrap_or(abi::Codec::Json)
    }

    /// Whether it is read from a codec and written to it.
    pub fn has(&self, codec: abi::Codec) -> bool {
        self.table.codecs & codec.bit() != 0
    }

    /// Whether it would have a codec if its module had been built with the feature of that name.
    pub fn lacks(&self, codec: abi::Codec) -> bool {
        self.table.absent & codec.bit() != 0
    }

    /// Its shape; `Any` where a newer SDK says what this runtime doesn't know.
    pub fn shape(&self) -> Type {
        serde_json::from_str(text(self.table.shape)).unwrap_or(Type::Any)
    }

    /// Its shape, where it is in a module: one says of its types what they are, not where they are.
    pub fn shape_in(&self, module: &str) -> Type {
        match self.shape() {
            Type::Record(mut record) => {
                module.clone_into(&mut record.module);
                Type::Record(record)
            }
            other => other,
        }
    }

    /// Whether it can be bytes at all.
    pub fn has_codec(&self) -> bool {
        self.table.codecs != 0
    }

    /// How many fields its module dropped in decoding on this thread since it was last asked.
    pub fn take_unknown(&self) -> u64 {
        // SAFETY: the entry takes nothing.
        unsafe { (self.table.take_unknown)() }
    }

    /// How its payloads become Python objects and back, if they do so with no text in between.
    pub(crate) fn objects(&self) -> Option<&'static ObjectTable> {
        // SAFETY: the entry is null or points to a copy that was made when the module was taken.
        unsafe { self.table.objects.as_ref() }
    }

    /// How objects that come one by one become rows of it, if its module knows how.
    pub(crate) fn gather(&self) -> Option<(&'static ObjectTable, &'static GatherTable)> {
        let objects = self.objects()?;
        // SAFETY: as above.
        unsafe { objects.gather.as_ref() }.map(|gather| (objects, gather))
    }

    /// How its rows become objects one by one, if its module knows how.
    pub(crate) fn offer(&self) -> Option<&'static OfferTable> {
        // SAFETY: as above.
        unsafe { self.objects()?.offer.as_ref() }
    }

    /// True if rows of one type may be handed over as rows of the other: the same Rust type of the same library.
    pub fn is_same(&self, other: &Self) -> bool {
        self.table.library == other.table.library && self.table.key == other.table.key
    }
}

/// Bytes that a module lent for the time of a call, or for good.
///
/// # Safety
///
/// `bytes` is what the ABI says and lives for `'a`.
pub(crate) unsafe fn borrow<'a>(bytes: Bytes) -> Option<&'a [u8]> {
    if bytes.data.is_null() {
        return None;
    }
    // SAFETY: the caller says so.
    Some(unsafe { slice::from_raw_parts(bytes.data, bytes.len) })
}

fn text(bytes: Bytes) -> &'static str {
    // SAFETY: names and shapes are statics of a library that is never unloaded.
    let bytes = unsafe { borrow(bytes) }.unwrap_or_default();
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Lends bytes for the time of a call.
pub(crate) fn lend(bytes: &[u8]) -> Bytes {
    Bytes { data: bytes.as_ptr(), len: bytes.len() }
}

/// No value.
pub(crate) const NONE: Bytes = Bytes { data: std::ptr::null(), len: 0 };

// SAFETY: the tables hold raw pointers, but only to statics and to functions that the ABI lets any thread call.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}
// SAFETY: as above.
unsafe impl Send for PayloadType {}
// SAFETY: as above.
unsafe impl Sync for PayloadType {}

#[cfg(test)]
mod tests;
