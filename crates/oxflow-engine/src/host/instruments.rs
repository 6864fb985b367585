//! What extensions measure: each instrument has a number in the process.

use std::sync::OnceLock;

use oxflow::abi::host::{InstrumentKind, REFUSED};

/// Most instruments of a process.
pub const INSTRUMENTS: usize = 256;

static KNOWN: [OnceLock<Instrument>; INSTRUMENTS] = [const { OnceLock::new() }; INSTRUMENTS];

/// Something that a module measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instrument {
    pub(super) module: &'static str,
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) kind: u32,
}

impl Instrument {
    /// Its number, the same for the same name and kind of a module; [`REFUSED`] if there are too many.
    pub(super) fn number(self) -> u32 {
        let known = InstrumentKind::Counter as u32..=InstrumentKind::Histogram as u32;
        if !known.contains(&self.kind) {
            return REFUSED;
        }
        let is_it = |slot: &Self| (slot.module, slot.name, slot.kind) == (self.module, self.name, self.kind);
        let found = KNOWN.iter().zip(1..).find(|(slot, _)| is_it(slot.get_or_init(|| self.clone())));
        found.map_or(REFUSED, |(_, number)| number)
    }
}

/// The instrument of a number.
pub(super) fn instrument(number: u32) -> Option<&'static Instrument> {
    KNOWN.get((number as usize).checked_sub(1)?)?.get()
}
