//! The runtime's side of the C ABI: a safe view of a user's extension module.
//!
//! A [`Module`] is checked once, when its table is taken. From then on its tables are trusted as the ABI describes them:
//! they are statics of a library that is never unloaded.
#![allow(unsafe_code)]

mod function;

pub use function::{Function, NotMade};

use std::mem::offset_of;
use std::slice;

use oxflow::abi::{self, Bytes, ModuleTable, ObjectTable, TypeTable};
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
    /// The table is cut short.
    #[error("the extension says that it was built for ABI {}.{}, but its table is shorter than that one's: it has {size} \
         bytes of {}; the module is damaged, or was not built by oxflow", abi::MAJOR, abi::MINOR, size_of::<ModuleTable>())]
    TooShort {
        /// The bytes that the table has.
        size: usize,
    },
    /// The ABI differs.
    #[error("the extension was built for ABI {major}.{minor}, this runtime speaks {}.{}", abi::MAJOR, abi::MINOR)]
    Version {
        /// The extension's major version.
        major: u32,
        /// The extension's minor version.
        minor: u32,
    },
}

impl Incompatible {
    /// The error for people.
    pub fn diagnostic(&self, module: &str) -> Diagnostic {
        let (code, fix) = match self {
            Self::NotAModule => {
                (Code::NotAnExtension, "end the crate with `oxflow::module!(name);` and build it again")
            }
            Self::TooShort { .. } | Self::Version { .. } => {
                (Code::WrongAbi, "build the extension again with the `oxflow` crate of this release")
            }
        };
        Diagnostic {
            code,
            message: format!("`{module}` cannot be used as an extension"),
            place: None,
            why: Some(self.to_string()),
            fix: Some(fix.to_owned()),
        }
    }
}

impl Module {
    /// Checks the table behind a module's capsule.
    ///
    /// # Safety
    ///
    /// `table` is null or points to a table that follows [`oxflow::abi`] in its first four fields and lives as long as the
    /// process.
    pub unsafe fn from_table(table: *const ModuleTable) -> Result<Self, Incompatible> {
        // SAFETY: null is refused; the four fields that are read before the version is known never move.
        let head = unsafe { table.as_ref() }.ok_or(Incompatible::NotAModule)?;
        if head.magic != abi::MAGIC {
            return Err(Incompatible::NotAModule);
        }
        // While the major version is 0, minor versions promise nothing to each other.
        if (head.major, head.minor) != (abi::MAJOR, abi::MINOR) {
            return Err(Incompatible::Version { major: head.major, minor: head.minor });
        }
        if head.size < size_of::<ModuleTable>() {
            return Err(Incompatible::TooShort { size: head.size });
        }
        Ok(Self { table: head })
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
        // SAFETY: the table says how many there are, and each points to a static.
        unsafe { list(self.table.functions, self.table.functions_len) }
            .map(|table| Function { table, made: None })
            .collect()
    }

    /// The types.
    pub fn types(&self) -> Vec<PayloadType> {
        // SAFETY: the table says how many there are, and each points to a static.
        unsafe { list(self.table.types, self.table.types_len) }.map(|table| PayloadType { table }).collect()
    }
}

/// The tables behind an array of pointers.
///
/// # Safety
///
/// `pointers` has `len` entries, each of a table that lives as long as the process.
unsafe fn list<T: 'static>(pointers: *const *const T, len: u32) -> impl Iterator<Item = &'static T> {
    let pointers: &[*const T] = if len == 0 {
        &[]
    } else {
        // SAFETY: the caller says so.
        unsafe { slice::from_raw_parts(pointers, len as usize) }
    };
    // SAFETY: the caller says so.
    pointers.iter().filter_map(|pointer| unsafe { pointer.as_ref() })
}

/// A payload type of an extension.
#[derive(Clone, Copy, Debug)]
pub struct PayloadType {
    table: &'static TypeTable,
}

impl PayloadType {
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
        // A module of an earlier minor version ends before this entry.
        let there = self.table.size >= offset_of!(TypeTable, codecs) + size_of_val(&self.table.codecs);
        let codecs = if there { self.table.codecs } else { self.codec().bit() };
        codecs & codec.bit() != 0
    }

    /// Whether it would have a codec if its module had been built with the feature of that name.
    pub fn lacks(&self, codec: abi::Codec) -> bool {
        let there = self.table.size >= offset_of!(TypeTable, absent) + size_of_val(&self.table.absent);
        there && self.table.absent & codec.bit() != 0
    }

    /// Its shape; `Any` where a newer SDK says what this runtime doesn't know.
    pub fn shape(&self) -> Type {
        serde_json::from_str(text(self.table.shape)).unwrap_or(Type::Any)
    }

    /// How many fields its module dropped in decoding on this thread since it was last asked.
    pub fn take_unknown(&self) -> u64 {
        // A module of an earlier minor version ends before this entry.
        let end = offset_of!(TypeTable, take_unknown) + size_of_val(&self.table.take_unknown);
        if self.table.size < end {
            return 0;
        }
        // SAFETY: the entry is there, and takes nothing.
        unsafe { (self.table.take_unknown)() }
    }

    /// How its payloads become Python objects and back, if they do so with no text in between.
    pub(crate) fn objects(&self) -> Option<&'static ObjectTable> {
        // As for `take_unknown`.
        let end = offset_of!(TypeTable, objects) + size_of_val(&self.table.objects);
        if self.table.size < end {
            return None;
        }
        // SAFETY: the entry is there, and is null or points to a static of the library.
        unsafe { self.table.objects.as_ref() }
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
mod tests {
    use std::ptr;

    use oxflow::abi::{Encoded, Faults, Handle, Held, Rows};

    use super::*;

    unsafe extern "C" fn decode(_: u32, _: *const Rows, _: *const Faults) -> Held {
        Held { handle: ptr::null_mut(), len: 0 }
    }

    unsafe extern "C" fn encode(_: u32, _: *mut Handle, _: *const Faults) -> *mut Encoded {
        ptr::null_mut()
    }

    unsafe extern "C" fn free(_: *mut Handle) {}

    unsafe extern "C" fn release(_: *mut Encoded) {}

    extern "C" fn take_unknown() -> u64 {
        7
    }

    fn payload_type(size: usize) -> PayloadType {
        let (library, name) = (ptr::null(), lend(b"T"));
        let table = TypeTable {
            size,
            library,
            key: 0,
            hash: 0,
            codec: abi::Codec::Json as u32,
            public: 0,
            name,
            doc: NONE,
            shape: NONE,
            decode,
            encode,
            free,
            release,
            take_unknown,
            objects: ptr::null(),
            codecs: abi::Codec::Json.bit() | abi::Codec::Protobuf.bit(),
            absent: abi::Codec::MsgPack.bit(),
        };
        PayloadType { table: Box::leak(Box::new(table)) }
    }

    #[test]
    fn an_entry_that_the_table_does_not_cover_is_not_called() {
        let whole = size_of::<TypeTable>();
        assert_eq!(7, payload_type(whole).take_unknown());
        assert_eq!(0, payload_type(offset_of!(TypeTable, objects) - 1).take_unknown());
        assert_eq!(0, payload_type(offset_of!(TypeTable, take_unknown)).take_unknown());
        let codecs = |size| {
            let payload = payload_type(size);
            let has = [abi::Codec::Json, abi::Codec::Protobuf].map(|codec| payload.has(codec));
            (has, payload.lacks(abi::Codec::MsgPack))
        };
        assert_eq!(([true, true], true), codecs(whole));
        assert_eq!(([true, true], false), codecs(whole - 1));
        assert_eq!(([true, false], false), codecs(offset_of!(TypeTable, codecs)));
    }
}
