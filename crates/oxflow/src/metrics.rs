//! Counts and measurements of a step, which end in the report of the run.
//!
//! ```
//! use oxflow::metrics::{Counter, Histogram};
//!
//! static REJECTED: Counter = Counter::new("rejected", "readings that nobody can believe");
//! static CELSIUS: Histogram = Histogram::new("celsius", "what the sensors say");
//!
//! fn look(celsius: f64) {
//!     CELSIUS.record(celsius);
//!     if celsius > 1000.0 {
//!         REJECTED.add_with(1, &[("reason", "too hot")]);
//!     }
//! }
//! # look(1001.0);
//! ```
//!
//! A name is letters of `a` to `z`, digits and `_`, and begins with a letter; a wrong one doesn't compile. Attributes say
//! which of few things something was: for each instrument a run keeps 64 sets of them, and adds up what comes in others
//! under `{"oxflow.overflow": "true"}`. Never use what messages say, a user's number or a URL. The first 256 instruments of a
//! process are kept. Without a runtime, as in a plain `cargo test`, nothing happens.

use crate::abi::host::{Field, FieldKind, Instrument as Described, InstrumentKind, REFUSED};
use crate::host::Host;
use crate::report::{NONE, lend};
use std::sync::atomic::{AtomicU32, Ordering};

/// What only grows: how often something happened.
#[derive(Debug)]
pub struct Counter(Instrument);

/// What goes up and down: the last value counts.
#[derive(Debug)]
pub struct Gauge(Instrument);

/// How some values are distributed.
#[derive(Debug)]
pub struct Histogram(Instrument);

/// Names and values of few kinds: `&[("reason", "short")]`. Of more than 8 the first 8 count.
pub type Attributes<'a> = &'a [(&'a str, &'a str)];

impl Counter {
    /// A counter, for a `static`.
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Self(Instrument::new(InstrumentKind::Counter, name, doc))
    }

    /// Counts.
    pub fn add(&self, amount: u64) {
        self.0.measure(amount, &[]);
    }

    /// Counts something of one of few kinds.
    pub fn add_with(&self, amount: u64, attributes: Attributes<'_>) {
        self.0.measure(amount, attributes);
    }
}

impl Gauge {
    /// A gauge, for a `static`.
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Self(Instrument::new(InstrumentKind::Gauge, name, doc))
    }

    /// Sets the value.
    pub fn set(&self, value: f64) {
        self.0.measure(value.to_bits(), &[]);
    }

    /// Sets the value of one of few things.
    pub fn set_with(&self, value: f64, attributes: Attributes<'_>) {
        self.0.measure(value.to_bits(), attributes);
    }
}

impl Histogram {
    /// A histogram, for a `static`.
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Self(Instrument::new(InstrumentKind::Histogram, name, doc))
    }

    /// Takes a value.
    pub fn record(&self, value: f64) {
        self.0.measure(value.to_bits(), &[]);
    }

    /// Takes a value of one of few things.
    pub fn record_with(&self, value: f64, attributes: Attributes<'_>) {
        self.0.measure(value.to_bits(), attributes);
    }
}

/// Most attributes that count.
const ATTRIBUTES: usize = 8;
/// The runtime was not asked yet.
const UNKNOWN: u32 = u32::MAX;

#[derive(Debug)]
struct Instrument {
    kind: InstrumentKind,
    name: &'static str,
    doc: &'static str,
    /// The runtime's number for it.
    number: AtomicU32,
}

impl Instrument {
    const fn new(kind: InstrumentKind, name: &'static str, doc: &'static str) -> Self {
        assert!(is_name(name.as_bytes()), "a metric's name is a-z, 0-9 and `_`, and begins with a letter");
        Self { kind, name, doc, number: AtomicU32::new(UNKNOWN) }
    }

    fn measure(&self, bits: u64, attributes: Attributes<'_>) {
        let Some(host) = Host::get() else { return };
        let number = match self.number.load(Ordering::Relaxed) {
            UNKNOWN => self.register(host),
            number => number,
        };
        if number == REFUSED {
            return;
        }
        if attributes.is_empty() {
            return host.measure(number, bits, &[]);
        }
        let mut fields = [Field { name: NONE, kind: FieldKind::Text as u32, bits: 0, text: NONE }; ATTRIBUTES];
        for (field, (name, value)) in fields.iter_mut().zip(attributes) {
            (field.name, field.text) = (lend(name.as_bytes()), lend(value.as_bytes()));
        }
        let fields = fields.get(..attributes.len()).unwrap_or(&fields);
        host.measure(number, bits, fields);
    }

    #[cold]
    fn register(&self, host: Host) -> u32 {
        let number = host.instrument(&Described {
            size: size_of::<Described>(),
            kind: self.kind as u32,
            name: lend(self.name.as_bytes()),
            doc: lend(self.doc.as_bytes()),
        });
        self.number.store(number, Ordering::Relaxed);
        number
    }
}

const fn is_name(mut name: &[u8]) -> bool {
    let [b'a'..=b'z', ..] = name else { return false };
    while let [first, rest @ ..] = name {
        if !matches!(first, b'a'..=b'z' | b'0'..=b'9' | b'_') {
            return false;
        }
        name = rest;
    }
    true
}
