//! A runtime in small: drives the tables as the engine does, and copies what comes back.

use oxflow::abi::{
    Bytes, Change, Encoded, Fault, Faults, FunctionTable, Header, Held, Instance, ModuleTable, Rows, TypeTable, Wish,
};
use std::ffi::c_void;
use std::ptr;

/// A message on its way in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub(crate) payload: Vec<u8>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) timestamp: i64,
}

/// A message on its way out; `changed` holds key, headers and timestamp.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    pub(crate) row: u32,
    pub(crate) payload: Vec<u8>,
    pub(crate) changed: Option<Changed>,
}

pub(crate) type Changed = (Option<Vec<u8>>, Vec<(String, Vec<u8>)>, i64);

/// A row that failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failed {
    pub(crate) row: u32,
    pub(crate) wish: Wish,
    pub(crate) status: u32,
    pub(crate) class: String,
    pub(crate) text: String,
    pub(crate) detail: String,
}

/// Which entry of a function is run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    Apply(&'static str),
    Select(&'static str),
    /// Of an instance that is made of these arguments for the call.
    ApplyWith(&'static str, &'static str),
    SelectWith(&'static str, &'static str),
}

impl Entry {
    fn function(self) -> &'static FunctionTable {
        let (Self::Apply(name) | Self::Select(name) | Self::ApplyWith(name, _) | Self::SelectWith(name, _)) = self;
        function(name)
    }
}

/// Something that a module made of arguments.
pub(crate) struct Made {
    table: &'static FunctionTable,
    pub(crate) instance: *mut Instance,
}

impl Made {
    pub(crate) fn new(table: &'static FunctionTable, arguments: &str) -> Result<Self, Failed> {
        let mut failed = Vec::new();
        let create = table.create.expect("a function that is made of arguments");
        // SAFETY: the arguments and `failed` outlive the call.
        let instance = unsafe { create(lend(arguments.as_bytes()), &listen(&mut failed)) };
        if instance.is_null() { Err(failed.remove(0)) } else { Ok(Self { table, instance }) }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // SAFETY: it was made by this table and is given up.
        unsafe { (self.table.destroy.expect("what is made is freed"))(self.instance) };
    }
}

pub(crate) fn inputs<P: AsRef<[u8]>>(payloads: impl IntoIterator<Item = P>) -> Vec<Input> {
    payloads.into_iter().map(|payload| Input { payload: payload.as_ref().to_vec(), ..Input::default() }).collect()
}

pub(crate) fn module() -> &'static ModuleTable {
    oxflow::module_table()
}

pub(crate) fn functions() -> Vec<&'static FunctionTable> {
    // SAFETY: the module's arrays have the lengths that it says, and live for ever.
    unsafe { borrow(module().functions, module().functions_len as usize).iter().map(|table| &**table).collect() }
}

pub(crate) fn types() -> Vec<&'static TypeTable> {
    // SAFETY: as above.
    unsafe { borrow(module().types, module().types_len as usize).iter().map(|table| &**table).collect() }
}

pub(crate) fn function(name: &str) -> &'static FunctionTable {
    functions().into_iter().find(|function| text(function.name) == name).expect("a registered function")
}

pub(crate) fn type_of(name: &str) -> &'static TypeTable {
    types().into_iter().find(|table| text(table.name) == name).expect("a type that a function uses")
}

/// Decodes with the input type of the first function, runs the entries over the handle, encodes.
pub(crate) fn run(inputs: &[Input], entries: &[Entry]) -> (Vec<Output>, Vec<Failed>) {
    let output = entries.iter().fold(input_type(entries), |table, entry| match entry {
        Entry::Select(_) | Entry::SelectWith(..) => table,
        // SAFETY: tables live for ever.
        Entry::Apply(_) | Entry::ApplyWith(..) => unsafe { &*entry.function().output },
    });
    transcode(inputs, entries, [input_type(entries).codec, output.codec])
}

/// The same, from one codec to another.
pub(crate) fn transcode(inputs: &[Input], entries: &[Entry], [from, to]: [u32; 2]) -> (Vec<Output>, Vec<Failed>) {
    let mut failed = Vec::new();
    let (mut held, mut table) = (decode(inputs, input_type(entries), from, &mut failed), input_type(entries));
    for entry in entries {
        (held, table) = step(held, table, *entry, &mut failed);
    }
    // SAFETY: the handle is of this type and is given up; `failed` outlives the call.
    let encoded = unsafe { (table.encode)(to, held.handle, &listen(&mut failed)) };
    // SAFETY: `encode` gives a valid pointer, which is released once, after it was read.
    let outputs = unsafe {
        let outputs = collect(&*encoded);
        (table.release)(encoded);
        outputs
    };
    (outputs, failed)
}

/// Decodes and abandons the run.
pub(crate) fn decode_and_free(inputs: &[Input], name: &'static str) -> usize {
    let table = input_type(&[Entry::Apply(name)]);
    let held = decode(inputs, table, table.codec, &mut Vec::new());
    // SAFETY: the handle is of this type and is given up.
    unsafe { (table.free)(held.handle) };
    held.len
}

fn input_type(entries: &[Entry]) -> &'static TypeTable {
    // SAFETY: tables live for ever.
    unsafe { &*entries[0].function().input }
}

fn step(held: Held, table: &'static TypeTable, entry: Entry, failed: &mut Vec<Failed>) -> (Held, &'static TypeTable) {
    let function = entry.function();
    // SAFETY: tables live for ever.
    let (input, output) = unsafe { (&*function.input, &*function.output) };
    assert_eq!((table.library, table.key), (input.library, input.key), "handles pass between equal types only");
    let (call, output) = match entry {
        Entry::Apply(_) | Entry::ApplyWith(..) => (function.apply, output),
        Entry::Select(_) | Entry::SelectWith(..) => (function.select.expect("a filter that can select"), input),
    };
    let made = match entry {
        Entry::ApplyWith(_, arguments) | Entry::SelectWith(_, arguments) => {
            Some(Made::new(function, arguments).expect("arguments that the function takes"))
        }
        Entry::Apply(_) | Entry::Select(_) => None,
    };
    let instance = made.as_ref().map_or(ptr::null(), |made| made.instance.cast_const());
    // SAFETY: the handle is of the function's input type, as asserted, and is given up; the instance is this function's.
    (unsafe { call(instance, held.handle, &listen(failed)) }, output)
}

fn decode(inputs: &[Input], table: &TypeTable, codec: u32, failed: &mut Vec<Failed>) -> Held {
    let payloads: Vec<Bytes> = inputs.iter().map(|input| lend(&input.payload)).collect();
    let keys: Vec<Bytes> = inputs.iter().map(|input| input.key.as_deref().map_or(NONE, lend)).collect();
    let headers = |input: &Input| {
        let headers =
            input.headers.iter().map(|(name, value)| Header { name: lend(name.as_bytes()), value: lend(value) });
        headers.collect::<Vec<_>>()
    };
    let headers: Vec<Vec<Header>> = inputs.iter().map(headers).collect();
    let ends = headers.iter().scan(0, |end, headers| {
        *end += u32::try_from(headers.len()).expect("few headers");
        Some(*end)
    });
    let ends: Vec<u32> = ends.collect();
    let headers: Vec<Header> = headers.concat();
    let timestamps: Vec<i64> = inputs.iter().map(|input| input.timestamp).collect();
    let offsets: Vec<i64> = (100..).take(inputs.len()).collect();
    let partitions = vec![3; inputs.len()];
    let rows = Rows {
        len: inputs.len(),
        payloads: payloads.as_ptr(),
        stream: lend(b"in"),
        partitions: partitions.as_ptr(),
        offsets: offsets.as_ptr(),
        timestamps: timestamps.as_ptr(),
        keys: if inputs.iter().any(|input| input.key.is_some()) { keys.as_ptr() } else { ptr::null() },
        headers: if headers.is_empty() { ptr::null() } else { headers.as_ptr() },
        header_ends: if headers.is_empty() { ptr::null() } else { ends.as_ptr() },
    };
    // SAFETY: all columns have `len` entries and outlive the call.
    unsafe { (table.decode)(codec, &raw const rows, &listen(failed)) }
}

/// # Safety
///
/// `encoded` came from `encode`.
unsafe fn collect(encoded: &Encoded) -> Vec<Output> {
    // SAFETY: the arrays have the lengths that the struct says.
    let (rows, ends, data, changes) = unsafe {
        (
            borrow(encoded.rows, encoded.len),
            borrow(encoded.ends, encoded.len),
            borrow(encoded.data, encoded.data_len),
            borrow(encoded.changes, encoded.changes_len),
        )
    };
    let mut start = 0;
    let outputs = rows.iter().zip(ends).zip(0..).map(|((&row, &end), index)| {
        let payload = data[start..end].to_vec();
        start = end;
        let change = changes.iter().find(|change| change.output == index);
        // SAFETY: what a change points to lives until `release`.
        Output { row, payload, changed: change.map(|change| unsafe { copy(change) }) }
    });
    outputs.collect()
}

unsafe fn copy(change: &Change) -> Changed {
    // SAFETY: the caller's promise.
    let headers = unsafe { borrow(change.headers, change.headers_len as usize) };
    let headers = headers.iter().map(|header| (text(header.name), bytes(header.value).to_vec())).collect();
    ((!change.key.data.is_null()).then(|| bytes(change.key).to_vec()), headers, change.timestamp)
}

fn listen(failed: &mut Vec<Failed>) -> Faults {
    Faults { context: ptr::from_mut(failed).cast(), report }
}

unsafe extern "C" fn report(context: *mut c_void, fault: *const Fault) {
    // SAFETY: the context is that of `listen`; the fault lives for the call.
    let (failed, fault) = unsafe { (&mut *context.cast::<Vec<Failed>>(), &*fault) };
    assert_eq!(size_of::<Fault>(), fault.size);
    failed.push(Failed {
        row: fault.row,
        wish: fault.wish,
        status: fault.status,
        class: text(fault.class),
        text: text(fault.text),
        detail: text(fault.detail),
    });
}

const NONE: Bytes = Bytes { data: ptr::null(), len: 0 };

fn lend(bytes: &[u8]) -> Bytes {
    Bytes { data: bytes.as_ptr(), len: bytes.len() }
}

fn bytes<'a>(bytes: Bytes) -> &'a [u8] {
    // SAFETY: the tables and what they give stay until their test has read them.
    unsafe { borrow(bytes.data, bytes.len) }
}

pub(crate) fn text(text: Bytes) -> String {
    String::from_utf8(bytes(text).to_vec()).expect("UTF-8")
}

unsafe fn borrow<'a, T>(data: *const T, len: usize) -> &'a [T] {
    // SAFETY: the caller's promise.
    if data.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(data, len) } }
}
