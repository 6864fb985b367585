//! All instruments, and who reads them.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use super::instrument::{Draft, Instrument};
use super::stream::Reader;
use crate::batch::Batch;
use crate::clock;
use crate::fork::{self, Forgets, Held, Keeps};
use crate::scope::Scope;
use crate::telemetry::Telemetry;

/// Most instruments; one more is a fault of the program, which makes names out of data.
const MOST_INSTRUMENTS: usize = 4096;

/// Instruments, and who reads them. An instrument may be made before anyone reads it.
#[derive(Debug)]
pub struct Metrics {
    state: Mutex<State>,
    /// In place of all that are too many.
    spare: OnceLock<&'static Instrument>,
}

#[derive(Debug)]
struct State {
    instruments: Vec<&'static Instrument>,
    readers: Vec<Reader>,
    reader: Option<&'static Telemetry>,
}

impl Forgets for State {
    /// Each instrument forgets by itself.
    fn forget(&mut self) {}
}

impl Keeps for Metrics {
    fn hold(&'static self) -> Box<dyn Held> {
        Box::new(self.lock())
    }
}

impl Metrics {
    /// None yet. Lives as long as the process.
    pub fn begin() -> &'static Self {
        let state = State { instruments: Vec::new(), readers: Vec::new(), reader: None };
        let made: &'static Self = Box::leak(Box::new(Self { state: Mutex::new(state), spare: OnceLock::new() }));
        fork::keep(made);
        made
    }

    /// The instrument of this description: the one that there is, or a new one. One too many measures nothing.
    pub fn instrument(&self, scope: &Arc<Scope>, draft: Draft) -> &'static Instrument {
        let known = {
            let state = self.lock();
            let find = |known: &&&Instrument| {
                known.draft == draft && (Arc::ptr_eq(&known.scope, scope) || known.scope == *scope)
            };
            state.instruments.iter().find(find).copied()
        };
        known.unwrap_or_else(|| self.add(Instrument::new(draft, Arc::clone(scope))))
    }

    fn add(&self, instrument: Instrument) -> &'static Instrument {
        if self.lock().instruments.len() >= MOST_INSTRUMENTS {
            return self.spare.get_or_init(|| leaked(instrument));
        }
        let made = leaked(instrument);
        // Before its own lock is taken anywhere, and never while one is held.
        fork::keep(made);
        let mut state = self.lock();
        made.read_by(&state.readers, state.reader, clock::now_ns());
        state.instruments.push(made);
        made
    }

    /// From now on these read.
    pub(crate) fn read_by(&self, readers: Vec<Reader>, reader: &'static Telemetry) {
        let mut state = self.lock();
        let now_ns = clock::now_ns();
        state.instruments.iter().for_each(|instrument| instrument.read_by(&readers, Some(reader), now_ns));
        (state.readers, state.reader) = (readers, Some(reader));
    }

    /// Whether any instrument asks: nothing else would wake the thread.
    pub(crate) fn has_observers(&self) -> bool {
        let instruments = self.lock().instruments.clone();
        instruments.iter().any(|instrument| instrument.is_asked())
    }

    /// What there is for a reader, in batches of about so many bytes.
    pub(crate) fn collect(&self, reader: usize, most_bytes: usize) -> Vec<Batch> {
        let instruments = self.lock().instruments.clone();
        let (mut batches, mut batch, now_ns) = (Vec::new(), Batch::default(), clock::now_ns());
        for instrument in instruments {
            instrument.collect(reader, now_ns, &mut batch);
            if batch.bytes() >= most_bytes {
                batches.push(std::mem::take(&mut batch));
            }
        }
        batches.push(batch);
        batches
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        fork::lock(&self.state)
    }
}

fn leaked(instrument: Instrument) -> &'static Instrument {
    Box::leak(Box::new(instrument))
}
