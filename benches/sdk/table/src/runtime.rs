//! The runtime in small: calls the tables of this program's own functions as the engine does.

use std::ffi::c_void;
use std::ptr;

use oxflow::abi::{Bytes, Codec, Encoded, Fault, Faults, FunctionTable, Rows, TypeTable};

/// A function of this program.
#[derive(Clone, Copy)]
pub struct Function(&'static FunctionTable);

/// A way for messages to go.
pub struct Way<'m> {
    pub name: &'static str,
    pub codec: Codec,
    pub functions: Vec<Function>,
    pub messages: &'m [Vec<u8>],
}

impl Function {
    /// The one with this name.
    pub fn named(name: &str) -> Self {
        let module = oxflow::module_table();
        // SAFETY: the table says how many there are, and all live for ever.
        let tables = unsafe { std::slice::from_raw_parts(module.functions, module.functions_len as usize) };
        // SAFETY: as above.
        let found = tables.iter().map(|table| unsafe { &**table }).find(|table| bytes(table.name) == name.as_bytes());
        Self(found.expect("a function of this program"))
    }

    fn input(self) -> &'static TypeTable {
        // SAFETY: tables live for ever.
        unsafe { &*self.0.input }
    }

    fn output(self) -> &'static TypeTable {
        // SAFETY: tables live for ever.
        unsafe { &*self.0.output }
    }
}

impl Way<'_> {
    /// Nanoseconds of this thread's CPU time for a message, if so many come at once.
    pub fn cost(&self, batch: usize) -> f64 {
        let before = cpu_ns();
        let mut kept = 0;
        for messages in self.messages.chunks(batch) {
            self.through(self.codec, messages, |encoded| kept += encoded.data_len);
        }
        assert!(kept > 0, "every message gives something");
        (cpu_ns() - before) / self.messages.len() as f64
    }

    fn through(&self, gives: Codec, messages: &[Vec<u8>], read: impl FnOnce(&Encoded)) {
        let payloads: Vec<Bytes> = messages.iter().map(|message| lend(message)).collect();
        let (partitions, offsets, timestamps) =
            (vec![0; messages.len()], vec![0; messages.len()], vec![0; messages.len()]);
        let rows = Rows {
            len: messages.len(),
            payloads: payloads.as_ptr(),
            stream: lend(b"bench"),
            partitions: partitions.as_ptr(),
            offsets: offsets.as_ptr(),
            timestamps: timestamps.as_ptr(),
            keys: ptr::null(),
            headers: ptr::null(),
            header_ends: ptr::null(),
        };
        let faults = Faults { context: ptr::null_mut(), report };
        let (first, last) = (self.functions.first().expect("a function"), self.functions.last().expect("a function"));
        // SAFETY: all columns have `len` entries and live until the rows are encoded; each handle goes to a function of its type, and
        // what is encoded is read before it is released.
        unsafe {
            let mut held = (first.input().decode)(self.codec as u32, &raw const rows, &raw const faults);
            for function in &self.functions {
                held = (function.0.apply)(ptr::null(), held.handle, &raw const faults);
            }
            let encoded = (last.output().encode)(gives as u32, held.handle, &raw const faults);
            read(&*encoded);
            (last.output().release)(encoded);
        }
    }
}

/// The same messages in msgpack: what the function takes, written anew.
pub fn transcoded(function: &Function, json: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let table = function.input();
    let mut all = Vec::with_capacity(json.len());
    for message in json {
        let payload = lend(message);
        let rows = Rows {
            len: 1,
            payloads: &raw const payload,
            stream: lend(b"bench"),
            partitions: [0].as_ptr(),
            offsets: [0].as_ptr(),
            timestamps: [0].as_ptr(),
            keys: ptr::null(),
            headers: ptr::null(),
            header_ends: ptr::null(),
        };
        let faults = Faults { context: ptr::null_mut(), report };
        // SAFETY: one row, which lives until it is encoded; what is encoded is copied before it is released.
        unsafe {
            let held = (table.decode)(Codec::Json as u32, &raw const rows, &raw const faults);
            let encoded = (table.encode)(Codec::MsgPack as u32, held.handle, &raw const faults);
            all.push(std::slice::from_raw_parts((*encoded).data, (*encoded).data_len).to_vec());
            (table.release)(encoded);
        }
    }
    all
}

unsafe extern "C" fn report(_: *mut c_void, fault: *const Fault) {
    // SAFETY: the fault and its texts live for the call.
    let text = unsafe { bytes((*fault).text) };
    eprintln!("a message fails: {}", String::from_utf8_lossy(text));
    std::process::exit(1);
}

fn lend(bytes: &[u8]) -> Bytes {
    Bytes { data: bytes.as_ptr(), len: bytes.len() }
}

fn bytes<'a>(bytes: Bytes) -> &'a [u8] {
    // SAFETY: the tables and what they lend live while it is looked at.
    if bytes.data.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(bytes.data, bytes.len) } }
}

fn cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time lives for the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
