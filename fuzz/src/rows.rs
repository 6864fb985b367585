//! Any metadata through `decode`: what a function sees of it is what the runtime lent, and what it changes comes back.

#![no_main]

use std::ffi::c_void;
use std::ptr;

use libfuzzer_sys::arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use oxflow::abi::{Bytes as Lent, Codec, Fault, Faults, Header, Rows};
use oxflow::{Bytes, Message};

#[path = "../../crates/oxflow/tests/it/host.rs"]
#[allow(dead_code, reason = "the tests use what this target does not")]
mod runtime;

/// Payload, key and headers.
type Row = (Vec<u8>, Option<Vec<u8>>, Vec<(Vec<u8>, Vec<u8>)>);

/// What the function sees.
#[oxflow::function]
fn seen(msg: Message<Bytes>) -> Message<Bytes> {
    let headers: Vec<(String, Vec<u8>)> =
        msg.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
    let text = format!("{:?} {:?} {headers:?} {}", msg.payload().to_vec(), msg.key(), msg.timestamp());
    let key = msg.key().unwrap_or_default().to_vec();
    msg.with_key(key).map(|_| text.into_bytes().into())
}

fn expected(row: &Row, timestamp: i64) -> String {
    let (payload, key, headers) = row;
    let headers: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.clone())).collect();
    format!("{payload:?} {:?} {headers:?} {timestamp}", key.as_deref())
}

fn lend(bytes: &[u8]) -> Lent {
    Lent { data: bytes.as_ptr(), len: bytes.len() }
}

const NONE: Lent = Lent { data: ptr::null(), len: 0 };

unsafe extern "C" fn report(_: *mut c_void, fault: *const Fault) {
    // SAFETY: it is lent for the call.
    panic!("row {} failed", unsafe { (*fault).row });
}

fuzz_target!(|data: &[u8]| {
    let Ok((rows, stream, columns)) = <(Vec<Row>, Vec<u8>, bool)>::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let payloads: Vec<Lent> = rows.iter().map(|(payload, ..)| lend(payload)).collect();
    let keys: Vec<Lent> = rows.iter().map(|(_, key, _)| key.as_deref().map_or(NONE, lend)).collect();
    let headers: Vec<Header> = rows
        .iter()
        .flat_map(|(.., headers)| headers)
        .map(|(name, value)| Header { name: lend(name), value: lend(value) })
        .collect();
    let ends: Vec<u32> = rows
        .iter()
        .scan(0, |end, (.., headers)| {
            *end += headers.len() as u32;
            Some(*end)
        })
        .collect();
    let timestamps: Vec<i64> = (0..).take(rows.len()).collect();
    let partitions = vec![0; rows.len()];
    // A runtime leaves out columns in which nothing stands.
    let needs_keys = columns || rows.iter().any(|(_, key, _)| key.is_some());
    let needs_headers = columns || !headers.is_empty();
    let lent = Rows {
        len: rows.len(),
        payloads: payloads.as_ptr(),
        stream: lend(&stream),
        partitions: partitions.as_ptr(),
        offsets: timestamps.as_ptr(),
        timestamps: timestamps.as_ptr(),
        keys: if needs_keys { keys.as_ptr() } else { ptr::null() },
        headers: if needs_headers { headers.as_ptr() } else { ptr::null() },
        header_ends: if needs_headers { ends.as_ptr() } else { ptr::null() },
    };
    let faults = Faults { context: ptr::null_mut(), report };
    let function = runtime::function("seen");
    // SAFETY: all columns have as many entries as there are rows; each handle is given up once; the encoded rows are read before
    // they are released.
    unsafe {
        let (input, output) = (&*function.input, &*function.output);
        let held = (input.decode)(Codec::Bytes as u32, &raw const lent, &raw const faults);
        let held = (function.apply)(ptr::null(), held.handle, &raw const faults);
        let encoded = (output.encode)(Codec::Bytes as u32, held.handle, &raw const faults);
        let ends = std::slice::from_raw_parts((*encoded).ends, (*encoded).len);
        assert_eq!((rows.len(), rows.len()), (ends.len(), (*encoded).changes_len));
        let mut start = 0;
        for ((row, &end), timestamp) in rows.iter().zip(ends).zip(timestamps) {
            let text = std::slice::from_raw_parts((*encoded).data.add(start), end - start);
            assert_eq!(expected(row, timestamp).as_bytes(), text);
            start = end;
        }
        (output.release)(encoded);
    }
});
