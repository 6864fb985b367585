//! Modules of other versions, made by hand: what a runtime reads of them, and which ones it refuses.

use std::ffi::c_void;
use std::ptr;

use oxflow::abi::host::HostApi;
use oxflow::abi::{
    Encoded, Faults, FunctionTable, Grows, Handle, Held, Instance, MAGIC, MAJOR, MINOR, OLDEST_MINOR, Rows,
};

use super::*;

unsafe extern "C" fn decode(_: u32, _: *const Rows, _: *const Faults) -> Held {
    Held { handle: ptr::null_mut(), len: 0 }
}

unsafe extern "C" fn encode(_: u32, _: *mut Handle, _: *const Faults) -> *mut Encoded {
    ptr::null_mut()
}

unsafe extern "C" fn free(_: *mut Handle) {}

unsafe extern "C" fn release(_: *mut Encoded) {}

unsafe extern "C" fn take_unknown() -> u64 {
    7
}

unsafe extern "C" fn apply(_: *const Instance, handle: *mut Handle, _: *const Faults) -> Held {
    Held { handle, len: 0 }
}

unsafe extern "C" fn attach(_: *const HostApi) {}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// A struct as a side of another version makes it: of `size` bytes, those that it doesn't have in common with ours being such
/// that whoever uses one crashes.
fn resized<T>(value: &T, size: usize) -> *const T {
    let bytes = vec![0xFF_FF_FF_FF_FF_FF_FF_FF_u64; size.div_ceil(8)].leak();
    // SAFETY: the bytes that are copied are in both; the struct is plain data.
    unsafe {
        ptr::copy_nonoverlapping(
            ptr::from_ref(value).cast::<u8>(),
            bytes.as_mut_ptr().cast(),
            size.min(size_of::<T>()),
        );
    }
    bytes.as_ptr().cast()
}

fn payload_type(size: usize) -> *const TypeTable {
    let table = TypeTable {
        size,
        library: ptr::null::<c_void>(),
        key: 0,
        hash: 0,
        codec: abi::Codec::Json as u32,
        public: 0,
        name: lend(b"T"),
        doc: NONE,
        shape: NONE,
        decode,
        encode,
        free,
        release,
        take_unknown,
        objects: ptr::null(),
        codecs: abi::Codec::Json.bit(),
        absent: 0,
    };
    resized(&table, size)
}

fn function(size: usize, payload: *const TypeTable) -> *const FunctionTable {
    let table = FunctionTable {
        size,
        form: abi::Form::Object as u32,
        kind: abi::Kind::Map as u32,
        name: lend(b"f"),
        doc: NONE,
        input: payload,
        output: payload,
        apply,
        select: None,
        parameters: NONE,
        create: None,
        destroy: None,
        stateful: 0,
        wishes: 1 << abi::Policy::Skip as u32,
    };
    resized(&table, size)
}

/// Bytes that minor 4 made less of each, or a version to come will make more.
struct Sizes {
    module: isize,
    payload: isize,
    function: isize,
}

const SAME: Sizes = Sizes { module: 0, payload: 0, function: 0 };

fn of<T>(more: isize) -> usize {
    size_of::<T>().strict_add_signed(more)
}

fn module(major: u32, minor: u32, needs: u32, sizes: &Sizes) -> *const ModuleTable {
    let payload = payload_type(of::<TypeTable>(sizes.payload));
    let size = of::<ModuleTable>(sizes.module);
    let table = ModuleTable {
        magic: MAGIC,
        major,
        minor,
        size,
        debug: 0,
        types_len: 1,
        functions_len: 1,
        sdk: lend(b"0.0.1"),
        types: leak([payload]).as_ptr(),
        functions: leak([function(of::<FunctionTable>(sizes.function), payload)]).as_ptr(),
        attach,
        needs,
        unused: 0,
    };
    resized(&table, size)
}

fn take(table: *const ModuleTable) -> Result<Module, String> {
    // SAFETY: the table is leaked, and made as the ABI says.
    unsafe { Module::from_table(table) }.map_err(|error| error.to_string())
}

#[track_caller]
fn is_read(table: *const ModuleTable) -> Module {
    let module = take(table).expect("a module that is read");
    let functions = module.functions();
    assert_eq!(["f"], functions.iter().map(Function::name).collect::<Vec<_>>().as_slice());
    assert_eq!(7, functions[0].input().take_unknown());
    assert!(functions[0].input().is_same(&module.types()[0]));
    assert_eq!([abi::Policy::Skip], functions[0].wishes().collect::<Vec<_>>().as_slice());
    module
}

/// What `less` bytes less than minor 4 made of a struct are, beside what this version makes of it.
fn minor_4<T: Grows>(less: usize) -> isize {
    (T::ENDS[0] - less).cast_signed() - size_of::<T>().cast_signed()
}

#[test]
fn a_module_of_the_oldest_minor_is_read_without_what_came_later() {
    let sizes = Sizes {
        module: minor_4::<ModuleTable>(0),
        payload: minor_4::<TypeTable>(0),
        function: minor_4::<FunctionTable>(0),
    };
    let module = is_read(module(MAJOR, OLDEST_MINOR, 0, &sizes));
    assert_eq!((MAJOR, OLDEST_MINOR), module.abi());
    // The bytes behind the end say something else.
    assert_eq!(0, module.table.needs);
}

#[test]
fn a_newer_module_is_read_as_far_as_it_is_known() {
    let longer = Sizes { module: 8, payload: 64, function: 8 };
    let module = is_read(module(MAJOR, MINOR + 7, MINOR, &longer));
    assert_eq!((MAJOR, MINOR + 7), module.abi());
}

#[test]
fn a_module_is_the_same_whenever_it_is_taken() {
    let (first, second) = (module(MAJOR, MINOR, 0, &SAME), module(MAJOR, MINOR, 0, &SAME));
    assert_eq!(is_read(first).identity(), is_read(first).identity());
    assert_ne!(is_read(first).identity(), is_read(second).identity());
}

#[track_caller]
fn is_refused(why: &str, table: *const ModuleTable) {
    assert_eq!(Err(why.to_owned()), take(table).map(|_| ()));
}

#[test]
fn modules_that_promise_nothing_are_refused() {
    let speaks = format!("this oxflow speaks ABI {MAJOR}.{MINOR} and reads modules from {MAJOR}.{OLDEST_MINOR} on");
    is_refused(&format!("it was built for ABI 0.2; {speaks}"), module(MAJOR, 2, 0, &SAME));
    is_refused(&format!("it was built for ABI 1.0; {speaks}"), module(MAJOR + 1, 0, 0, &SAME));
    is_refused("this is not the table of an oxflow extension", ptr::null());
}

#[test]
fn a_module_that_needs_a_newer_runtime_is_refused() {
    let (minor, needs) = (MINOR + 2, MINOR + 1);
    let why = format!(
        "it was built for ABI {MAJOR}.{minor} and needs a runtime of {MAJOR}.{needs} or later; this oxflow speaks ABI {MAJOR}.{MINOR}"
    );
    is_refused(&why, module(MAJOR, minor, needs, &SAME));
}

#[test]
fn a_table_that_is_shorter_than_any_version_made_it_is_refused() {
    let why = |of| {
        format!(
            "it says that it was built for ABI {MAJOR}.{MINOR}, but the table of {of} is shorter than that one's: the \
             module is damaged, or was not built by oxflow"
        )
    };
    is_refused(&why("the module"), module(MAJOR, MINOR, 0, &Sizes { module: minor_4::<ModuleTable>(1), ..SAME }));
    is_refused(&why("a type"), module(MAJOR, MINOR, 0, &Sizes { payload: minor_4::<TypeTable>(1), ..SAME }));
    is_refused(&why("a function"), module(MAJOR, MINOR, 0, &Sizes { function: minor_4::<FunctionTable>(1), ..SAME }));
}
