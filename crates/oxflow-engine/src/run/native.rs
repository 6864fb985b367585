//! Rust steps of one extension module, called through the C ABI.
//!
//! The payloads are decoded once, handed from function to function inside the module, and encoded once. A parser before
//! the functions and a serializer after them are part of the run. No interpreter is involved.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::time::Instant;

use oxflow::abi::{self, Codec, Encoded, Held, Rows};
use oxflow::shape::Type;
use serde::de::IgnoredAny;

use super::gather::{OpenLoan, Piece, pieces};
use super::offer::{Offered, Worth};
use super::rows::{Reports, RowArrays};
use super::{Context, Outcome, Run, RunFailed, StepCounts};
use crate::batch::{Batch, ByteColumn, Changed, Payloads, row_number};
use crate::extension::{Function, NotMade, PayloadType, borrow};
use crate::fault::FaultKind;

/// Messages that a module gets at once. More is slower: decoded rows fall out of the cache before they are used.
pub(super) const CHUNK_ROWS: usize = 256;

/// What a native run does.
#[derive(Clone, Debug)]
pub struct NativeSpec {
    /// The type that is decoded.
    pub input: PayloadType,
    /// The codec that it is decoded from: one that the type has.
    pub from: Codec,
    /// The parser that is part of the run.
    pub parser: Option<usize>,
    /// What this parser takes, if that is more than the type: what it takes and the type does not is the first function's to
    /// refuse.
    pub parser_takes: Option<Type>,
    /// The parser before it that left the payloads as they were read: what can't be decoded was its to refuse.
    pub parsed: Option<usize>,
    /// The functions, in order; may be empty between a parser and a serializer.
    pub calls: Vec<NativeCall>,
    /// The serializer that is part of the run.
    pub serializer: Option<usize>,
    /// The codec that the serializer writes; without one it is that between steps.
    pub to: Option<Codec>,
    /// The run that comes next takes objects, which may be made of the rows in place of JSON.
    pub offers: bool,
}

/// A function in a run.
#[derive(Clone, Debug)]
pub struct NativeCall {
    /// Number of the step in the report.
    pub step: usize,
    /// The function.
    pub function: Function,
    /// Keep the messages for which the function says true, instead of its answers.
    pub select: bool,
}

impl NativeSpec {
    /// A run that reads payloads of a type as they lie between steps, and does nothing with them yet.
    pub fn of(input: PayloadType) -> Self {
        Self {
            input,
            from: input.codec(),
            parser: None,
            parser_takes: None,
            parsed: None,
            calls: Vec::new(),
            serializer: None,
            to: None,
            offers: false,
        }
    }

    /// The type that the run gives.
    pub fn output(&self) -> PayloadType {
        let gives = |call: &NativeCall| if call.select { call.function.input() } else { call.function.output() };
        self.calls.last().map_or(self.input, gives)
    }

    /// The run of one lane: its functions with state are its own.
    ///
    /// # Errors
    ///
    /// The step whose function can't be made once more, and why.
    pub fn for_lane(&self) -> Result<Self, (usize, NotMade)> {
        let call = |call: &NativeCall| {
            let function = call.function.for_lane().map_err(|error| (call.step, error))?;
            Ok(NativeCall { function, ..call.clone() })
        };
        Ok(Self { calls: self.calls.iter().map(call).collect::<Result<_, _>>()?, ..self.clone() })
    }

    /// The steps that are part of the run.
    pub fn steps(&self) -> Vec<usize> {
        self.parser.into_iter().chain(self.calls.iter().map(|call| call.step)).chain(self.serializer).collect()
    }

    /// The step that decoding belongs to.
    fn first_step(&self) -> usize {
        self.parser.or(self.calls.first().map(|call| call.step)).or(self.serializer).unwrap_or_default()
    }

    /// The step whose type is decoded: the parser, unless it takes more than that.
    fn typed_step(&self) -> usize {
        let first = self.calls.first().filter(|_| self.parser_takes.is_some());
        first.map_or_else(|| self.first_step(), |call| call.step)
    }

    /// The step that encoding belongs to.
    fn last_step(&self) -> usize {
        self.serializer.or(self.calls.last().map(|call| call.step)).or(self.parser).unwrap_or_default()
    }
}

/// A native run of one lane.
#[derive(Debug)]
pub struct NativeRun {
    spec: NativeSpec,
    arrays: RowArrays,
    /// What the parser did for the batch at hand, also where nothing is counted.
    parsed: StepCounts,
    worth: Worth,
}

impl NativeRun {
    /// A run of its own, for one lane.
    pub fn new(spec: NativeSpec) -> Self {
        Self { spec, arrays: RowArrays::default(), parsed: StepCounts::default(), worth: Worth::default() }
    }

    /// The step that it ends with.
    pub(super) fn step(&self) -> usize {
        self.spec.last_step()
    }

    /// The parser that is part of it, and what it did for the last batch.
    pub(super) fn parsed(&self) -> Option<(usize, StepCounts)> {
        self.spec.parser.map(|parser| (parser, self.parsed))
    }

    /// Runs the messages `range` of the batch; false if a fault ends the run.
    fn chunk(
        &mut self,
        batch: &Batch,
        given: Given<'_>,
        range: std::ops::Range<usize>,
        outputs: &mut Outputs,
        context: &mut Context<'_>,
    ) -> bool {
        let mut reports = Reports { base: row_number(range.start), ..Reports::default() };
        // Dropped after the rows, which may borrow from it.
        let (loan, mut rows) = self.decode(batch, given, range, &mut reports, context);
        for call in &self.spec.calls {
            rows = apply(call, rows, &mut reports, context);
        }
        match outputs {
            Outputs::Offered(offered) => offered.add(rows, loan, reports.base),
            Outputs::Encoded(encoded) => self.encode(rows, encoded, &mut reports, context),
        }
        let mut going = true;
        for fault in reports.faults {
            going &= !context.fail(fault);
        }
        going
    }

    fn decode(
        &mut self,
        batch: &Batch,
        given: Given<'_>,
        range: std::ops::Range<usize>,
        reports: &mut Reports,
        context: &mut Context<'_>,
    ) -> (Option<OpenLoan>, HeldRows) {
        let started = Instant::now();
        let count = range.len();
        reports.step = self.spec.parsed.unwrap_or_else(|| self.spec.first_step());
        if let Some(first) = batch.metadata(range.start) {
            context.live.at(first.slot(), first.offset());
        }
        context.live.enter(reports.step);
        let input = self.spec.input;
        // What the module's functions dropped in decoding of their own is no field of these messages.
        input.take_unknown();
        let (loan, rows) = match given {
            Given::Bytes(column) => {
                let (from, faults) = (self.spec.from as u32, reports.table());
                // SAFETY: the arrays describe `len` rows that live for the call, as the ABI wants them; the type has the codec.
                let decode = |rows: &Rows| unsafe { (input.table().decode)(from, rows, &raw const faults) };
                let held = self.arrays.lend(batch, Some(column), range, decode);
                self.blame(column, reports);
                (None, HeldRows { held, owner: input })
            }
            Given::Gathered(piece) => {
                let (rows, loan) = self.arrays.lend(batch, None, range, |rows| piece.end(rows, reports));
                (Some(loan), rows)
            }
        };
        context.count_unknown(self.spec.typed_step(), input.take_unknown());
        match self.spec.parser {
            Some(parser) => {
                self.parsed.messages_in += count as u64;
                self.parsed.messages_out += rows.held.len as u64;
                self.parsed.time += started.elapsed();
                context.count(parser, count, rows.held.len, started);
            }
            None => context.count(self.spec.first_step(), 0, 0, started),
        }
        (loan, rows)
    }

    /// Finds the step whose fault it was that a message could not be decoded.
    fn blame(&self, column: &ByteColumn, reports: &mut Reports) {
        let Some(taken) = &self.spec.parser_takes else { return };
        let step = self.spec.typed_step();
        for fault in reports.faults.iter_mut().filter(|fault| fault.kind == FaultKind::Undecodable) {
            let payload = column.get(fault.row as usize).unwrap_or_default();
            let is_json = serde_json::from_slice::<IgnoredAny>(payload).is_ok();
            let is_object = payload.trim_ascii_start().first() == Some(&b'{');
            if is_json && (is_object || !matches!(taken, Type::Dict(..))) {
                fault.step = step;
            }
        }
    }

    fn encode(&self, rows: HeldRows, outputs: &mut EncodedOutputs, reports: &mut Reports, context: &mut Context<'_>) {
        let started = Instant::now();
        let count = rows.held.len;
        reports.step = self.spec.last_step();
        context.live.enter(reports.step);
        let base = reports.base;
        let to = self.spec.to.unwrap_or_else(|| rows.owner.codec());
        let written = rows.encode(to, reports, |encoded| outputs.add(encoded, base));
        match self.spec.serializer {
            Some(serializer) => context.count(serializer, count, written, started),
            None => context.count(self.spec.last_step(), 0, 0, started),
        }
    }
}

fn apply(call: &NativeCall, rows: HeldRows, reports: &mut Reports, context: &mut Context<'_>) -> HeldRows {
    let started = Instant::now();
    let count = rows.held.len;
    reports.step = call.step;
    context.live.enter(call.step);
    let rows = rows.apply(&call.function, call.select, reports);
    context.count(call.step, count, rows.held.len, started);
    rows
}

impl Run for NativeRun {
    fn apply(&mut self, batch: Batch, context: &mut Context<'_>) -> Result<Outcome, RunFailed> {
        let (meta, rows, payloads) = batch.into_parts();
        let payloads = payloads.lists_to_json();
        let mut source = match &payloads {
            Payloads::Bytes(column) => Source::Bytes(column.clone()),
            Payloads::Gathered(gathered) => Source::Gathered(pieces(gathered)),
            Payloads::Objects(_) | Payloads::Lists { .. } => unreachable!("the plan gives a native run bytes"),
        };
        let batch = Batch::from_parts(meta, rows, payloads);
        let mut outputs = self.outputs();
        self.parsed = StepCounts::default();
        for start in (0..batch.len()).step_by(CHUNK_ROWS) {
            let range = start..(start + CHUNK_ROWS).min(batch.len());
            if context.leaves(start) {
                break;
            }
            // To go on without them would count them as handled.
            let Some(given) = source.next() else {
                unreachable!("a gathering has a piece for each chunk of its batch")
            };
            if !self.chunk(&batch, given, range, &mut outputs, context) {
                break;
            }
        }
        Ok(outputs.finish(&batch, source))
    }
}

/// What a batch gives: bytes, or rows that the next run has objects made of.
enum Outputs {
    Encoded(EncodedOutputs),
    Offered(Offered),
}

impl NativeRun {
    fn outputs(&self) -> Outputs {
        let table = self.spec.output().offer().filter(|_| self.spec.offers && self.worth.next());
        table.map_or_else(
            || Outputs::Encoded(EncodedOutputs::default()),
            |table| Outputs::Offered(Offered::of(self.step(), table, &self.worth)),
        )
    }
}

impl Outputs {
    fn finish(self, batch: &Batch, source: Source) -> Outcome {
        let (payloads, parents, changes) = match self {
            Self::Encoded(EncodedOutputs { data, ends, parents, changes }) => {
                (Payloads::Bytes(ByteColumn::from_ends(data, ends)), parents, changes)
            }
            Self::Offered(Offered { offers, parents, changes, .. }) => (offers.finish(source.lent()), parents, changes),
        };
        let derived = batch.derive(&parents, payloads);
        if changes.is_empty() {
            return Outcome { batch: derived, parents: Some(parents), changed: false };
        }
        Outcome { batch: derived.with_changes(&changes), parents: Some(parents), changed: true }
    }
}

/// Where the payloads of a batch are.
enum Source {
    Bytes(ByteColumn),
    Gathered(VecDeque<Piece>),
}

/// Those of a chunk.
enum Given<'a> {
    Bytes(&'a ByteColumn),
    Gathered(Piece),
}

impl Source {
    fn next(&mut self) -> Option<Given<'_>> {
        match self {
            Self::Bytes(column) => Some(Given::Bytes(column)),
            Self::Gathered(pieces) => pieces.pop_front().map(Given::Gathered),
        }
    }

    /// What rows may borrow from beyond their loans.
    fn lent(self) -> Option<ByteColumn> {
        if let Self::Bytes(column) = self { Some(column) } else { None }
    }
}

/// Rows that a module holds; freed by it when they are not passed on. They may borrow from what they were decoded from.
#[derive(Debug)]
pub(super) struct HeldRows {
    pub(super) held: Held,
    pub(super) owner: PayloadType,
}

// SAFETY: the ABI lets any thread call the entries of a handle.
unsafe impl Send for HeldRows {}

impl HeldRows {
    pub(super) fn apply(self, called: &Function, select: bool, reports: &mut Reports) -> Self {
        let table = called.table();
        let (function, owner) = match table.select.filter(|_| select) {
            Some(select) => (select, called.input()),
            None => (table.apply, called.output()),
        };
        let faults = reports.table();
        let handle = self.into_handle();
        // SAFETY: the plan fused the function because the handle is of its input type; the call consumes the handle. What its
        // rows were decoded from, and may borrow from, outlives the run.
        let held = unsafe { function(called.instance(), handle, &raw const faults) };
        Self { held, owner }
    }

    /// Gives the encoded rows to `read` and frees them; the number of rows.
    pub(super) fn encode(self, to: Codec, reports: &mut Reports, read: impl FnOnce(&Encoded)) -> usize {
        let owner = self.owner;
        let faults = reports.table();
        let handle = self.into_handle();
        // SAFETY: the handle is of this type, which has the codec; the call consumes it.
        let encoded = unsafe { (owner.table().encode)(to as u32, handle, &raw const faults) };
        let encoded = EncodedRows { encoded, owner };
        // SAFETY: the rows live until they are released.
        let rows = unsafe { &*encoded.encoded };
        read(rows);
        rows.len
    }

    pub(super) fn into_handle(self) -> *mut abi::Handle {
        std::mem::ManuallyDrop::new(self).held.handle
    }
}

impl Drop for HeldRows {
    fn drop(&mut self) {
        // SAFETY: the handle is of this type and was not passed on.
        unsafe { (self.owner.table().free)(self.held.handle) };
    }
}

/// Rows that a module encoded; given back to it when they are read.
struct EncodedRows {
    encoded: *mut Encoded,
    owner: PayloadType,
}

impl Drop for EncodedRows {
    fn drop(&mut self) {
        // SAFETY: `encode` of this type gave them, and nothing is borrowed from them any more.
        unsafe { (self.owner.table().release)(self.encoded) };
    }
}

/// Encoded rows, copied out of the module chunk by chunk.
#[derive(Default)]
struct EncodedOutputs {
    data: Vec<u8>,
    ends: Vec<usize>,
    parents: Vec<u32>,
    changes: Vec<Changed>,
}

impl EncodedOutputs {
    fn add(&mut self, encoded: &Encoded, base: u32) {
        let (shift, outputs) = (self.data.len(), self.ends.len());
        // SAFETY: `encoded` describes its arrays, which live until it is released.
        let (data, ends, rows, changes) = unsafe {
            (
                array(encoded.data, encoded.data_len),
                array(encoded.ends, encoded.len),
                array(encoded.rows, encoded.len),
                array(encoded.changes, encoded.changes_len),
            )
        };
        self.data.extend_from_slice(data);
        self.ends.extend(ends.iter().map(|end| end + shift));
        self.parents.extend(rows.iter().map(|row| row + base));
        self.changes.extend(changes.iter().map(|change| changed(change, outputs)));
    }
}

/// The items of an array of the ABI.
///
/// # Safety
///
/// `items` has `len` entries that live for `'a`; it may be null if there are none.
pub(super) unsafe fn array<'a, T>(items: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller says so.
    unsafe { std::slice::from_raw_parts(items, len) }
}

/// Copies a change of a module whose first output is number `outputs` of the batch.
pub(super) fn changed(change: &abi::Change, outputs: usize) -> Changed {
    // SAFETY: the change lives as long as the `Encoded` that it came from.
    let (key, headers) = unsafe { (borrow(change.key), array(change.headers, change.headers_len as usize)) };
    // SAFETY: as above.
    let bytes = |bytes| unsafe { borrow(bytes) }.unwrap_or_default().to_vec();
    let headers = headers
        .iter()
        .map(|header| (String::from_utf8_lossy(&bytes(header.name)).into_owned(), bytes(header.value)))
        .collect();
    Changed {
        output: outputs + change.output as usize,
        key: key.map(<[u8]>::to_vec),
        headers,
        timestamp_us: Some(change.timestamp),
    }
}

#[cfg(test)]
mod tests;
