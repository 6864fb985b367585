//! The way out: rows of a handle become bytes that the module owns until the runtime gives them back.

use crate::Payload;
use crate::abi::{Change, Codec, Encoded, Faults, Handle, Header};
use crate::codec::EncodeError;
use crate::guard::{Panic, each};
use crate::metadata::{Changes, Metadata};
use crate::report::{NONE, Reporter, lend};
use crate::run::{Row, claim};

/// What `encode` gives, with the memory behind it. `face` stays first: the runtime sees nothing else.
#[repr(C)]
struct Owned {
    face: Encoded,
    rows: Vec<u32>,
    ends: Vec<usize>,
    data: Vec<u8>,
    changes: Vec<Change>,
    headers: Vec<Header>,
    metadata: Vec<Changes>,
}

/// Bytes that a row is given room for at first.
const ROOM: usize = 256;

/// Outputs as they are encoded.
#[derive(Default)]
struct Packed {
    row: u32,
    start: usize,
    rows: Vec<u32>,
    ends: Vec<usize>,
    data: Vec<u8>,
    /// Index of the output, its changes, and the timestamp that it has with them.
    changed: Vec<(u32, Changes, i64)>,
}

impl Packed {
    fn for_rows(rows: usize) -> Self {
        let (rows, ends, data) = (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows * ROOM));
        Self { rows, ends, data, ..Self::default() }
    }

    fn add<T>(
        &mut self,
        write: impl Fn(&T, &mut Vec<u8>) -> Result<(), EncodeError>,
        faults: Reporter<'_>,
        Row { row, message }: Row<T>,
    ) {
        (self.row, self.start) = (row, self.data.len());
        let timestamp = message.timestamp();
        let (payload, metadata) = message.into_parts();
        let outcome = write(&payload, &mut self.data);
        drop(payload);
        match outcome {
            Ok(()) => self.finish(metadata, timestamp),
            Err(error) => {
                self.data.truncate(self.start);
                faults.unencodable(row, &error);
            }
        }
    }

    fn finish(&mut self, metadata: Metadata, timestamp: i64) {
        if let (Some(changes), Ok(output)) = (metadata.into_changes(), u32::try_from(self.rows.len())) {
            self.changed.push((output, *changes, timestamp));
        }
        self.rows.push(self.row);
        self.ends.push(self.data.len());
    }

    fn into_encoded(self) -> *mut Encoded {
        let headers: Vec<Header> = self.changed.iter().flat_map(|(_, changes, _)| lend_headers(changes)).collect();
        let mut rest = headers.as_slice();
        let mut changes = Vec::with_capacity(self.changed.len());
        for (output, changed, timestamp) in &self.changed {
            changes.push(change(*output, changed, *timestamp, &mut rest));
        }
        let face = Encoded {
            len: self.rows.len(),
            rows: self.rows.as_ptr(),
            ends: self.ends.as_ptr(),
            data: self.data.as_ptr(),
            data_len: self.data.len(),
            changes: changes.as_ptr(),
            changes_len: changes.len(),
        };
        let metadata = self.changed.into_iter().map(|(_, changes, _)| changes).collect();
        let owned = Owned { face, rows: self.rows, ends: self.ends, data: self.data, changes, headers, metadata };
        Box::into_raw(Box::new(owned)).cast()
    }
}

/// The change of an output, whose headers come first in `headers` and are taken from there.
pub(crate) fn change(output: u32, changes: &Changes, timestamp: i64, headers: &mut &[Header]) -> Change {
    let (own, others) = headers.split_at_checked(changes.headers.len()).unwrap_or_default();
    *headers = others;
    Change {
        output,
        headers_len: u32::try_from(own.len()).unwrap_or(u32::MAX),
        headers: own.as_ptr(),
        key: changes.key.as_ref().map_or(NONE, |key| lend(key)),
        timestamp,
    }
}

pub(crate) fn lend_headers(changes: &Changes) -> impl Iterator<Item = Header> {
    changes.headers.iter().map(|(name, value)| Header { name: lend(name.as_bytes()), value: lend(value) })
}

/// # Safety
///
/// `handle` holds rows of `T` and isn't used again; `faults` keeps what its type promises, for the call.
pub(crate) unsafe extern "C" fn encode<T: Payload>(
    codec: u32,
    handle: *mut Handle,
    faults: *const Faults,
) -> *mut Encoded {
    // SAFETY: the caller's promise.
    let (rows, faults) = unsafe { (claim::<T::Borrowed<'_>>(handle), Reporter::new(faults)) };
    match Codec::of(codec) {
        Some(codec) if codec != T::CODEC => {
            encode_by(rows, faults, |row: &T::Borrowed<'_>, out| row.encode_as(codec, out))
        }
        // As for decoding.
        _ => encode_by(rows, faults, Payload::encode),
    }
}

pub(crate) fn encode_by<T>(
    rows: Vec<Row<T>>,
    faults: Reporter<'_>,
    write: impl Fn(&T, &mut Vec<u8>) -> Result<(), EncodeError>,
) -> *mut Encoded {
    let mut packed = Packed::for_rows(rows.len());
    let add = |packed: &mut Packed, row| packed.add(&write, faults, row);
    let recover = |packed: &mut Packed, panic: &Panic| {
        packed.data.truncate(packed.start);
        faults.panicked(packed.row, panic);
    };
    each(rows.into_iter(), &mut packed, add, recover);
    packed.into_encoded()
}

/// # Safety
///
/// `encoded` came from [`encode`] and isn't used again.
pub(crate) unsafe extern "C" fn release(encoded: *mut Encoded) {
    // SAFETY: `encode` gave the first field of a boxed `Owned`, which is where that box begins.
    drop(unsafe { Box::from_raw(encoded.cast::<Owned>()) });
}
